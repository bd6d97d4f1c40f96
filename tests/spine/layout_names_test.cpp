// target.name_lookup: records have ids, and analysts see names.
#include <chrono>
#include <thread>

#include "tests/spine/layout_bench.h"
#include "tests/support/http_client.h"

namespace audiencesync::testing {
namespace {

constexpr int kWaits = 3;

class NameLookup : public ::testing::Test {
 protected:
  NameLookup() { declare(); }

  void declare() {
    bench.world.extra =
        "target: { name_lookup: true }\n"
        "analytics: { connection: Luma web, data_view: Names, lookback: 7d }\n";
  }
  std::string names_dataset() { return bench.emulator.datasets_tagged("role:lookup").at(0); }
  std::string path(const std::string& field) const { return bench.emulator.tenant() + "." + field; }
  void person(const std::string& action, const std::string& more) {
    bench.emulator.person(fmt::format(R"({{"do":"{}",{}}})", action, more));
  }

  /// Both datasets in the connection, both dimensions in the view.
  void begin() {
    const auto first = bench.world.seamed_apply("count");
    expect_told(first, kWaits,
                {"Dataset type: Lookup; Key: _id; Matching key: " + path("audienceMembership.audienceMembershipId"),
                 "Lookup datasets > 'audiencesync membership: loyalty (names)'"});
    const auto connection = bench.emulator.ready().text("connection");
    person("add_dataset_to_connection",
           fmt::format(R"("connection":"{}","dataset":"{}")", connection, bench.world.target()));
    person("add_dataset_to_connection",
           fmt::format(R"("connection":"{}","dataset":"{}","type":"lookup","key":"_id","matching_key":"{}")",
                       connection, names_dataset(), path("audienceMembership.audienceMembershipId")));
    view = bench.emulator.api("GET", "/data/dataviews?cached=false&externalIds=audiencesync_loyalty")
               .items("content")
               .front()
               .text("id");
    person("add_component", fmt::format(R"("data_view":"{}","dataset":"{}","path":"{}")", view, bench.world.target(),
                                        path("audienceMembership.audienceMembershipId")));
    person("add_component",
           fmt::format(R"("data_view":"{}","dataset":"{}","path":"{}")", view, names_dataset(), path("audienceName")));
    bench.apply();
    bench.pass("5h");
  }

  /// The names that rows of the lookup dataset give now: of several rows of an id the newest counts.
  std::map<std::string, std::string> names() {
    std::map<std::string, std::string> names;
    std::istringstream rows(bench.emulator.control_text("GET", "/_emulator/datasets/" + names_dataset() + "/rows"));
    for (std::string line; std::getline(rows, line);) {
      const auto row = parse_json(line).value();
      names[row.text("_id")] = row.find(bench.emulator.tenant())->text("audienceName");
    }
    return names;
  }
  std::map<std::string, std::string> declared() {
    std::map<std::string, std::string> names;
    for (const auto& audience : bench.world.declared) names[audience.id] = audience.name;
    return names;
  }

  /// Uploads a file as somebody else would.
  void put(const std::string& path, const std::string& bytes) {
    const auto& ready = bench.emulator.ready();
    const auto form = fmt::format("grant_type=client_credentials&client_id={}&client_secret={}&scope=openid",
                                  ready.text("client_id"), ready.text("client_secret"));
    const auto answer = http_call("POST", bench.emulator.url() + "/ims/token/v3", form,
                                  {"Content-Type: application/x-www-form-urlencoded"});
    const auto token = parse_json(answer.body).value().text("access_token");
    const auto sent = http_call("PUT", bench.emulator.url() + path, bytes,
                                {"Content-Type: application/octet-stream", "Authorization: Bearer " + token,
                                 "x-api-key: " + ready.text("client_id"),
                                 "x-gw-ims-org-id: " + ready.text("organization"), "x-sandbox-name: prod"});
    ASSERT_LT(sent.status, 300) << sent.body;
  }

  LayoutBench bench;
  std::string view;
};

TEST_F(NameLookup, RecordsHaveIdsAndAnalystsSeeNames) {
  begin();
  EXPECT_EQ(bench.world.difference(), "");
  EXPECT_EQ(names(), declared());
  for (const auto& [id, labels] : labels_by_audience(bench.emulator, bench.world.target()))
    EXPECT_EQ(labels, (std::set<std::string>{""})) << "no record carries a name";
  EXPECT_EQ(bench.analytics(), bench.truth());
  bench.pass("1d");
  const auto settled = bench.world.seamed({"plan", "--fresh", "--detailed-exitcode"}, "count");
  EXPECT_EQ(settled.code, 0) << settled.out << settled.err;
  EXPECT_EQ(settled.out.find("differs"), std::string::npos) << settled.out;
}

TEST_F(NameLookup, AnotherNameChangesNobodysRecord) {
  begin();
  const auto old = bench.world.declared.front().name;
  bench.world.declared.front().name = "Quite another name";
  bench.emulator.clear_calls();
  expect_told(bench.world.seamed({"plan"}, "count"), 0,
              {fmt::format("'{}' is 'Quite another name' now: the names are written again, and nobody's record", old)});
  bench.apply();
  EXPECT_EQ(names(), declared());
  EXPECT_EQ(bench.batches_opened().size(), 1U) << "that of the names";
  EXPECT_EQ(bench.emulator.batches(bench.world.target()).size(), 1U) << "nobody's record was written";
  bench.emulator.clear_calls();
  bench.apply();
  EXPECT_TRUE(bench.batches_opened().empty());
}

TEST_F(NameLookup, ADeclaredAudienceMoreIsANameMore) {
  auto last = bench.world.declared.back();
  bench.world.declared.pop_back();
  begin();
  bench.world.declared.push_back(last);
  bench.apply();
  EXPECT_EQ(names(), declared());
  EXPECT_EQ(bench.world.difference(), "");
}

TEST_F(NameLookup, SwitchedOnLaterEverybodyIsWrittenAgain) {
  bench.world.extra = "";
  ASSERT_EQ(bench.world.seamed_apply("count").code, kWaits);
  declare();
  expect_told(bench.world.seamed({"plan"}, "count"), 0,
              {"everyone is written again: records are of layout person, ids only now, person until now"});
  begin();
  EXPECT_EQ(bench.world.difference(), "");
  for (const auto& [id, labels] : labels_by_audience(bench.emulator, bench.world.target()))
    EXPECT_EQ(labels, (std::set<std::string>{""}));
}

TEST_F(NameLookup, AStrangersBatchAmongTheNamesIsRefused) {
  begin();
  const auto dataset = names_dataset();
  const auto batch = bench.emulator
                         .api("POST", "/data/foundation/import/batches",
                              fmt::format(R"({{"datasetId":"{}","inputFormat":{{"format":"json"}}}})", dataset))
                         .text("id");
  put(fmt::format("/data/foundation/import/batches/{}/datasets/{}/files/x.json", batch, dataset),
      fmt::format(R"({{"_id":"X","{}":{{"audienceName":"Nobody's"}}}})", bench.emulator.tenant()) + "\n");
  bench.emulator.api("POST", fmt::format("/data/foundation/import/batches/{}?action=COMPLETE", batch));
  std::string status;
  for (int look = 0; look < 1000 && status != "success"; ++look) {
    status = bench.emulator.batches(dataset).at(batch).text("status");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_EQ(status, "success");
  expect_told(bench.world.seamed_apply("count"), 4, {"with the names of audiences was not written by this sync"});
}

}  // namespace
}  // namespace audiencesync::testing
