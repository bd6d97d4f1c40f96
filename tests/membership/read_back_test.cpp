// What is in a dataset, read back: equal to what was proven by writing it, and every difference named.
#include <fmt/format.h>

#include <fstream>
#include <random>

#include "engine/membership/duckdb/duckdb_target_source.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"
#include "tests/membership/sanitized.h"

namespace audiencesync::testing {
namespace {

constexpr const char* kRecordColumns =
    "{_id: 'VARCHAR', personID: 'VARCHAR', _demo: 'STRUCT(audienceMembership STRUCT(audienceMembershipId VARCHAR, "
    "audienceMembershipName VARCHAR)[], audienceMembershipIds VARCHAR, audienceMembershipId VARCHAR, "
    "audienceMembershipName VARCHAR, audienceMembershipCount INTEGER, audienceSyncGeneration BIGINT)'}";

/// A dataset whose batches are real Parquet files, and a sync that writes into it.
class ReadBackTest : public ::testing::Test {
 protected:
  explicit ReadBackTest(MemoryBudget budget = kAmpleMemory, LocalMemberships::PersonHash hash = person_hash)
      : engine_(files_, source_, folder_.path() / "memberships", budget, hash) {
    engine_.read_targets_with(targets_);
  }

  /// Writes what changed as a batch of the next generation; `ranges` batches when the platform took it in pieces.
  void write(int ranges = 1, std::set<PersonId> rejected = {}, bool rewrite = false) {
    const auto bulk = must(engine_.compare(spec_, export_named("e"), {base_, rewrite}, {}));
    const auto step = std::max<std::uint64_t>(
        1, (bulk.people + static_cast<std::uint64_t>(ranges) - 1) / static_cast<std::uint64_t>(ranges));
    for (std::uint64_t first = 0; first < bulk.people; first += step) {
      EncodeOptions options;
      options.generation = ++generation_;
      options.leave_out = rejected;
      options.rows = {first, first + step};
      const auto upload = must(engine_.encode(spec_, bulk, options, folder_.path() / "upload", {}));
      if (upload.records > 0) land(upload);
      base_ = upload.candidate;
    }
    if (bulk.people == 0) base_ = bulk.candidate;
  }

  void land(const Upload& upload) {
    const auto path = folder_.path() / fmt::format("batch-{}.parquet", files_written_++);
    std::string sources;
    for (const auto& part : upload.parts) {
      sources += fmt::format("{}'{}'", sources.empty() ? "" : ", ", part.path.string());
    }
    duck_.write(fmt::format("SELECT * FROM read_json([{}], format = 'newline_delimited', columns = {})", sources,
                            kRecordColumns),
                path);
    add(path, generation_);
  }

  void add(const Path& path, std::int64_t generation) {
    dataset_.push_back(
        {path, fmt::format("B{}", dataset_.size()), static_cast<std::uint32_t>(dataset_.size()), generation});
  }

  /// One more file of records written by hand.
  void write_records(const std::string& select, std::int64_t generation = 0) {
    const auto path = folder_.path() / fmt::format("batch-{}.parquet", files_written_++);
    duck_.write(select, path);
    add(path, generation);
  }

  /// Like the platform does it: the files of several batches become those of one, which nobody tagged.
  void consolidate() {
    for (auto& file : dataset_) {
      file.batch = "consolidated";
      file.order = 1;
      file.generation = 0;
    }
    std::reverse(dataset_.begin(), dataset_.end());
  }

  TargetFiles files() {
    auto at = std::make_shared<std::size_t>(0);
    return [this, at](std::stop_token) -> Result<std::optional<TargetFile>> {
      if (*at == dataset_.size()) return std::optional<TargetFile>();
      return std::optional(dataset_[(*at)++]);
    };
  }

  Result<ReadBack> read_back() { return engine_.read_back(spec_, files(), oldest_, {}); }
  RowCheck check(RowCheckOptions options = {}) { return must(engine_.check_rows(spec_, files(), *base_, options, {})); }

  void put_people(std::vector<ExportRow> rows) { source_.rows = std::move(rows); }

  PosixFiles files_;
  MemorySource source_;
  TestFolder folder_;
  Duck duck_;
  DuckdbTargetSource targets_{{.work_folder = folder_.path() / "work"}};
  LocalMemberships engine_;
  RelationSpec spec_ = simple_spec();
  std::optional<Digest> base_;
  int files_written_ = 0;
  std::int64_t generation_ = 0;
  std::int64_t oldest_ = 0;  // generation that counts, as the log knows it
  std::vector<TargetFile> dataset_;
};

std::vector<ExportRow> random_people(std::mt19937& random, const RelationSpec& spec, int most) {
  std::vector<ExportRow> rows;
  for (int i = 0; i < most; ++i) {
    if (random() % 5 == 0) continue;
    ExportRow row{i == 7 ? std::string("zero\0byte", 9) : fmt::format("p\"{}\xC3\xA4@x.example", i), {}};
    for (const auto& audience : spec.audiences) {
      if (random() % 3 == 0) row.memberships.push_back({"ups", audience.id, "realized"});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::uint64_t four_hashes(std::string_view person) { return person.size() % 4 << 62U; }

class SmallMemoryTest : public ReadBackTest {
 protected:
  SmallMemoryTest() : ReadBackTest(MemoryBudget{64 << 10}) {}
};

class CollidingTest : public ReadBackTest {
 protected:
  CollidingTest() : ReadBackTest(kAmpleMemory, four_hashes) {}
};

#define AUDIENCESYNC_RANDOM_WORLD(seed)                                                                      \
  std::mt19937 random(seed);                                                                                 \
  for (int round = 0; round < 5; ++round) {                                                                  \
    put_people(random_people(random, spec_, 60));                                                            \
    if (round == 2) spec_.audiences[0].name = "Blue, renamed";                                               \
    if (round == 3) spec_.audiences.push_back(audience("A3", "Late"));                                       \
    std::set<PersonId> rejected;                                                                             \
    if (round % 2 == 1) rejected = {PersonId("p\"3\xC3\xA4@x.example"), PersonId("p\"9\xC3\xA4@x.example")}; \
    write(1 + static_cast<int>(random() % 3), rejected, round == 4 && random() % 2 == 0);                    \
    if (round == 3 && random() % 2 == 0) consolidate();                                                      \
  }                                                                                                          \
  const auto back = must(read_back());                                                                       \
  EXPECT_EQ(back.content, *base_) << "seed " << seed;                                                        \
  EXPECT_EQ(read_members(engine_, back.content), read_members(engine_, *base_));                             \
  EXPECT_EQ(back.people, must(engine_.holders(*base_)));                                                     \
  EXPECT_EQ(back.counts.generation, generation_);                                                            \
  EXPECT_EQ(back.counts.left_out() + back.counts.other_id + back.counts.duplicates, 0U);                     \
  const auto checked = check();                                                                              \
  EXPECT_TRUE(checked.equal()) << checked.people_differing();                                                \
  EXPECT_EQ(checked.compared, back.people + back.tombstones);

TEST_F(ReadBackTest, GivesTheSnapshotThatWasProvenInWhateverWorld) {
  for (unsigned seed = 1; seed <= (kSanitized ? 2U : 6U); ++seed) {
    base_.reset();
    generation_ = 0;
    dataset_.clear();
    spec_ = simple_spec();
    AUDIENCESYNC_RANDOM_WORLD(seed)
  }
}

TEST_F(SmallMemoryTest, GivesTheSameWhenRecordsAreSortedOnDisk) {
  std::mt19937 random(4);
  for (int round = 0; round < 3; ++round) {
    put_people(random_people(random, spec_, 6000));
    write();
  }
  EXPECT_EQ(must(read_back()).content, *base_);
  EXPECT_TRUE(check().equal());
  EXPECT_EQ(names_below(folder_.path() / "memberships/tmp"), std::vector<std::string>()) << "temporary files stay";
}

TEST_F(CollidingTest, GivesTheSameWhenHashesCollide){AUDIENCESYNC_RANDOM_WORLD(99U)}

TEST_F(ReadBackTest, ADamagedSnapshotIsMadeAnew) {
  std::mt19937 random(2);
  put_people(random_people(random, spec_, 30));
  write();
  const auto path = snapshot_path(folder_.path() / "memberships", *base_);
  const auto whole = read_bytes(path);
  // Where a damaged byte can be is DamageTest's question; this one is what becomes of it.
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 20 | 1U) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    std::ofstream(path, std::ios::binary) << (at % 2 == 0 ? damaged : whole.substr(0, at));
    ASSERT_FALSE(engine_.check(*base_).ok()) << at;
    ASSERT_EQ(must(read_back()).content, *base_);
    ASSERT_TRUE(engine_.check(*base_).ok()) << at;
  }
}

TEST_F(ReadBackTest, ATruncatedFileIsNeverTakenForFewerPeople) {
  std::mt19937 random(2);
  put_people(random_people(random, spec_, 200));
  write();
  const auto whole = read_bytes(dataset_.front().path);
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / (kSanitized ? 10 : 40)) {
    std::ofstream(dataset_.front().path, std::ios::binary) << whole.substr(0, size);
    const auto back = read_back();
    ASSERT_FALSE(back.ok()) << size;
    EXPECT_EQ(back.error().code(), ErrorCode::Corrupt) << back.error().text();
    EXPECT_EQ(back.error().text().find("@x.example"), std::string::npos) << "names a person";
  }
}

TEST_F(ReadBackTest, RecordsThatSayNothingAreCountedByTheirReason) {
  put_people({{"a@x.example", {{"ups", "A1", "realized"}}}});
  write();
  write_records(
      "SELECT NULL AS _id, NULL AS \"personID\", struct_pack(\"audienceSyncGeneration\" := 9) AS _demo UNION ALL "
      "SELECT 'x', repeat('y', 2000), struct_pack(\"audienceSyncGeneration\" := 9) UNION ALL "
      "SELECT 'x', 'nobody', struct_pack(\"audienceSyncGeneration\" := NULL)");
  const auto back = must(read_back());
  EXPECT_EQ(back.counts.without_person, 1U);
  EXPECT_EQ(back.counts.unusable_person, 1U);
  EXPECT_EQ(back.counts.without_generation, 1U);
  EXPECT_EQ(back.content, *base_);
}

TEST_F(ReadBackTest, AListShorterThanItsCountIsDamage) {
  write_records(
      "SELECT 'x' AS _id, 'a@x.example' AS \"personID\", struct_pack(\"audienceMembershipCount\" := 2, "
      "\"audienceSyncGeneration\" := 9) AS _demo");
  const auto back = read_back();
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code(), ErrorCode::Corrupt) << back.error().text();
}

TEST_F(ReadBackTest, OfEqualGenerationsTheNewestBatchCounts) {
  const auto record = [](const char* audience) {
    return fmt::format(
        "SELECT 'x' AS _id, 'a@x.example' AS \"personID\", struct_pack(\"audienceMembership\" := "
        "[struct_pack(\"audienceMembershipId\" := '{}', \"audienceMembershipName\" := 'N')], "
        "\"audienceMembershipCount\" := 1, \"audienceSyncGeneration\" := 9) AS _demo",
        audience);
  };
  write_records(record("A1"));
  write_records(record("A2"));
  const auto back = must(read_back());
  EXPECT_EQ(read_members(engine_, back.content), (Members{{"a@x.example", {"A2"}}}));
  EXPECT_EQ(back.counts.conflicts, 1U);
  EXPECT_EQ(back.counts.other_id, 2U);
}

TEST_F(ReadBackTest, EveryKindOfDifferenceIsNamed) {
  put_people({{"same@x.example", {{"ups", "A1", "realized"}}},
              {"lost@x.example", {{"ups", "A1", "realized"}}},
              {"moved@x.example", {{"ups", "A1", "realized"}}},
              {"label@x.example", {{"ups", "A2", "realized"}}}});
  write();
  const auto expected = base_;
  const auto first = dataset_;
  // Another dataset: somebody is gone, somebody is new, one is in another audience, one under another name.
  dataset_.clear();
  spec_.audiences[1].name = "Gold, renamed";
  put_people({{"same@x.example", {{"ups", "A1", "realized"}}},
              {"new@x.example", {{"ups", "A1", "realized"}}},
              {"moved@x.example", {{"ups", "A1", "realized"}, {"ups", "A2", "realized"}}},
              {"label@x.example", {{"ups", "A2", "realized"}}}});
  base_.reset();
  write();
  base_ = expected;
  const auto differs = check();
  EXPECT_EQ(differs.compared, 5U);
  EXPECT_EQ(differs.missing, 1U);
  EXPECT_EQ(differs.unknown, 1U);
  EXPECT_EQ(differs.other, 1U);
  EXPECT_EQ(differs.renamed, 1U);
  EXPECT_EQ(differs.older, 0U);
  ASSERT_EQ(differs.audiences.size(), 2U);
  EXPECT_EQ(differs.audiences[0].expected, 3U);
  EXPECT_EQ(differs.audiences[0].found, 3U);
  EXPECT_EQ(differs.audiences[0].missing, 1U);
  EXPECT_EQ(differs.audiences[0].surplus, 1U);
  EXPECT_EQ(differs.audiences[1].surplus, 1U);
  EXPECT_EQ(differs.samples.size(), 4U);
  EXPECT_FALSE(differs.equal());

  const auto sampled = check({.sampled = true});
  EXPECT_EQ(sampled.missing, 0U) << "who is in no file that was read is not missing";
  EXPECT_EQ(check({.oldest_generation = 3}).older, 1U);
}

// A record that only ends somebody's memberships brings nobody back who was forgotten.
TEST_F(ReadBackTest, WhoWasForgottenIsReadBackOnlyWhileTheDatasetHasThemInSomething) {
  put_people({{"ann", {{"ups", "A1", "realized"}}}, {"bob", {{"ups", "A1", "realized"}}}});
  write();
  spec_.forgotten = Forgotten("key");
  spec_.forgotten.add("ann");
  EXPECT_EQ(read_members(engine_, must(read_back()).content), (Members{{"ann", {"A1"}}, {"bob", {"A1"}}}));
  EXPECT_TRUE(check().equal()) << "their record is to be ended by the next apply";

  write();

  EXPECT_EQ(must(read_back()).content, *base_);
  EXPECT_EQ(read_members(engine_, *base_), (Members{{"bob", {"A1"}}}));
  EXPECT_TRUE(check().equal());
  write_records(
      "SELECT 'x' AS _id, 'ann' AS personID, {audienceMembership: [{audienceMembershipId: 'A1', "
      "audienceMembershipName: 'Blue'}], audienceMembershipCount: 1, audienceSyncGeneration: 9} AS _demo");
  EXPECT_EQ(check().unknown, 1U) << "somebody wrote them again";
}

struct ShapeCase {
  const char* name;
  RecordLayout layout;
  RecordNames names;
};

std::string shape_name(const ::testing::TestParamInfo<ShapeCase>& info) { return info.param.name; }

class ShapeReadBack : public ReadBackTest, public ::testing::WithParamInterface<ShapeCase> {
 protected:
  void take(const ShapeCase& shape) {
    spec_.layout = shape.layout;
    spec_.names = shape.names;
  }
  /// Everyone is written again: from here on nothing older counts.
  void write_everyone(int ranges) {
    const auto before = generation_;
    write(ranges, {}, true);
    if (generation_ > before) oldest_ = before + 1;
  }
  void expect_back(const std::string& when) {
    const auto back = must(read_back());
    EXPECT_EQ(back.content, *base_) << when;
    EXPECT_EQ(read_members(engine_, back.content), read_members(engine_, *base_)) << when;
    EXPECT_EQ(must(engine_.shape(back.content)), spec_.shape()) << when;
    EXPECT_EQ(back.counts.left_out() + back.counts.other_id + back.counts.duplicates, 0U) << when;
    const auto checked = check({.oldest_generation = oldest_});
    EXPECT_TRUE(checked.equal()) << when << ": " << checked.people_differing();
  }
};

TEST_P(ShapeReadBack, GivesTheSnapshotThatWasProven) {
  const bool differences = GetParam().layout != RecordLayout::Membership;
  take(GetParam());
  std::mt19937 random(5);
  for (int round = 0; round < 4; ++round) {
    put_people(random_people(random, spec_, 60));
    if (round == 2) spec_.audiences[0].name = "Blue, renamed";
    if (round == 3) spec_.audiences.push_back(audience("A3", "Late"));
    const auto ranges = 1 + round % 2;
    differences&& round != 2 ? write(ranges) : write_everyone(ranges);
    if (round == 2) dataset_.erase(dataset_.begin());  // superseded ones go one by one
    expect_back(fmt::format("round {}", round));
  }
  consolidate();
  expect_back("consolidated");
}

TEST_P(ShapeReadBack, NamesEveryKindOfDifference) {
  take(GetParam());
  put_people({{"same", {{"ups", "A1", "realized"}}},
              {"lost", {{"ups", "A1", "realized"}}},
              {"moved", {{"ups", "A1", "realized"}}},
              {"label", {{"ups", "A2", "realized"}}}});
  write_everyone(1);
  const auto expected = base_;
  dataset_.clear();
  spec_.audiences[1].name = "Gold, renamed";
  put_people({{"same", {{"ups", "A1", "realized"}}},
              {"new", {{"ups", "A1", "realized"}}},
              {"moved", {{"ups", "A2", "realized"}}},
              {"label", {{"ups", "A2", "realized"}}}});
  base_.reset();
  write_everyone(1);
  base_ = expected;

  const auto differs = check({.oldest_generation = oldest_});

  EXPECT_EQ(differs.missing, 1U);
  EXPECT_EQ(differs.unknown, 1U);
  EXPECT_EQ(differs.other, 1U);
  EXPECT_EQ(differs.renamed, spec_.writes_names() ? 1U : 0U) << "what is not written cannot differ";
  EXPECT_EQ(differs.audiences[1].surplus, 1U);
}

TEST_P(ShapeReadBack, WhoseRecordsWereRejectedStaysAsBefore) {
  take(GetParam());
  put_people({{"ann", {{"ups", "A1", "realized"}}}, {"bob", {{"ups", "A1", "realized"}}}});
  write_everyone(1);
  put_people({{"ann", {{"ups", "A2", "realized"}}}, {"bob", {{"ups", "A2", "realized"}}}});
  spec_.quarantined = {PersonId("ann")};
  write_everyone(1);
  EXPECT_EQ(read_members(engine_, *base_), (Members{{"ann", {"A1"}}, {"bob", {"A2"}}}));
  const auto back = must(read_back());
  EXPECT_EQ(back.content, *base_);
}

TEST_P(ShapeReadBack, AfterAnotherLayoutTheRecordsOfBothAreUnderstood) {
  std::mt19937 random(3);
  for (const auto& before : {ShapeCase{"person", RecordLayout::Person, RecordNames::Written},
                             ShapeCase{"membership", RecordLayout::Membership, RecordNames::Written}, GetParam()}) {
    take(before);
    put_people(random_people(random, spec_, 40));
    write_everyone(2);
    expect_back(fmt::format("{} before", before.name));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ShapeReadBack,
                         ::testing::Values(ShapeCase{"person_ids", RecordLayout::Person, RecordNames::LookedUp},
                                           ShapeCase{"membership", RecordLayout::Membership, RecordNames::Written},
                                           ShapeCase{"membership_ids", RecordLayout::Membership, RecordNames::LookedUp},
                                           ShapeCase{"delimited", RecordLayout::Delimited, RecordNames::Written}),
                         shape_name);

// Rows of one person may lie in several files, of which a sample has some.
TEST_F(ReadBackTest, ASampleOfMembershipsMissesNobodysOtherRows) {
  spec_.layout = RecordLayout::Membership;
  put_people({{"ann", {{"ups", "A1", "realized"}, {"ups", "A2", "realized"}}}});
  write();
  dataset_.clear();
  const auto row = [](const char* id, const char* name) {
    return fmt::format(
        "SELECT 'x' AS _id, 'ann' AS personID, {{audienceMembershipId: '{}', audienceMembershipName: '{}', "
        "audienceSyncGeneration: 1}} AS _demo",
        id, name);
  };
  write_records(row("A2", "Gold"));
  EXPECT_EQ(check({.sampled = true}).people_differing(), 0U);
  EXPECT_EQ(check().other, 1U) << "everything was read";
  write_records(row("A3", "Late"));
  EXPECT_EQ(check({.sampled = true}).other, 1U) << "nobody expects that";
}

}  // namespace
}  // namespace audiencesync::testing
