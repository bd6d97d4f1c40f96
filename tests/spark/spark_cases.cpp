// Prints what Apache Spark is asked, and what it must answer: small lakes with odd people in them, the statements of
// engine query-service over them, and the rows that the emulator gives, as JSON. run_cases.py is the other half.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "engine/membership/query/refresh_sql.h"
#include "tests/membership_query/lake.h"

namespace audiencesync {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kGeneration = 77;

/// The same people twice: in the emulator's lake, and as JSON for Spark's.
class TwoLakes {
 public:
  void profile(const std::optional<std::string>& email, const std::vector<Lake::Membership>& memberships) {
    lake.profile(email ? email->c_str() : nullptr, memberships);
    auto spaces = Json::object();
    for (const auto& one : memberships) spaces[one.space][one.audience] = one.status;
    profiles.push_back({{"email", email ? Json(*email) : Json()}, {"memberships", std::move(spaces)}});
  }
  void record(const std::string& person, const std::vector<std::pair<std::string, std::string>>& audiences,
              std::int64_t generation) {
    lake.record(person, audiences, generation);
    records.push_back({{"person", person}, {"audiences", audiences}, {"generation", generation}});
  }

  Lake lake;
  Json profiles = Json::array();
  Json records = Json::array();
};

RelationSpec odd_names() {
  RelationSpec spec;
  spec.relation = "luma/analytics";
  spec.uid = "luma";
  spec.tenant = "_acme";
  spec.identity_field = "_acme.core.email";
  spec.statuses = {"realized", "existing"};
  spec.audiences = {{"a-1", "It's \\ \"Blue\" `sky`", "ups"},
                    {"a-2", "Gold; -- DROP TABLE records /* x", "ups"},
                    {"a-3", "${spark.app.name} ${env:HOME} {{x}} $1 @a", "AAM"},
                    {"a-4", "Größe ÄÖÜ \xf0\x9f\x98\x80 \u0130\u212a", "ups"},
                    {"b'5\\", "100 % of \\n _everybody_", "ups"}};
  return spec;
}

// The rows of one statement on both sides. `text` is what Spark runs, `here` what the emulator runs if that differs.
struct Asked {
  std::string name;
  std::string text;
  std::string here{};
};

Json case_of(const std::string& name, const RelationSpec& spec, TwoLakes& lakes, Extent extent, bool has_target,
             const std::optional<Restore>& restore = {}) {
  const RefreshRelations relations{"profiles", has_target ? "records" : ""};
  const auto create =
      create_changeset("changeset", changeset_select(spec, relations, extent, restore), "marker " + name);
  const auto insert = insert_changeset(spec, "records", "changeset", kGeneration, "marker " + name);
  lakes.lake.create(create);
  const auto written = "(" + insert.substr(insert.find("\nSELECT ") + 1) + ") w";
  const std::string fields = "_id, personID, _acme.audienceMembershipCount AS n, _acme.audienceSyncGeneration AS g";
  const std::string each = "_id, one.audienceMembershipId AS audience, one.audienceMembershipName AS name";
  const std::string exploded = " LATERAL VIEW explode(_acme.audienceMembership) each_one AS one";
  const auto ours = fmt::format(" WHERE _acme.audienceSyncGeneration = {}", kGeneration);
  const std::vector<Asked> asked{
      {"people", "SELECT record_id, person, total, known, entered, gone FROM changeset WHERE part = 'person'"},
      {"memberships",
       "SELECT record_id, one.audienceMembershipId AS audience, one.audienceMembershipName AS name FROM changeset "
       "LATERAL VIEW explode(memberships) each_one AS one WHERE part = 'person'"},
      {"counts", count_changeset("changeset")},
      {"sample of new people", sample_changeset("changeset", SampleKind::New, 3)},
      {"sample of changed people", sample_changeset("changeset", SampleKind::Changed, 3)},
      {"sample of people who leave", sample_changeset("changeset", SampleKind::Leaves, 3)},
      {"records written", "SELECT " + fields + " FROM records" + ours, "SELECT " + fields + " FROM " + written},
      {"memberships written", "SELECT " + each + " FROM records" + exploded + ours,
       "SELECT " + each + " FROM " + written + exploded},
  };
  auto questions = Json::array();
  for (const auto& one : asked) {
    const auto rows = lakes.lake.rows(one.here.empty() ? one.text : one.here);
    if (!rows.empty() && rows.front().starts_with("refused")) {
      std::fprintf(stderr, "%s, %s: %s\n", name.c_str(), one.name.c_str(), rows.front().c_str());
      std::exit(1);
    }
    questions.push_back({{"name", one.name}, {"sql", one.text}, {"rows", rows}});
  }
  return {{"name", name},     {"profiles", lakes.profiles},        {"records", lakes.records}, {"create", create},
          {"insert", insert}, {"questions", std::move(questions)}, {"tenant", spec.tenant}};
}

/// People whose names are written in every way that a rule could take for another one.
std::vector<std::optional<std::string>> odd_people() {
  return {"ann@x.io",
          "Ann@X.io",
          " ann@x.io ",
          "\t\n\v\f\rann@x.io\r\n",
          "\u00a0ann@x.io",
          "\u3000b@x.io",
          "J\u00c4NE@x.io",
          "j\u00e4ne@x.io",
          "ja\u0308ne@x.io",
          "\u212aelvin@x.io",
          "\u0130x@x.io",
          "STRASSE\u1e9e",
          "o'neil@x.io",
          "back\\slash",
          "\"quoted\"",
          "`tick`; DROP TABLE x --",
          "%_${env:HOME}",
          "a|b,c",
          "\xf0\x9f\x98\x80@x.io",
          "+49 171 1234567",
          std::nullopt,
          "",
          "   ",
          "\t",
          std::string(kLongestPersonId, 'L'),
          std::string(kLongestPersonId + 1, 'm'),
          std::string(kLongestPersonId - 1, 'n') + "\u00e4",
          " " + std::string(kLongestPersonId, 'o') + " "};
}

// Everybody of the list under one rule: in the export, half of them in the target too, some of them only there.
Json rule_case(const std::string& name, PersonRule rule) {
  auto spec = odd_names();
  spec.person = rule;
  TwoLakes lakes;
  int turn = 0;
  for (const auto& person : odd_people()) {
    ++turn;
    lakes.profile(person, {{"ups", turn % 2 == 0 ? "a-1" : "a-2", "realized"},
                           {turn % 3 == 0 ? "aam" : "ups", "a-3", turn % 5 == 0 ? "EXITED" : "Existing"},
                           {"UPS", "a-4", turn % 4 == 0 ? "strange" : "entered"},
                           {"ups", "b'5\\", "realized"}});
    if (turn % 2 == 0 && person) lakes.record(*person, {{"a-1", "It's \\ \"Blue\" `sky`"}, {"a-4", "old"}}, turn);
  }
  lakes.record("only there \u00c4", {{"a-1", "It's \\ \"Blue\" `sky`"}}, 1);
  lakes.record("a tombstone", {}, 1);
  return case_of(name, spec, lakes, Extent::Changes, true);
}

// Worlds in which anything may happen, with several generations of most people.
Json random_case(unsigned seed, Extent extent, const std::optional<Restore>& restore = {}) {
  auto spec = odd_names();
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t most) { return random() % most; };
  spec.audiences[below(spec.audiences.size())].held = true;
  TwoLakes lakes;
  const std::vector<std::string> statuses{"realized", "existing", "exited", "Realized", "entered", "odd"};
  for (int person = 0; person < 120; ++person) {
    const auto name = fmt::format("p{}'\u00e4@x.io", below(90));
    std::vector<Lake::Membership> memberships;
    for (const auto& audience : spec.audiences) {
      if (below(2) == 0) continue;
      memberships.push_back(
          {audience.membership_namespace == "AAM" ? "aam" : "ups", audience.id, statuses[below(statuses.size())]});
    }
    if (below(5) == 0) memberships.push_back({"ups", "nobody's", "realized"});
    lakes.profile(name, memberships);
  }
  for (std::int64_t generation = 1; generation <= 3; ++generation) {
    for (int person = 0; person < 90; ++person) {
      if (below(2) == 0) continue;
      std::vector<std::pair<std::string, std::string>> audiences;
      for (const auto& audience : spec.audiences) {
        if (below(2) == 0) audiences.emplace_back(audience.id, below(4) == 0 ? "old name" : audience.name);
      }
      lakes.record(fmt::format("p{}'\u00e4@x.io", person), audiences, generation);
    }
  }
  const auto* what = restore ? "the past" : extent == Extent::Everyone ? "everyone" : "changes";
  return case_of(fmt::format("{} of random world {}", what, seed), spec, lakes, extent, true, restore);
}

Json first_export() {
  const auto spec = odd_names();
  TwoLakes lakes;
  for (const auto& person : odd_people()) lakes.profile(person, {{"ups", "a-1", "realized"}, {"ups", "a-2", "exited"}});
  return case_of("a first export", spec, lakes, Extent::Changes, false);
}

int print_cases() {
  auto cases = Json::array();
  cases.push_back(first_export());
  cases.push_back(rule_case("ids trimmed", PersonRule::Trim));
  cases.push_back(rule_case("ids in lower case", PersonRule::Lower));
  cases.push_back(rule_case("ids hashed", PersonRule::Sha256Lower));
  cases.push_back(random_case(1, Extent::Changes));
  cases.push_back(random_case(2, Extent::Everyone));
  cases.push_back(random_case(3, Extent::Changes, Restore{2, {"a-1", "b'5\\"}}));
  std::cout << cases.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace audiencesync

int main() {
  try {
    return audiencesync::print_cases();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
