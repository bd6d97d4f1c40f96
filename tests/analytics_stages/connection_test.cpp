#include <gmock/gmock.h>

#include "plugins/connection/connection_stage.h"
#include "plugins/connection/connection_view.h"
#include "tests/analytics_stages/analytics_world.h"

namespace audiencesync {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConnectionTest : public testing::Test {
 protected:
  Observed look(const std::vector<ListedConnection>& holding, const std::vector<ListedConnection>& all = {}) {
    world.client.on("GET /data/connections?dataSetIds=D", listed(holding));
    if (!all.empty()) world.client.on("GET /data/connections", listed(all));
    return world.observe(connection_stage());
  }
  static std::string reason(const Observed& observed) {
    const auto found = observed.guides.find(kConnectedDataset);
    return found == observed.guides.end() ? "" : found->second.reason;
  }
  static std::string steps(const Observed& observed) {
    const auto found = observed.guides.find(kConnectedDataset);
    return found == observed.guides.end() ? "" : fmt::format("{}", fmt::join(found->second.steps, "\n"));
  }
  static ListedConnection with(ListedDataset dataset) {
    ListedConnection connection;
    connection.datasets = {std::move(dataset)};
    return connection;
  }

  AnalyticsWorld world;
};

TEST_F(ConnectionTest, IsMetWithOneCallWhenTheDatasetIsThereAsItMustBe) {
  const auto observed = look({ListedConnection{}});
  EXPECT_THAT(observed.guides, IsEmpty());
  ASSERT_EQ(observed.resources.size(), 1U);
  EXPECT_EQ(observed.state, fmt::format("in connection 'Luma web' ({}), streaming, backfilled", kLuma));
  EXPECT_EQ(observed.outputs.at("connection_id"), Value(kLuma));
  EXPECT_EQ(observed.outputs.at("ready"), Value(true));
  EXPECT_EQ(world.client.calls.size(), 1U);
}

TEST_F(ConnectionTest, NamesAreLookedUpInADatasetOfTheirOwn) {
  world.manifest.target.name_lookup = true;
  world.manifest.target.dataset = "Loyalty";
  world.outputs.put("dataset", {{"dataset_id", Value("D")}, {"names_dataset_id", Value("N")}});
  const auto names = [](const std::string& type, const std::string& key, const std::string& matching) {
    ListedConnection connection;
    connection.more = "";
    auto text = connection.json();
    const auto end = text.find("]", text.find("dataSets"));
    text.insert(end, fmt::format(R"json(,{{"dataSetId":"N","name":"Loyalty (names)","type":"{}","streaming":true,)json"
                                 R"json("lookupKeyField":"{}","lookupParentFields":["{}"]}})json",
                                 type, key, matching));
    return text;
  };
  const auto look_at = [&](const std::string& connection) {
    world.client.on("GET /data/connections?dataSetIds=D",
                    fmt::format(R"({{"content":[{}],"number":0,"totalPages":1,"lastPage":true}})", connection));
    return world.observe(connection_stage());
  };
  const auto asked = [](const Observed& observed) {
    const auto found = observed.guides.find(ResourceKey{"connection", "names"});
    return found == observed.guides.end()
               ? std::string()
               : found->second.reason + "\n" + fmt::format("{}", fmt::join(found->second.steps, "\n"));
  };
  const std::string id = "_demo.audienceMembership.audienceMembershipId";

  EXPECT_EQ(asked(look_at(names("lookup", "_id", id))), "");
  const auto absent = asked(look_at(ListedConnection{}.json()));
  EXPECT_THAT(absent, HasSubstr("are not in the connection yet"));
  EXPECT_THAT(absent, HasSubstr("search for dataset N ('Loyalty (names)') > Next"));
  EXPECT_THAT(absent, HasSubstr("Dataset type: Lookup; Key: _id; Matching key: " + id));
  EXPECT_THAT(asked(look_at(names("profile", "", ""))),
              HasSubstr("it is there as profile data instead of lookup data"));
  EXPECT_THAT(asked(look_at(names("lookup", "personID", id))), HasSubstr("its key is 'personID' instead of _id"));
  EXPECT_THAT(asked(look_at(names("lookup", "_id", "personID"))), HasSubstr("its matching key is 'personID' instead"));

  world.manifest.target.layout = Layout::Membership;
  EXPECT_EQ(asked(look_at(names("lookup", "_id", "_demo.audienceMembershipId"))), "");
}

TEST_F(ConnectionTest, TheConnectionMayBeDeclaredByItsIdWithOrWithoutPrefix) {
  for (const auto* id : {kLuma, kLuma + 3}) {
    world.manifest.analytics->connection = id;
    EXPECT_THAT(look({ListedConnection{}}).guides, IsEmpty()) << id;
  }
}

struct WrongCase {
  const char* name;
  ListedDataset dataset;
  const char* more;    // of the connection
  const char* reason;  // contains
  const char* step;    // contains
};

class WrongEntry : public ConnectionTest, public testing::WithParamInterface<WrongCase> {};

TEST_P(WrongEntry, IsAStepForAPerson) {
  auto connection = with(GetParam().dataset);
  connection.more = GetParam().more;
  const auto observed = look({connection});
  EXPECT_THAT(observed.resources, IsEmpty());
  EXPECT_THAT(reason(observed), HasSubstr(GetParam().reason));
  EXPECT_THAT(steps(observed), HasSubstr(GetParam().step));
  EXPECT_EQ(observed.outputs.at("ready"), Value(false));
}

ListedDataset changed(const std::function<void(ListedDataset&)>& change) {
  ListedDataset dataset;
  change(dataset);
  return dataset;
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongEntry,
    testing::Values(
        WrongCase{"person_id", changed([](auto& d) { d.visitor = "_acme.crm"; }), "",
                  "its person id is '_acme.crm' and not personID", "reads it again, which can take hours"},
        WrongCase{"namespace_in_another_case", changed([](auto& d) { d.identity_namespace = "email"; }), "",
                  "its identity namespace is 'email' and not 'Email'", "with identity namespace Email"},
        WrongCase{"identity_map", changed([](auto& d) { d.identity_map = true; }), "", "the identity map",
                  "set Person ID to personID"},
        WrongCase{"lookup", changed([](auto& d) { d.type = "lookup"; }), "", "as 'lookup' data",
                  "dataset type Profile"},
        WrongCase{"streaming_off", changed([](auto& d) { d.streaming = false; }), "", "import of new data is off",
                  "'Import all new data' to on"},
        WrongCase{"backfill_failed",
                  changed([](auto& d) { d.backfill = R"({"failed":1,"inProgress":0,"completed":0})"; }), "",
                  "its backfill failed", "request a new backfill"},
        WrongCase{"validation_error",
                  {},
                  R"(,"connectionValidationErrors":[{"errorCode":"MISSING_FIELD","dataSetId":"D","missingField":"q"}])",
                  "the connection reports MISSING_FIELD (q)",
                  "settle what the connection reports"},
        WrongCase{"disabled", {}, R"(,"isDisabled":true)", "the connection is disabled", "enabled by whoever"},
        WrongCase{"accounts", {}, R"(,"primaryIdType":"account")", "counts by account", "primary id is Person"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(ConnectionTest, ErrorsAboutOtherDatasetsAreNotOurs) {
  ListedConnection connection;
  connection.more = R"(,"connectionValidationErrors":[{"errorCode":"MISSING_FIELD","dataSetId":"X"}])";
  EXPECT_THAT(look({connection}).guides, IsEmpty());
}

TEST_F(ConnectionTest, OfADatasetThatIsThereTwiceOneMustGo) {
  ListedConnection connection;
  connection.datasets.push_back(changed([](auto& d) { d.type = "lookup"; }));
  const auto observed = look({connection});
  EXPECT_THAT(reason(observed), HasSubstr("it is there 2 times"));
  EXPECT_THAT(steps(observed), HasSubstr("keep the one of profile data by personID"));
}

TEST_F(ConnectionTest, ABackfillInProgressIsNoNewStep) {
  const auto observed =
      look({with(changed([](auto& d) { d.backfill = R"({"failed":0,"inProgress":1,"completed":1})"; }))});
  EXPECT_THAT(observed.guides, IsEmpty());
  EXPECT_THAT(observed.state, HasSubstr("backfill in progress (1 of 2 done)"));
  EXPECT_THAT(codes_of(observed.findings, Severity::Note), ElementsAre("backfill-in-progress"));
}

TEST_F(ConnectionTest, ADatasetThatJoinedAfterTheFirstRecordsNeedsABackfill) {
  world.records.written = {BatchRecord{}};
  world.records.written[0].dataset = "D";
  const auto none = changed([](auto& d) { d.backfill = R"({"failed":0,"inProgress":0,"completed":0})"; });
  world.records.written[0].proven = *parse_time("2026-01-01T00:00:00Z");
  EXPECT_THAT(reason(look({with(none)})), HasSubstr("without a backfill"));
  world.records.written[0].proven = *parse_time("2026-02-01T00:00:00Z");
  const auto observed = look({with(none)});
  EXPECT_THAT(observed.guides, IsEmpty());
  EXPECT_THAT(observed.state, HasSubstr("no backfill needed"));
}

TEST_F(ConnectionTest, ADatasetThatIsNotThereYetIsAddedByAPersonWithTheExactValues) {
  ListedConnection empty;
  empty.datasets = {};
  const auto observed = look({}, {empty});
  EXPECT_THAT(reason(observed), HasSubstr(fmt::format("dataset D is not in connection 'Luma web' ({}) yet", kLuma)));
  const auto text = steps(observed);
  for (const auto* part : {"Connections > connection 'Luma web'", "search for dataset D", "Person ID: personID",
                           "identity namespace: Email", "Backfill all existing data: on"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_EQ(observed.outputs.at("connection_id"), Value(kLuma)) << "a data view can be made meanwhile";
}

TEST_F(ConnectionTest, BeforeTheDatasetExistsItsIdIsKnownAfterApply) {
  world.outputs = OutputTable();
  ListedConnection empty;
  empty.datasets = {};
  world.client.on("GET /data/connections", listed<ListedConnection>({empty}));
  const auto observed = world.observe(connection_stage());
  EXPECT_THAT(steps(observed), HasSubstr("known after apply"));
}

TEST_F(ConnectionTest, AnUnknownNameIsAnsweredWithTheNearestOne) {
  world.manifest.analytics->connection = "Luma wep";
  const auto observed = look({}, {ListedConnection{}});
  EXPECT_THAT(reason(observed), HasSubstr("there is no connection 'Luma wep'"));
  EXPECT_THAT(reason(observed), HasSubstr("'Luma web' is near"));
  EXPECT_FALSE(observed.outputs.contains("connection_id"));
}

TEST_F(ConnectionTest, TwoOfOneNameMustBeToldApartByAPerson) {
  ListedConnection other;
  other.id = kOther;
  EXPECT_THAT(reason(look({ListedConnection{}, other})), HasSubstr("2 connections are named 'Luma web'"));
}

TEST_F(ConnectionTest, AConnectionOfAnotherSandboxCannotTakeTheDataset) {
  ListedConnection other;
  other.datasets = {};
  other.sandbox = "dev";
  const auto observed = look({}, {other});
  EXPECT_THAT(reason(observed), HasSubstr("of sandbox dev, and this sync writes in sandbox prod"));
  EXPECT_THAT(steps(observed), testing::Not(HasSubstr("Add datasets")));
}

TEST_F(ConnectionTest, OtherConnectionsWithTheDatasetAreANote) {
  ListedConnection other;
  other.id = kOther;
  other.name = "Lab";
  const auto observed = look({ListedConnection{}, other});
  EXPECT_THAT(text_of(observed.findings, "connection-also"), HasSubstr("'Lab'"));
  EXPECT_THAT(observed.guides, IsEmpty());
}

TEST_F(ConnectionTest, ThePlatformsOwnAudienceAnalysisIsAWarningOfDoubleCounting) {
  ListedConnection connection;
  connection.datasets.push_back(changed([](auto& d) {
    d.id = "N";
    d.name = "Profile-Snapshot-Export-5c0f";
  }));
  const auto observed = look({connection});
  EXPECT_THAT(codes_of(observed.findings, Severity::Warning), ElementsAre("native-audience-analysis"));
  EXPECT_THAT(observed.guides, IsEmpty());
}

TEST_F(ConnectionTest, WithoutAnalyticsAnyConnectionThatHasItRightWillDo) {
  world.manifest.analytics.reset();
  ListedConnection wrong = with(changed([](auto& d) { d.streaming = false; }));
  ListedConnection right;
  right.id = kOther;
  EXPECT_THAT(look({wrong, right}).guides, IsEmpty());
  EXPECT_THAT(reason(look({wrong})), HasSubstr("import of new data is off"));
  EXPECT_THAT(reason(look({})), HasSubstr("in no connection"));
}

TEST_F(ConnectionTest, WithoutRightsNothingIsCheckedAndNothingIsDone) {
  world.client.on("GET /data/connections", {{403, ""}});
  const auto observed = world.observe(connection_stage());
  EXPECT_THAT(observed.unchecked.value_or(""), HasSubstr("cannot check: needs the technical account as product admin"));
  EXPECT_FALSE(observed.outputs.contains("ready"));
}

TEST_F(ConnectionTest, AnOutageDoesNotEndTheRun) {
  world.client.on("GET /data/connections", {{503, ""}});
  EXPECT_THAT(world.observe(connection_stage()).unchecked.value_or(""), HasSubstr("cannot check: "));
}

}  // namespace
}  // namespace audiencesync
