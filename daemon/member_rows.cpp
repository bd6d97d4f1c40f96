#include "daemon/member_rows.h"

#include <algorithm>

#include "engine/base/json.h"
#include "engine/membership/duckdb/parquet_writer.h"

namespace audiencesync {
namespace {

// Lines are handed on in pieces of about this many bytes.
constexpr std::size_t kLinesAtOnce = 64 << 10;

bool chosen(const MemberRow& row, const MemberChoice& choice) {
  if (!choice.audience) return !row.audiences.empty();
  return std::binary_search(row.audiences.begin(), row.audiences.end(), *choice.audience);
}

void append_csv(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char each : text) {
    if (each == '"') out += '"';
    out += each;
  }
  out += '"';
}

void append_line(std::string& out, const MemberRow& row, const MemberChoice& choice, RowFormat format) {
  const auto& person = row.person.reveal();
  if (format == RowFormat::Csv) {
    if (choice.audience) {
      append_csv(out, person);
      out += "\r\n";
      return;
    }
    for (const auto& audience : row.audiences) {
      append_csv(out, person);
      out += ',';
      append_csv(out, audience);
      out += "\r\n";
    }
    return;
  }
  out += "{\"personID\":";
  append_json_string(out, person);
  if (!choice.audience) {
    out += ",\"audiences\":[";
    bool first = true;
    for (const auto& audience : row.audiences) {
      if (!first) out += ',';
      first = false;
      append_json_string(out, audience);
    }
    out += ']';
  }
  out += "}\n";
}

}  // namespace

Result<std::uint64_t> write_member_lines(MemberReader& members, const MemberChoice& choice, RowFormat format,
                                         const std::function<Result<void>(std::string_view)>& out) {
  std::string lines;
  if (format == RowFormat::Csv) lines = choice.audience ? "personID\r\n" : "personID,audienceId\r\n";
  std::uint64_t people = 0;
  while (true) {
    const auto row = TRY(members.next());
    if (!row) break;
    if (!chosen(*row, choice)) continue;
    ++people;
    append_line(lines, *row, choice, format);
    if (lines.size() < kLinesAtOnce) continue;
    TRY(out(lines));
    lines.clear();
  }
  TRY(out(lines));
  return people;
}

Result<std::uint64_t> write_member_parquet(MemberReader& members, const MemberChoice& choice, const Path& path,
                                           const Path& work) {
  std::uint64_t people = 0;
  std::optional<MemberRow> row;
  const auto next = [&](ParquetRow& out) -> Result<bool> {
    do {
      row = TRY(members.next());
    } while (row && !chosen(*row, choice));
    if (!row) return false;
    ++people;
    out.text = row->person.reveal();
    if (!choice.audience) out.items.assign(row->audiences.begin(), row->audiences.end());
    return true;
  };
  const ParquetShape shape{"personID", choice.audience ? "" : "audiences"};
  TRY(write_parquet(path, shape, next, {.work_folder = work, .memory_limit = "100MB", .threads = 1}));
  return people;
}

}  // namespace audiencesync
