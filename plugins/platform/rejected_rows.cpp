#include "plugins/platform/rejected_rows.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "engine/base/json.h"
#include "plugins/platform/call.h"
#include "plugins/platform/data_access.h"
#include "plugins/platform/redact.h"

namespace audiencesync::platform {
namespace {

/// The errors of a line, under the name that its pipeline uses.
const Value::Array& errors_of(const Value& line) {
  if (const auto& errors = line.items("_errors"); !errors.empty()) return errors;
  if (const auto& errors = line.items("_validationErrors"); !errors.empty()) return errors;
  return line.items("errors");
}

std::vector<std::string> personal_texts(const Value& record) {
  std::vector<std::string> texts;
  for (const auto* name : {"personID", "_id"})
    if (auto text = record.text(name); !text.empty()) texts.push_back(std::move(text));
  return texts;
}

/// A record that could not be parsed is quoted in a line of its own; a broken one gives its person only if the member
/// is whole.
Value record_of(const Value& line) {
  const auto corrupt = line.text("_corrupt_record");
  if (corrupt.empty()) return line;
  if (auto parsed = parse_json(corrupt)) return std::move(parsed).take();
  const std::string_view name = "\"personID\":\"";
  const auto begin = corrupt.find(name);
  if (begin == std::string::npos) return {};
  const auto value = begin + name.size();
  const auto end = corrupt.find('"', value);
  if (end == std::string::npos || corrupt.find('\\', value) < end) return {};
  Value record;
  record["personID"] = corrupt.substr(value, end - value);
  return record;
}

bool is_full(const std::vector<RejectedRow>& rows, std::size_t most) { return rows.size() >= most; }

Result<void> read_lines(http::ReadClient& client, const SideFile& file, std::size_t most,
                        std::vector<RejectedRow>& rows) {
  auto request = file.request;
  request.expected = {404};
  request.deadline = std::chrono::seconds{300};
  auto response = TRY(client.read(request).in("diagnostics"));
  if (response.status == 404) return {};
  std::string_view text = response.body;
  while (!text.empty() && !is_full(rows, most)) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto row = rejected_row_from(text.substr(0, end))) rows.push_back(std::move(*row));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

bool is_json_file(const std::string& name) { return name.ends_with(".json") || name.ends_with(".jsonl"); }

Result<void> read_folder(http::ReadClient& client, const std::string& batch, SideFolder folder, const std::string& path,
                         std::size_t most, std::vector<RejectedRow>& rows) {
  auto files = TRY(list_side_files(client, batch, folder, path));
  for (const auto& file : files) {
    if (is_full(rows, most)) break;
    if (is_json_file(file.name) && !last_segment(file.name).starts_with('_')) TRY(read_lines(client, file, most, rows));
  }
  return {};
}

/// The folder `row_errors` holds all errors; the sample beside it only the first ones.
Result<void> read_meta(http::ReadClient& client, const std::string& batch, std::size_t most,
                       std::vector<RejectedRow>& rows) {
  auto files = TRY(list_side_files(client, batch, SideFolder::Meta));
  const auto named = [&](std::string_view name) {
    return std::find_if(files.begin(), files.end(), [&](const SideFile& file) { return file.name == name; });
  };
  if (named("row_errors") != files.end()) TRY(read_folder(client, batch, SideFolder::Meta, "row_errors", most, rows));
  if (const auto sample = named("row_errors_sample.json"); rows.empty() && sample != files.end())
    TRY(read_lines(client, *sample, most, rows));
  return {};
}

bool names_somebody(const std::vector<RejectedRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const RejectedRow& row) { return row.person.has_value(); });
}

void add_own_errors(const Batch& batch, std::size_t most, std::vector<RejectedRow>& rows) {
  for (const auto& error : batch.errors)
    for (const auto& range : error.rows)
      for (const auto number : row_numbers(range, most)) {
        if (is_full(rows, most)) return;
        RejectedRow row;
        row.row = number;
        row.code = error.code;
        row.message = error.description;
        rows.push_back(std::move(row));
      }
}

}  // namespace

std::optional<RejectedRow> rejected_row_from(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return {};
  const auto& errors = errors_of(*parsed);
  if (errors.empty()) return {};
  const auto record = record_of(*parsed);
  RejectedRow row;
  if (auto person = record.text("personID"); !person.empty()) row.person = PersonId(std::move(person));
  for (const auto* name : {"_rowNumber", "_row", "rowNumber", "row"})
    if (const auto number = parsed->number(name); number && *number > 0 && !row.row)
      row.row = static_cast<std::uint64_t>(*number);
  row.file = parsed->text("_filename");
  const auto& first = errors.front();
  row.code = id_text(first.find("code"));
  auto message = first.string_if() != nullptr ? *first.string_if() : first.text("message");
  if (message.empty()) message = first.text("description");
  row.message = redacted(message, personal_texts(record));
  return row;
}

std::vector<std::uint64_t> row_numbers(std::string_view range, std::size_t most) {
  const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return {};
    return value;
  };
  const auto dash = range.find('-');
  const auto first = number(range.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(range.substr(dash + 1));
  std::vector<std::uint64_t> numbers;
  if (!first || !last) return numbers;
  for (auto row = *first; row <= *last && numbers.size() < most; ++row) numbers.push_back(row);
  return numbers;
}

Result<std::vector<RejectedRow>> rejected_rows(http::ReadClient& client, const Batch& batch, std::size_t most) {
  std::vector<RejectedRow> rows;
  TRY(read_meta(client, batch.id, most, rows));
  if (names_somebody(rows)) return rows;
  std::vector<RejectedRow> refused;
  TRY(read_folder(client, batch.id, SideFolder::Failed, "", most, refused));
  if (names_somebody(refused)) return refused;
  if (!rows.empty()) return rows;
  if (!refused.empty()) return refused;
  add_own_errors(batch, most, rows);
  return rows;
}

}  // namespace audiencesync::platform
