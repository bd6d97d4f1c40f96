// Upload files in Parquet say what the JSON lines say, with the types of the schema.
#include <sys/stat.h>

#include <fmt/format.h>

#include <random>
#include <sstream>

#include "engine/base/json.h"
#include "engine/membership/duckdb/duckdb_record_converter.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class ParquetUploadTest : public EngineTest {
 protected:
  ParquetUploadTest() { engine->use_converter(converter); }

  Upload encode(const Bulk& bulk, UploadFormat format, std::uint64_t largest_part = 200 << 20) {
    EncodeOptions options;
    options.generation = 4'000'000'000'007;
    options.format = format;
    options.largest_part = largest_part;
    return must(engine->encode(
        spec, bulk, options, folder.path() / (format == UploadFormat::Parquet ? "upload * [parquet]" : "upload"), {}));
  }

  /// The rows of a Parquet file as JSON, in order.
  std::vector<std::string> rows_of(const Path& file) {
    std::vector<std::string> rows;
    Duck duck;
    std::string pattern;
    for (const char each : file.string()) {
      if (each == '*' || each == '[') {
        pattern += std::string("[") + each + "]";
      } else {
        pattern += each;
      }
    }
    for (auto& row : duck.texts("SELECT to_json(r)::VARCHAR FROM read_parquet('" + pattern + "') r"))
      rows.push_back(to_json(parse_json(row).value()));
    return rows;
  }
  static std::vector<std::string> lines_of(const Path& file) {
    std::vector<std::string> lines;
    std::istringstream text(read_bytes(file));
    for (std::string line; std::getline(text, line);) lines.push_back(to_json(parse_json(line).value()));
    return lines;
  }

  DuckdbRecordConverter converter{files, {.work_folder = folder.path(), .memory_limit = "80MB", .threads = 1}};
};

TEST_F(ParquetUploadTest, HasTheSameRecordsInTheSameOrder) {
  std::mt19937 random(5);
  source.rows.clear();
  for (int i = 0; i < 5000; ++i) {
    ExportRow row{fmt::format("person {} 'ü\"\\ 2020-01-02T03:04:05Z {}", i, random()), {}};
    for (const auto* id : {"A1", "A2"}) {
      if (random() % 2 == 0) row.memberships.push_back({"ups", id, "realized"});
    }
    source.rows.push_back(row);
  }
  spec.audiences = {audience("A1", "42"), audience("A2", "Größe \"24\"\t\n")};
  const auto base = compare().candidate;
  for (std::size_t i = 0; i < 500; ++i) source.rows[i].memberships.clear();  // tombstones
  for (const auto layout : {RecordLayout::Person, RecordLayout::Membership, RecordLayout::Delimited}) {
    for (const auto names : {RecordNames::Written, RecordNames::LookedUp}) {
      spec.layout = layout;
      spec.names = names;
      const auto bulk = compare({base, true});
      const auto json = encode(bulk, UploadFormat::JsonLines);
      const auto parquet = encode(bulk, UploadFormat::Parquet);
      ASSERT_EQ(parquet.parts.size(), 1U) << spec.shape();
      EXPECT_EQ(parquet.parts[0].name, "part-00000.parquet");
      EXPECT_EQ(parquet.records, json.records);
      EXPECT_EQ(parquet.candidate, json.candidate);
      EXPECT_EQ(rows_of(parquet.parts[0].path), lines_of(json.parts[0].path)) << spec.shape();
      EXPECT_EQ(read_bytes(parquet.parts[0].lines), read_bytes(json.parts[0].path)) << "for the diagnostics";
      EXPECT_LT(parquet.parts[0].bytes, json.parts[0].bytes);
      EXPECT_EQ(parquet.parts[0].bytes, std::filesystem::file_size(parquet.parts[0].path));
      struct stat about {};
      ASSERT_EQ(::stat(parquet.parts[0].path.c_str(), &about), 0);
      EXPECT_EQ(about.st_mode & 0777U, 0600U) << "it holds person ids";
    }
  }
}

TEST_F(ParquetUploadTest, HasTheTypesOfTheSchema) {
  source.rows = {{"ann", {{"ups", "A1", "realized"}}}};
  const auto upload = encode(compare(), UploadFormat::Parquet);
  Duck duck;
  const auto table =
      "read_parquet('" + (folder.path() / "upload [*] [[]parquet]" / "part-00000.parquet").string() + "')";
  EXPECT_EQ(
      duck.texts("SELECT column_name || ' ' || column_type FROM (DESCRIBE SELECT * FROM " + table + ")"),
      (std::vector<std::string>{
          "_id VARCHAR", "personID VARCHAR",
          "_demo STRUCT(audienceMembership STRUCT(audienceMembershipId VARCHAR, audienceMembershipName VARCHAR)[], "
          "audienceMembershipCount INTEGER, audienceSyncGeneration BIGINT)"}));
}

TEST_F(ParquetUploadTest, SeveralFilesAreNumbered) {
  source.rows.clear();
  for (int i = 0; i < 100; ++i) source.rows.push_back({fmt::format("p{:03}", i), {{"ups", "A1", "realized"}}});
  const auto upload = encode(compare(), UploadFormat::Parquet, 5000);
  ASSERT_GT(upload.parts.size(), 2U);
  std::uint64_t rows = 0;
  for (const auto& part : upload.parts) rows += rows_of(part.path).size();
  EXPECT_EQ(rows, 100U);
  EXPECT_EQ(upload.parts[1].name, "part-00001.parquet");
}

TEST_F(ParquetUploadTest, WithoutAConverterItIsUnsupported) {
  LocalMemberships other(files, source, folder.path() / "other");
  source.rows = {{"ann", {{"ups", "A1", "realized"}}}};
  const auto bulk = must(other.compare(spec, export_named("b"), {}, {}));
  EncodeOptions options;
  options.format = UploadFormat::Parquet;
  const auto upload = other.encode(spec, bulk, options, folder.path() / "upload", {});
  ASSERT_FALSE(upload.ok());
  EXPECT_EQ(upload.error().code(), ErrorCode::Unsupported);
}

TEST_F(ParquetUploadTest, WhatIsNoRecordIsToldWithoutItsContent) {
  const auto lines = folder.path() / "lines";
  ASSERT_TRUE(files.write_atomic(lines, "{\"_id\":\"x\",\"personID\":\"marker@x.io\",\"_demo\":5}\n").ok());
  const auto made = converter.to_parquet(lines, spec, folder.path() / "out.parquet");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ErrorCode::Invalid);
  EXPECT_EQ(made.error().text().find("marker"), std::string::npos) << made.error().text();
  const auto nowhere = converter.to_parquet(folder.path() / "none", spec, folder.path() / "out.parquet");
  EXPECT_FALSE(nowhere.ok());
}

}  // namespace
}  // namespace audiencesync::testing
