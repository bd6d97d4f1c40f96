#include "engine/membership/duckdb/duckdb_record_converter.h"

#include <fmt/format.h>

#include "engine/membership/duckdb/duckdb_session.h"

namespace audiencesync {
namespace {

// A person in all audiences of a sandbox, with the longest names: more than any record of ours.
constexpr std::uint64_t kLargestRecord = 8ULL << 20U;
// So many records are in memory at a time.
constexpr int kRecordsInGroup = 20'480;

// The fields below the tenant's, as the schema has them: int is 32 bits, long 64.
std::string fields_of(const RelationSpec& spec) {
  std::string membership = R"("audienceMembershipId" VARCHAR)";
  if (spec.writes_names()) membership += R"(, "audienceMembershipName" VARCHAR)";
  std::string fields;
  switch (spec.layout) {
    case RecordLayout::Person:
      fields = fmt::format(R"("audienceMembership" STRUCT({})[], "audienceMembershipCount" INTEGER)", membership);
      break;
    case RecordLayout::Membership:
      fields = membership;
      break;
    case RecordLayout::Delimited:
      fields = R"("audienceMembershipIds" VARCHAR, "audienceMembershipCount" INTEGER)";
      break;
  }
  return fields + R"(, "audienceSyncGeneration" BIGINT)";
}

// read_json takes patterns, as read_parquet does.
std::string plain_pattern(const Path& file) {
  std::string pattern;
  for (const char character : file.string()) {
    if (character == '*' || character == '?' || character == '[') {
      pattern.append("[").append(1, character).append("]");
    } else {
      pattern += character;
    }
  }
  return pattern;
}

}  // namespace

Result<std::uint64_t> DuckdbRecordConverter::to_parquet(const Path& lines, const RelationSpec& spec, const Path& to) {
  // Made by us, because DuckDB would make it readable for others.
  auto file = TRY(files_.create(to));
  TRY(file->sync());
  const auto session = TRY(DuckdbSession::open(options_));
  const auto columns = fmt::format("{{'_id': 'VARCHAR', 'personID': 'VARCHAR', {}: {}}}", quoted_text(spec.tenant),
                                   quoted_text("STRUCT(" + fields_of(spec) + ")"));
  return session->write(
      to, fmt::format(
              "COPY (SELECT * FROM read_json({}, format = 'newline_delimited', maximum_object_size = {}, "
              "columns = {})) TO {} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {}, USE_TMP_FILE false)",
              quoted_text(plain_pattern(lines)), kLargestRecord, columns, quoted_text(to.string()), kRecordsInGroup));
}

}  // namespace audiencesync
