#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class ParquetTest : public ::testing::Test {
 protected:
  TestFolder folder;
  Duck duck;
  DuckdbPersonSource source{{.work_folder = folder.path() / "work"}};
  SourceColumns columns{"_demo.identification.core.email", "Email"};
  std::vector<ExportRow> rows;

  Path file(const std::string& name) const { return folder.path() / name; }

  Result<std::uint64_t> read(const std::vector<Path>& paths) {
    rows.clear();
    return source.read(paths, columns, [&](const SourceRow& row) -> Result<void> {
      ExportRow copy{std::string(row.person), {}};
      for (const auto& one : *row.memberships) {
        copy.memberships.push_back(
            {std::string(one.membership_namespace), std::string(one.audience), std::string(one.status)});
      }
      rows.push_back(std::move(copy));
      return {};
    });
  }

  // "person: ns/id=status ns/id=status", one line a row.
  std::string text() const {
    std::string out;
    for (const auto& row : rows) {
      out += row.person + ":";
      for (const auto& one : row.memberships) {
        out += fmt::format(" {}/{}={}", one.membership_namespace, one.audience, one.status);
      }
      out += "\n";
    }
    return out;
  }

  void expect_error(const std::vector<Path>& paths, ErrorCode code, const std::string& part) {
    const auto result = read(paths);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), code) << result.error().text();
    EXPECT_NE(result.error().text().find(part), std::string::npos) << result.error().text();
  }
};

std::string people(const std::string& body) {
  return fmt::format(
      "SELECT {{'identification': {{'core': {{'email': person}}}}}} AS _demo, "
      "memberships::{} AS \"segmentMembership\", 'noise' AS noise FROM (VALUES {}) AS t(person, memberships)",
      kMembershipType, body);
}

TEST_F(ParquetTest, ReadsMapsOfMapsAndKeepsNullsApart) {
  duck.write(people(R"(
      ('a@x.io', MAP {'ups': MAP {'A1': {'status': 'realized', 'lastQualificationTime': TIMESTAMP '2024-05-01'},
                                  'A2': {'status': 'exited', 'lastQualificationTime': NULL}},
                      'UPS': MAP {'A3': {'status': NULL, 'lastQualificationTime': NULL}}}),
      (NULL, MAP {'ups': MAP {'A1': {'status': 'existing', 'lastQualificationTime': NULL}}}),
      ('größe@x.io', NULL),
      ('b@x.io', MAP {'ups': NULL, 'other': MAP {'A1': NULL}}))"),
             file("a.parquet"));

  EXPECT_EQ(must(read({file("a.parquet")})), 4U);
  EXPECT_EQ(text(),
            "a@x.io: ups/A1=realized ups/A2=exited UPS/A3=\n"
            ": ups/A1=existing\n"
            "größe@x.io:\n"
            "b@x.io:\n");
}

TEST_F(ParquetTest, ReadsFilesAndRowGroupsInOrder) {
  const auto select = [](int first, int count) {
    return fmt::format(
        "SELECT {{'identification': {{'core': {{'email': format('person-{{}}@example.org', i)}}}}}} AS _demo, "
        "CASE WHEN i % 3 = 0 THEN NULL ELSE MAP {{'ups': MAP {{format('audience-{{}}', i % 7): "
        "{{'status': 'realized', 'lastQualificationTime': TIMESTAMP '2024-05-01'}}, 'A2': {{'status': 'exited', "
        "'lastQualificationTime': NULL}}}}}} END AS \"segmentMembership\" FROM range({}, {}) t(i)",
        first, first + count);
  };
  duck.run("SET preserve_insertion_order = true");
  duck.write(select(0, 10'000), file("a.parquet"), ", ROW_GROUP_SIZE 2048");
  duck.write(select(10'000, 1), file("b.parquet"));
  duck.write(select(10'001, 20'000), file("c.parquet"), ", ROW_GROUP_SIZE 4096, COMPRESSION zstd");
  duck.write(select(0, 0), file("none.parquet"));

  EXPECT_EQ(must(read({file("a.parquet"), file("none.parquet"), file("b.parquet"), file("c.parquet")})), 30'001U);
  ASSERT_EQ(rows.size(), 30'001U);
  for (int i = 0; i < 30'001; ++i) {
    const auto& row = rows[static_cast<std::size_t>(i)];
    ASSERT_EQ(row.person, fmt::format("person-{}@example.org", i));
    ASSERT_EQ(row.memberships.size(), i % 3 == 0 ? 0U : 2U);
    if (i % 3 == 0) continue;
    ASSERT_EQ(row.memberships[0].audience, fmt::format("audience-{}", i % 7));
    ASSERT_EQ(row.memberships[1].status, "exited");
  }
}

TEST_F(ParquetTest, ReadsStructsPrefixesAndBareStatuses) {
  duck.write(
      "SELECT {'identification': {'core': {'email': 'a@x.io'}}} AS _demo, "
      "{'ups': {'A1': {'xdm:status': 'realized'}, 'A2': {'xdm:status': NULL::VARCHAR}, "
      "'A3': NULL::STRUCT(\"xdm:status\" VARCHAR)}} AS \"xdm:segmentMembership\"",
      file("structs.parquet"));
  duck.write(
      "SELECT {'identification': {'core': {'email': 'b@x.io'}}} AS _demo, "
      "{'ups': MAP {'A1': 'existing'}} AS \"segmentMembership\"",
      file("mixed.parquet"));
  must(read({file("structs.parquet"), file("mixed.parquet")}));
  EXPECT_EQ(text(), "a@x.io: ups/A1=realized ups/A2=\nb@x.io: ups/A1=existing\n");
}

TEST_F(ParquetTest, HasNobodyInAnAudienceWithoutTheColumn) {
  duck.write("SELECT {'identification': {'core': {'email': 'a@x.io'}}} AS _demo", file("a.parquet"));
  must(read({file("a.parquet")}));
  EXPECT_EQ(text(), "a@x.io:\n");
}

TEST_F(ParquetTest, FallsBackToThePrimaryIdentityOfTheNamespace) {
  const std::string type = "MAP(VARCHAR, STRUCT(id VARCHAR, \"authenticatedState\" VARCHAR, \"primary\" BOOLEAN)[])";
  duck.write(fmt::format("SELECT map::{} AS \"identityMap\" FROM (VALUES {}) AS t(map)", type, R"(
      (MAP {'ECID': [{'id': '1', 'authenticatedState': 'x', 'primary': true}],
            'email': [{'id': 'no@x.io', 'authenticatedState': 'x', 'primary': false},
                      {'id': 'yes@x.io', 'authenticatedState': 'x', 'primary': true}]}),
      (MAP {'EMAIL': [{'id': 'only@x.io', 'authenticatedState': 'x', 'primary': NULL}]}),
      (MAP {'Email': [{'id': 'one@x.io', 'authenticatedState': 'x', 'primary': false},
                      {'id': 'two@x.io', 'authenticatedState': 'x', 'primary': false}]}),
      (MAP {'ECID': [{'id': '1', 'authenticatedState': 'x', 'primary': true}]}),
      (NULL))"),
             file("a.parquet"));
  must(read({file("a.parquet")}));
  EXPECT_EQ(text(), "yes@x.io:\nonly@x.io:\n:\n:\n:\n");
}

TEST_F(ParquetTest, TheIdentityFieldWinsOverTheIdentityMap) {
  duck.write(
      "SELECT {'identification': {'core': {'email': NULL::VARCHAR}}} AS _demo, "
      "MAP {'Email': [{'id': 'map@x.io', 'primary': true}]} AS \"identityMap\"",
      file("a.parquet"));
  must(read({file("a.parquet")}));
  EXPECT_EQ(text(), ":\n");
}

TEST_F(ParquetTest, NamesTheColumnsWhenThePersonIsMissing) {
  duck.write("SELECT {'identification': {'phone': '1'}} AS _demo, 1 AS \"second column\"", file("a.parquet"));
  expect_error({file("a.parquet")}, ErrorCode::Invalid,
               "a.parquet: no identity field '_demo.identification.core.email' and no identityMap to look up namespace "
               "'Email'; the columns are: _demo, second column");
  columns.identity_field = "_demo.identification";
  expect_error({file("a.parquet")}, ErrorCode::Invalid, "is a structure");
}

TEST_F(ParquetTest, ReadsOddNamesAndNumbers) {
  columns.identity_field = "odd \"name\".it's.a.b";
  const auto odd = folder.path() / "it's [odd] *?" / "key=value";
  std::filesystem::create_directories(odd);
  duck.write("SELECT {'it''s': {'a.b': 42}} AS \"odd \"\"name\"\"\"", odd / "a.parquet");
  must(read({odd / "a.parquet"}));
  EXPECT_EQ(text(), "42:\n");
}

TEST_F(ParquetTest, NeverTakesADamagedFileForAShorterOne) {
  duck.write(people("('a@x.io', NULL), ('b@x.io', NULL)"), file("a.parquet"));
  const auto whole = read_bytes(file("a.parquet"));
  const auto put = [&](const std::string& bytes) { std::ofstream(file("damaged.parquet"), std::ios::binary) << bytes; };

  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 24) {
    put(whole.substr(0, size));
    expect_error({file("a.parquet"), file("damaged.parquet")}, ErrorCode::Corrupt, "damaged.parquet");
    EXPECT_TRUE(rows.empty()) << "every file is opened before the first row";
  }
  put("PAR1 this is no Parquet file at all PAR1");
  expect_error({file("damaged.parquet")}, ErrorCode::Corrupt, "damaged.parquet");
  put(std::string(5000, '\0'));
  expect_error({file("damaged.parquet")}, ErrorCode::Corrupt, "damaged.parquet");
  expect_error({file("a.parquet"), file("missing.parquet")}, ErrorCode::NotFound, "missing.parquet");
}

// Damage behind a good footer shows while reading: an error, or rows that are all there, never the end of the stream.
TEST_F(ParquetTest, NeverEndsEarlyOnDamagedPages) {
  duck.write(
      "SELECT {'identification': {'core': {'email': format('person-{}@example.org', i)}}} AS _demo "
      "FROM range(20000) t(i)",
      file("a.parquet"), ", ROW_GROUP_SIZE 2048, COMPRESSION zstd");
  const auto whole = read_bytes(file("a.parquet"));
  int failed = 0;
  for (std::size_t at = 100; at < whole.size() - 8000; at += whole.size() / 40) {
    auto damaged = whole;
    for (std::size_t i = 0; i < 64; ++i) damaged[at + i] = static_cast<char>(damaged[at + i] ^ 0x5A);
    std::ofstream(file("damaged.parquet"), std::ios::binary) << damaged;
    const auto result = read({file("damaged.parquet")});
    if (result.ok()) {
      EXPECT_EQ(rows.size(), 20'000U);
    } else {
      EXPECT_EQ(result.error().code(), ErrorCode::Corrupt) << result.error().text();
      ++failed;
    }
  }
  EXPECT_GT(failed, 5);
}

TEST_F(ParquetTest, NeverQuotesWhatItRead) {
  duck.write("SELECT {'identification': {'core': {'email': 'markedsecret@x.io'}}} AS _demo", file("a.parquet"),
             ", COMPRESSION uncompressed");
  auto bytes = read_bytes(file("a.parquet"));
  for (auto at = bytes.find("markedsecret"); at != std::string::npos; at = bytes.find("markedsecret"))
    bytes[at] = '\xFF';
  std::ofstream(file("a.parquet"), std::ios::binary) << bytes;
  const auto result = read({file("a.parquet")});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Corrupt);
  EXPECT_EQ(result.error().text().find("arkedsecret"), std::string::npos) << result.error().text();
}

TEST_F(ParquetTest, HandsBytesWithoutACharsetOn) {
  duck.write("SELECT {'identification': {'core': {'email': '\\xFFa'::BLOB}}} AS _demo", file("a.parquet"));
  must(read({file("a.parquet")}));
  EXPECT_EQ(text(),
            "\xFF"
            "a:\n");
}

TEST_F(ParquetTest, RefusesMembershipsOfAnotherShape) {
  duck.write("SELECT {'identification': {'core': {'email': 'a@x.io'}}} AS _demo, 'ups' AS \"segmentMembership\"",
             file("a.parquet"));
  expect_error({file("a.parquet")}, ErrorCode::Corrupt, "column 'segmentMembership' does not have the shape");
}

TEST_F(ParquetTest, StopsAtTheFirstErrorOfItsCaller) {
  duck.write(people("('a@x.io', NULL), ('b@x.io', NULL)"), file("a.parquet"));
  int calls = 0;
  const auto result = source.read({file("a.parquet")}, columns, [&](const SourceRow&) -> Result<void> {
    ++calls;
    return Error(ErrorCode::Interrupted, "enough");
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Interrupted);
  EXPECT_EQ(calls, 1);
}

// The whole way: Parquet in, records out.
TEST_F(ParquetTest, FeedsTheEngine) {
  duck.write(people(R"(('a@x.io', MAP {'ups': MAP {'A1': {'status': 'realized', 'lastQualificationTime': NULL}}}),
                       ('b@x.io', MAP {'ups': MAP {'A2': {'status': 'exited', 'lastQualificationTime': NULL}}}))"),
             file("a.parquet"));
  PosixFiles files;
  LocalMemberships engine(files, source, folder.path() / "memberships");
  auto spec = simple_spec();
  spec.identity_field = columns.identity_field;
  const SourceRef ref{
      "batch", [&](std::stop_token) -> Result<std::vector<Path>> { return std::vector<Path>{file("a.parquet")}; }};
  const auto bulk = must(engine.compare(spec, ref, {}, {}));
  EXPECT_EQ(bulk.people, 1U);
  EXPECT_EQ(bulk.dropped.read, 2U);
  EXPECT_EQ(read_members(engine, bulk.candidate), (Members{{"a@x.io", {"A1"}}}));
}

}  // namespace
}  // namespace audiencesync::testing
