#include <fmt/format.h>

#include <random>

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/parquet/parquet_person_source.h"
#include "tests/membership/collecting_sink.h"
#include "tests/membership/compress.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"
#include "tests/membership/sanitized.h"

namespace audiencesync::testing {
namespace {

/// Refuses: shows that our own reader was enough.
class NoFallback final : public PersonSource {
 public:
  int asked = 0;
  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>&) override {
    ++asked;
    return Error(ErrorCode::Unsupported, "our own reader should have read this");
  }
};

class ParquetReaderTest : public ::testing::Test {
 protected:
  PosixFiles files;
  TestFolder folder;
  Duck duck;
  DuckdbPersonSource duckdb{{.work_folder = folder.path() / "work"}};
  NoFallback none;
  ParquetPersonSource alone{files, none};
  ParquetPersonSource source{files, duckdb};
  SourceColumns columns{"_demo.core.email", "Email"};
  NamedAudiences audiences{{"A0", "A1", "A2", "A3", "A4"}};

  Path file(const std::string& name) const { return folder.path() / name; }
  Collected with_duckdb(const Path& path) { return must(collect(duckdb, {path}, columns, audiences, 1)); }
  Collected alone_with(const Path& path) { return must(collect(alone, {path}, columns, audiences)); }
};

// Rows with everything that may be null being null at times, some people in runs of equal values.
std::string world(int rows, int seed, const std::string& memberships_type = kMembershipType) {
  return fmt::format(R"(
    SELECT {{'core': {{'email': CASE WHEN hash(i, {1}, 1) % 11 = 0 THEN NULL
                                     WHEN i % 100 < 40 THEN 'same@x.io'
                                     ELSE format('größe-{{}}@x.io', i) END, 'other': i}}}} AS _demo,
           'noise' AS noise,
           CASE WHEN hash(i, {1}, 2) % 7 = 0 THEN NULL ELSE map_from_entries(
             list_transform(list_filter(['ups', 'UPS', 'aam'], lambda s: hash(s, i, {1}) % 3 > 0),
               lambda s: {{'k': s, 'v': CASE WHEN hash(s, i, {1}, 3) % 9 = 0 THEN NULL ELSE map_from_entries(
                 list_transform(list_filter(range(12), lambda a: hash(a, s, i, {1}) % 3 = 0),
                   lambda a: {{'k': 'A' || a, 'v': CASE hash(a, s, i, {1}, 4) % 6
                     WHEN 0 THEN NULL WHEN 1 THEN {{'status': NULL, 'lastQualificationTime': NULL}}
                     WHEN 2 THEN {{'status': 'exited', 'lastQualificationTime': TIMESTAMP '2024-05-01'}}
                     WHEN 3 THEN {{'status': 'odd', 'lastQualificationTime': TIMESTAMP '2024-05-01'}}
                     ELSE {{'status': 'realized', 'lastQualificationTime': TIMESTAMP '2024-05-02'}} END}})) END}})) END
           ::{2} AS "segmentMembership"
    FROM range({0}) t(i))",
                     rows, seed, memberships_type);
}

TEST_F(ParquetReaderTest, ReadsWhatDuckdbReadsInEveryCompression) {
  int seed = 0;
  for (const char* compression : {"snappy", "zstd", "gzip", "uncompressed"}) {
    for (const int rows : {0, 1, 100, 5000}) {
      SCOPED_TRACE(fmt::format("{} {}", compression, rows));
      const auto path = file(fmt::format("{}-{}.parquet", compression, rows));
      duck.write(world(rows, ++seed), path, fmt::format(", COMPRESSION {}, ROW_GROUP_SIZE 2048", compression));
      const auto expected = with_duckdb(path);
      EXPECT_EQ(expected.rows.size(), static_cast<std::size_t>(rows));
      EXPECT_EQ(alone_with(path), expected);
    }
  }
  EXPECT_EQ(none.asked, 0);
}

TEST_F(ParquetReaderTest, ReadsPagesWithoutADictionary) {
  duck.write(world(3000, 5), file("a.parquet"), ", DICTIONARY_SIZE_LIMIT 0");
  EXPECT_EQ(alone_with(file("a.parquet")), with_duckdb(file("a.parquet")));
  duck.write(world(3000, 5), file("b.parquet"), ", STRING_DICTIONARY_PAGE_SIZE_LIMIT 1");
  EXPECT_EQ(alone_with(file("b.parquet")), with_duckdb(file("b.parquet")));
}

TEST_F(ParquetReaderTest, ReadsBareStatusesPrefixesAndFilesWithoutMemberships) {
  duck.write(
      "SELECT {'core': {'email': 'a' || i}} AS _demo, CASE WHEN i % 3 = 0 THEN NULL ELSE MAP {'ups': MAP {'A1': CASE "
      "WHEN i % 2 = 0 THEN 'realized' END, 'A2': 'existing'}} END AS \"xdm:segmentMembership\" FROM range(50) t(i)",
      file("bare.parquet"));
  duck.write("SELECT {'core': {'email': 'a' || i}} AS _demo FROM range(50) t(i)", file("without.parquet"));
  for (const char* name : {"bare.parquet", "without.parquet"})
    EXPECT_EQ(alone_with(file(name)), with_duckdb(file(name)));
}

TEST_F(ParquetReaderTest, LeavesOtherShapesToTheFallback) {
  const std::pair<const char*, std::string> shapes[] = {
      {"structs",
       "SELECT {'core': {'email': 'a'}} AS _demo, {'ups': {'A1': {'status': 'realized'}}} AS "
       "\"segmentMembership\""},
      {"number",
       "SELECT {'core': {'email': 42}} AS _demo, MAP {'ups': MAP {'A1': 'realized'}} AS \"segmentMembership\""},
      {"identities",
       "SELECT MAP {'Email': [{'id': 'x', 'primary': true}]} AS \"identityMap\", MAP {'ups': MAP {'A1': "
       "'realized'}} AS \"segmentMembership\""}};
  for (const auto& [name, select] : shapes) {
    const auto path = file(std::string(name) + ".parquet");
    duck.write(select, path);
    EXPECT_EQ(collect(alone, {path}, columns, audiences).error().code(), ErrorCode::Unsupported) << name;
    const auto got = must(collect(source, {path}, columns, audiences));
    EXPECT_EQ(got, with_duckdb(path)) << name;
    EXPECT_EQ(got.rows.size(), 1U);
    EXPECT_NE(got.rows.front().find("A1"), std::string::npos);
  }
  duck.write(world(4000, 3), file("v2.parquet"), ", PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 0");
  duck.write(world(4000, 4), file("plain.parquet"));
  auto expected = with_duckdb(file("v2.parquet"));
  EXPECT_EQ(must(collect(source, {file("v2.parquet")}, columns, audiences)), expected);
  const auto both = must(collect(source, {file("v2.parquet"), file("plain.parquet")}, columns, audiences));
  EXPECT_EQ(both.rows.size(), 8000U) << "both ways in one call";
}

TEST_F(ParquetReaderTest, SaysWhatTheFallbackSaysOfFilesThatAreNone) {
  put_file(file("none.parquet"), "PAR1 this is no Parquet file at all PAR1");
  duck.write("SELECT {'core': {'phone': 'a'}} AS _demo", file("other.parquet"));
  for (const auto& [name, code] :
       {std::pair{"none.parquet", ErrorCode::Corrupt}, {"other.parquet", ErrorCode::Invalid}}) {
    const auto result = collect(source, {file(name)}, columns, audiences);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), code) << result.error().text();
  }
}

TEST_F(ParquetReaderTest, NeverTakesACutFileForAShorterOne) {
  duck.write(world(600, 9), file("a.parquet"));
  const auto whole = read_bytes(file("a.parquet"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (size > 500 && size + 500 < whole.size() && size % 37 > 0) continue;
    put_file(file("cut.parquet"), whole.substr(0, size));
    ASSERT_FALSE(collect(alone, {file("cut.parquet")}, columns, audiences).ok()) << size;
    // DuckDB's word about it takes a hundred times as long; it is asked where a cut could look like an end.
    if (size % (37 * 40) > 0 && size > 13 && size + 13 < whole.size()) continue;
    const auto result = collect(source, {file("cut.parquet")}, columns, audiences);
    ASSERT_FALSE(result.ok()) << size;
    EXPECT_EQ(result.error().code(), ErrorCode::Corrupt) << result.error().text();
  }
}

std::vector<std::string> people_of(const Collected& collected) {
  std::vector<std::string> people;
  for (const auto& row : collected.rows) people.push_back(row.substr(0, row.rfind(':')));
  return people;
}

// Parquet has no checksums unless a writer adds them, so one bit inside a text or an index is just another text. All
// else must be an error, or what DuckDB makes of the same bytes. What remains is a level of the status that contradicts
// a column beside it, which only DuckDB reads: a membership more or less, never another person.
TEST_F(ParquetReaderTest, OneDamagedBitNeverChangesWhoIsRead) {
  std::mt19937_64 random(4711);
  const int rounds = kSanitized ? 40 : 150;
  int errors = 0;
  int equal = 0;
  int contradictions = 0;
  for (const char* compression : {"uncompressed", "snappy", "zstd"}) {
    duck.write(world(300, 21), file("a.parquet"), fmt::format(", COMPRESSION {}", compression));
    const auto whole = read_bytes(file("a.parquet"));
    const auto expected = alone_with(file("a.parquet"));
    for (int round = 0; round < rounds; ++round) {
      SCOPED_TRACE(fmt::format("{} {}", compression, round));
      auto bytes = whole;
      auto& byte = bytes[random() % bytes.size()];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << random() % 8));
      put_file(file("damaged.parquet"), bytes);
      const auto got = collect(source, {file("damaged.parquet")}, columns, audiences);
      if (!got.ok()) {
        EXPECT_TRUE(got.error().code() == ErrorCode::Corrupt || got.error().code() == ErrorCode::Invalid)
            << got.error().text();
        ++errors;
        continue;
      }
      EXPECT_EQ(got->rows.size(), 300U);
      if (*got == expected) {
        ++equal;
        continue;
      }
      const auto theirs = collect(duckdb, {file("damaged.parquet")}, columns, audiences, 1);
      if (!theirs.ok() || *got == *theirs) continue;
      EXPECT_EQ(people_of(*got), people_of(*theirs));
      ++contradictions;
    }
  }
  EXPECT_GT(errors, rounds / 4);
  EXPECT_GT(equal, rounds / 4);
  EXPECT_LT(contradictions, 8);
}

TEST_F(ParquetReaderTest, StopsAtAnErrorOfItsSink) {
  duck.write(world(5000, 2), file("a.parquet"), ", ROW_GROUP_SIZE 2048");
  class Full final : public PersonSink {
   public:
    Result<void> add(const PersonBatch&) override { return Error(ErrorCode::NoSpace, "the disk is full"); }
  } full;
  PersonSink* const sinks[] = {&full};
  const auto result = alone.read_batches({file("a.parquet")}, columns, audiences, sinks);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::NoSpace);
}

}  // namespace
}  // namespace audiencesync::testing
