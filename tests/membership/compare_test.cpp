#include <sys/stat.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "engine/membership/membership_files.h"
#include "engine/membership/snapshot.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class CompareTest : public EngineTest {
 protected:
  void expect_error(const BaseRef& base, ErrorCode code) {
    const auto result = engine->compare(spec, export_named("b"), base, {});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), code) << result.error().text();
    EXPECT_TRUE(names_below(engine_folder() / "tmp").empty());
  }

  std::map<std::string, std::uint32_t> indices(const Digest& snapshot) {
    std::map<std::string, std::uint32_t> out;
    const auto reader = must(SnapshotReader::open(files, snapshot_path(engine_folder(), snapshot)));
    for (std::size_t rank = 0; rank < reader->dictionary().size(); ++rank) {
      const auto& entry = reader->dictionary().entry(static_cast<Rank>(rank));
      out[entry.id + "/" + entry.name] = entry.index;
    }
    return out;
  }
};

ExportRow in(std::string person, const std::vector<std::string>& audiences) {
  ExportRow row{std::move(person), {}};
  for (const auto& one : audiences) row.memberships.push_back({"ups", one, "realized"});
  return row;
}

TEST_F(CompareTest, AMissingOrDamagedBaseIsNeverAnEmptyOne) {
  source.rows = {in("a", {"A1"})};
  expect_error({std::string(64, 'f')}, ErrorCode::NotFound);
  std::filesystem::create_directories(engine_folder());
  std::ofstream(engine_folder() / ("snapshot-" + std::string(64, 'e'))) << "";
  expect_error({std::string(64, 'e')}, ErrorCode::Corrupt);
}

TEST_F(CompareTest, AnEmptyExportRemovesNobody) {
  const auto base = snapshot_of({in("a", {"A1"})});
  source.rows.clear();
  expect_error({base}, ErrorCode::Refused);

  // With nobody to remove it is just empty.
  const auto first = must(engine->compare(spec, export_named("b"), {}, {}));
  EXPECT_EQ(first.people, 0U);
  source.rows = {in("a", {})};
  const auto tombstones = must(engine->compare(spec, export_named("b"), {base}, {})).candidate;
  source.rows.clear();
  EXPECT_EQ(must(engine->compare(spec, export_named("b"), {tombstones}, {})).people, 0U);
}

TEST_F(CompareTest, AnAudienceNamedTwiceIsRefused) {
  spec.audiences.push_back(audience("A1", "Again"));
  expect_error({}, ErrorCode::Invalid);
}

TEST_F(CompareTest, StopsWhenAsked) {
  source.rows = {in("a", {"A1"})};
  std::stop_source stop;
  stop.request_stop();
  const auto result = engine->compare(spec, export_named("b"), {}, stop.get_token());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Interrupted);
}

TEST_F(CompareTest, PassesTheErrorsOfItsSourceOn) {
  const SourceRef failing{"b", [](std::stop_token) -> Result<std::vector<Path>> {
                            return Error(ErrorCode::Unavailable, "no files today");
                          }};
  const auto result = engine->compare(spec, failing, {}, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Unavailable);
}

TEST_F(CompareTest, TombstonesStayUntilTheyReturn) {
  const auto base = snapshot_of({in("a", {"A1"}), in("b", {"A1", "A2"})});
  source.rows = {in("a", {"A1"})};
  const auto left = compare({base});
  EXPECT_EQ(left.people, 1U);
  EXPECT_EQ(left.removed, 1U);
  EXPECT_EQ(read_members(*engine, left.candidate), (Members{{"a", {"A1"}}, {"b", {}}}));

  const auto quiet = compare({left.candidate});
  EXPECT_EQ(quiet.people, 0U);
  EXPECT_EQ(quiet.candidate, left.candidate);

  const auto counted = engine->people(left.candidate);
  ASSERT_TRUE(counted.ok());
  ASSERT_EQ(counted->size(), 2U);
  EXPECT_EQ(counted->at(0).id + "/" + counted->at(0).name, "A1/Blue");
  EXPECT_EQ(counted->at(0).people, 1U);
  EXPECT_EQ(counted->at(1).people, 0U) << "a tombstone is in no audience";
  const auto holders = engine->holders(left.candidate);
  ASSERT_TRUE(holders.ok());
  EXPECT_EQ(*holders, 1U) << "nor does it count as one who is";

  source.rows.push_back(in("b", {"A2"}));
  const auto returned = compare({left.candidate});
  EXPECT_EQ(returned.people, 1U);
  EXPECT_EQ(returned.added, 0U) << "the snapshot knows them";
  EXPECT_EQ(read_members(*engine, returned.candidate), (Members{{"a", {"A1"}}, {"b", {"A2"}}}));
}

TEST_F(CompareTest, IndicesStayAndAreReusedOnlyWhenNobodyHoldsThem) {
  auto base = snapshot_of({in("a", {"A1"}), in("b", {"A2"})});
  EXPECT_EQ(indices(base), (std::map<std::string, std::uint32_t>{{"A1/Blue", 0}, {"A2/Gold", 1}}));

  // A1 is withdrawn while one of its members is quarantined, A0 is new.
  spec.audiences = {audience("A0", "New"), audience("A2", "Gold")};
  spec.quarantined = {PersonId("a")};
  base = compare({base}).candidate;
  EXPECT_EQ(indices(base), (std::map<std::string, std::uint32_t>{{"A0/New", 2}, {"A1/Blue", 0}, {"A2/Gold", 1}}));

  spec.quarantined.clear();
  const auto bulk = compare({base});
  base = bulk.candidate;
  EXPECT_EQ(bulk.audiences.at(1).id, "A1");
  EXPECT_EQ(bulk.audiences.at(1).left, 1U);
  EXPECT_EQ(indices(base), (std::map<std::string, std::uint32_t>{{"A0/New", 2}, {"A2/Gold", 1}}));

  spec.audiences.push_back(audience("A9", "Newest"));
  EXPECT_EQ(indices(compare({base}).candidate).at("A9/Newest"), 0U);
}

TEST_F(CompareTest, AHeldAudienceKeepsMembersAndNames) {
  const auto base = snapshot_of({in("a", {"A1"}), in("b", {"A1", "A2"})});
  spec.audiences[0].held = true;
  spec.audiences[0].name = "unknown while it cannot be read";
  source.rows = {in("b", {})};
  const auto bulk = compare({base});
  EXPECT_EQ(bulk.people, 1U);
  EXPECT_EQ(bulk.audiences[0].name, "Blue");
  EXPECT_EQ(bulk.audiences[0].after, 2U);
  EXPECT_EQ(read_members(*engine, bulk.candidate), (Members{{"a", {"A1"}}, {"b", {"A1"}}}));
}

TEST_F(CompareTest, AnotherPersonRuleIsAnotherPerson) {
  const auto base = snapshot_of({in("A@x", {"A1"})});
  spec.person = PersonRule::Lower;
  const auto bulk = compare({base});
  EXPECT_EQ(bulk.people, 2U);
  EXPECT_EQ(bulk.added, 1U);
  EXPECT_EQ(bulk.removed, 1U);
}

TEST_F(CompareTest, QuestionsDifferWhereAnswersMay) {
  const auto ask = [&] { return engine->question(spec, export_named("b"), {}); };
  std::set<Digest> seen{ask()};
  EXPECT_EQ(ask(), *seen.begin());
  std::swap(spec.audiences[0], spec.audiences[1]);
  EXPECT_EQ(ask(), *seen.begin()) << "order means nothing";
  const auto differs = [&](const Digest& digest) { EXPECT_TRUE(seen.insert(digest).second); };
  differs(engine->question(spec, export_named("c"), {}));
  differs(engine->question(spec, export_named("b"), {std::string(64, 'a')}));
  differs(engine->question(spec, export_named("b"), {std::string(64, 'a'), true}));
  spec.audiences[0].held = true;
  differs(ask());
  spec.audiences[0].name = "Other";
  differs(ask());
  spec.quarantined = {PersonId("a")};
  differs(ask());
  spec.person = PersonRule::Trim;
  differs(ask());
  spec.statuses = {"realized"};
  differs(ask());
}

TEST_F(CompareTest, ContentIsThatOfTheRowsAlone) {
  // The same people, once at once and once with a history that left other indices in the dictionary.
  source.rows = {in("a", {"A1"}), in("b", {"A2"})};
  const auto direct = compare();
  spec.audiences = {audience("A2", "Gold"), audience("A3", "Third")};
  source.rows = {in("b", {"A2", "A3"})};
  auto base = compare().candidate;
  spec.audiences = simple_spec().audiences;
  source.rows = {in("a", {"A1"}), in("b", {"A2"})};
  const auto later = compare({base});
  EXPECT_EQ(later.candidate, direct.candidate);
  EXPECT_NE(later.content, direct.content);
}

TEST_F(CompareTest, HoldsFourThousandAudiences) {
  spec.audiences.clear();
  std::vector<std::string> all;
  for (int i = 0; i < 4000; ++i) {
    all.push_back(fmt::format("audience-{:05}", i));
    spec.audiences.push_back(audience(all.back(), fmt::format("Audience number {}", i)));
  }
  source.rows = {in("everywhere", all), in("once", {all[1234]})};
  const auto bulk = compare();
  EXPECT_EQ(bulk.audiences.size(), 4000U);
  EXPECT_EQ(bulk.audiences[1234].after, 2U);
  EXPECT_EQ(read_members(*engine, bulk.candidate), (Members{{"everywhere", all}, {"once", {all[1234]}}}));
  const auto upload = must(engine->encode(spec, bulk, EncodeOptions(), folder.path() / "upload", {}));
  EXPECT_EQ(read_records(upload).at("everywhere").find("_demo")->number("audienceMembershipCount"), 4000);
}

TEST_F(CompareTest, FilesArePrivateAndNamesHoldNoPerson) {
  const auto bulk = [&] {
    source.rows = {in("secret-person@x.io", {"A1"})};
    return compare();
  }();
  const auto names = names_below(folder.path());
  EXPECT_EQ(names, (std::vector<std::string>{"memberships/changes-" + bulk.content,
                                             "memberships/snapshot-" + bulk.candidate}));
  for (const auto& name : names) {
    struct stat about {};
    ASSERT_EQ(::stat((folder.path() / name).c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(CompareTest, LeftOverWorkIsGoneAfterTheStartAndForeignFilesStay) {
  std::filesystem::create_directories(engine_folder() / "tmp" / "duckdb");
  std::ofstream(engine_folder() / "tmp" / "rows-1") << "killed here";
  std::ofstream(engine_folder() / "notes.txt") << "not ours";
  engine = std::make_unique<LocalMemberships>(files, source, engine_folder());
  EXPECT_EQ(names_below(engine_folder()), (std::vector<std::string>{"notes.txt"}));

  const auto bulk = [&] {
    source.rows = {in("a", {"A1"})};
    return compare();
  }();
  must(engine->clean({bulk.candidate}));
  EXPECT_EQ(names_below(engine_folder()), (std::vector<std::string>{"notes.txt", "snapshot-" + bulk.candidate}));
  EXPECT_FALSE(engine->holds(bulk));
}

}  // namespace
}  // namespace audiencesync::testing
