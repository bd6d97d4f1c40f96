#include "emulator/ingestion/row_errors.h"

#include <utility>

namespace emulator {
namespace {

constexpr std::size_t kMostRanges = 1000;
constexpr std::uint64_t kSampleRows = 10;

/// 1,2,3,7 -> ["1-3","7"]
Json ranges(const std::vector<std::uint64_t>& rows) {
  Json out = Json::array();
  for (std::size_t begin = 0; begin < rows.size() && out.size() < kMostRanges;) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    std::string range = std::to_string(rows[begin]);
    if (end - begin > 1) range += "-" + std::to_string(rows[end - 1]);
    out.push_back(std::move(range));
    begin = end;
  }
  return out;
}

std::string trimmed_object(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const std::size_t end = text.find_last_of('}');
  std::string body(text.substr(begin, end - begin));
  if (body.find_last_not_of(" \t\r\n{") != std::string::npos) body += ',';
  return body;
}

std::string describe(const std::string& code, std::size_t rows) {
  if (code == "1555") return std::to_string(rows) + " rows lack a required value";
  return std::to_string(rows) + " rows are corrupt or do not fit the schema";
}

}  // namespace

RowErrors::RowErrors(std::filesystem::path folder, Diagnostics diagnostics)
    : folder_(std::move(folder)), diagnostics_(diagnostics) {
  std::filesystem::remove_all(folder_);
}

std::ofstream& RowErrors::file(const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return known->second;
  const std::filesystem::path path = folder_ / name;
  std::filesystem::create_directories(path.parent_path());
  return files_.emplace(name, std::ofstream(path, std::ios::binary | std::ios::trunc)).first->second;
}

void RowErrors::add(std::uint64_t row, std::string_view text, bool parsed, const std::vector<RowProblem>& problems) {
  ++rows_;
  all_.push_back(row);
  for (const RowProblem& problem : problems) {
    std::vector<std::uint64_t>& rows = by_code_[problem.code];
    if (rows.empty() || rows.back() != row) rows.push_back(row);
  }
  if (diagnostics_ == Diagnostics::Off) return;

  Json errors = Json::array();
  for (const RowProblem& problem : problems) errors.push_back({{"code", problem.code}, {"message", problem.message}});
  const std::string list = errors.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string name = parsed ? "conversion_errors_0" : "parsing_errors_0";
  const std::string head =
      parsed ? trimmed_object(text)
             : "{\"_corrupt_record\":" + Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace) +
                   ",";
  const std::string line = head + "\"_errors\":" + list + ",\"_filename\":\"" + name + "\"}\n";
  file("meta/row_errors/" + name + ".json") << line;
  if (rows_ <= kSampleRows) file("meta/row_errors_sample.json") << line;
  file("failed/part-00000-failed-c000.json") << head << "\"_validationErrors\":" << list << "}\n";
}

void RowErrors::finish(const std::vector<std::string>& input_files) {
  if (diagnostics_ == Diagnostics::On) {
    for (const std::string& name : input_files)
      file("meta/input_files/input_files_0.json") << Json{{"path", name}}.dump() << "\n";
    if (rows_ > 0) file("failed/_SUCCESS");
  }
  files_.clear();
}

Json RowErrors::summary(std::uint64_t ingested) const {
  if (rows_ == 0) return Json::array();
  const std::string count = std::to_string(rows_);
  if (diagnostics_ == Diagnostics::Off) {
    return Json::array({{{"code", "INGEST-1211-400"},
                         {"description", "Encountered errors in the data. Enable error diagnostics to see them."},
                         {"recordCount", rows_},
                         {"rows", Json::array()}}});
  }
  Json errors = Json::array();
  errors.push_back(
      {{"code", "INGEST-1212-400"},
       {"description", "Encountered " + count + " errors in the data. Ingested " + std::to_string(ingested) + " rows"},
       {"recordCount", rows_},
       {"rows", ranges(all_)}});
  for (const auto& [code, rows] : by_code_)
    errors.push_back({{"code", "INGEST-" + code + "-400"},
                      {"description", describe(code, rows.size())},
                      {"recordCount", rows.size()},
                      {"rows", ranges(rows)}});
  return errors;
}

}  // namespace emulator
