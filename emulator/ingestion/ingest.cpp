#include "emulator/ingestion/ingest.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "emulator/http/uri.h"
#include "emulator/ingestion/record_reader.h"

namespace emulator {
namespace {

// The platform's own guardrail is 100 KB; the reader takes buffers of a multiple of this.
constexpr std::uint64_t kLargestRecord = 2ULL << 20;

/// Good records as JSON lines, dealt out to as many files as there will be parts: two at a time, so that a batch of
/// more than one record has several.
class Accepted {
 public:
  Accepted(std::filesystem::path folder, std::uint64_t rows_per_part)
      : folder_(std::move(folder)), rows_per_part_(rows_per_part) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  void add(std::string_view record) {
    if (open_.empty() || (rows_ % (2 * rows_per_part_)) == 0) open_pair();
    std::ofstream& out = *open_[rows_ % 2];
    out.write(record.data(), static_cast<std::streamsize>(record.size()));
    out.put('\n');
    ++counts_[counts_.size() - 2 + rows_ % 2];
    ++rows_;
  }

  void close() { open_.clear(); }
  std::uint64_t rows() const { return rows_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  std::filesystem::path path(std::size_t i) const { return folder_ / (std::to_string(i) + ".json"); }

 private:
  void open_pair() {
    open_.clear();
    for (int i = 0; i < 2; ++i) {
      open_.push_back(std::make_unique<std::ofstream>(path(counts_.size()), std::ios::binary));
      counts_.push_back(0);
    }
  }

  std::filesystem::path folder_;
  std::uint64_t rows_per_part_;
  std::uint64_t rows_ = 0;
  std::vector<std::unique_ptr<std::ofstream>> open_;
  std::vector<std::uint64_t> counts_;
};

/// Uploaded files by the name the client gave them.
std::vector<std::pair<std::string, std::filesystem::path>> uploaded(const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::filesystem::path>> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.emplace_back(percent_decode(entry.path().filename().string()), entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// A Parquet upload is read as records, so that one set of rules judges everything.
std::filesystem::path as_lines(Connection& connection, const std::filesystem::path& parquet,
                               const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::path lines = folder / (parquet.filename().string() + ".lines");
  std::ofstream out(lines, std::ios::binary | std::ios::trunc);
  connection.each_text("SELECT json_merge_patch('{}'::JSON, to_json(r))::VARCHAR FROM read_parquet(" +
                           sql_text(parquet.string()) + ") r",
                       [&](std::string_view row) { out << row << '\n'; });
  return lines;
}

void note_columns(simdjson::dom::element record, std::set<std::string, std::less<>>& columns) {
  simdjson::dom::object object;
  if (record.get_object().get(object) != simdjson::SUCCESS) return;
  for (const auto [key, value] : object)
    if (columns.find(key) == columns.end()) columns.insert(std::string(key));
}

void write_parts(Connection& connection, const IngestRequest& request, const Accepted& accepted,
                 const std::set<std::string, std::less<>>& columns, const FieldRule& root,
                 std::vector<PartFile>& parts) {
  std::string types;
  for (const std::string& name : columns) {
    const auto rule = root.members.find(name);
    if (rule == root.members.end()) continue;
    types += (types.empty() ? "" : ", ") + sql_text(name) + ": " + sql_text(rule->second.sql_type());
  }
  for (std::size_t i = 0; i < accepted.counts().size(); ++i) {
    if (accepted.counts()[i] == 0) continue;
    char number[24];
    std::snprintf(number, sizeof number, "%05zu", parts.size());
    PartFile part{std::string("part-") + number + "-" + request.guid + "-c000.snappy.parquet", 0, accepted.counts()[i]};
    const std::filesystem::path file = request.parts / part.name;
    connection.run("COPY (SELECT * FROM read_json(" + sql_text(accepted.path(i).string()) +
                   ", format = 'newline_delimited', maximum_object_size = " + std::to_string(kLargestRecord) +
                   ", columns = {" + types + "})) TO " + sql_text(file.string()) +
                   " (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480)");
    part.bytes = std::filesystem::file_size(file);
    parts.push_back(std::move(part));
  }
}

}  // namespace

IngestResult ingest(const Database& database, const IngestRequest& request) {
  IngestResult result;
  const RowRules rules(request.schema);
  RowErrors errors(request.diagnostics, request.wants);
  const std::filesystem::path work = request.parts.parent_path() / "accepted";
  const std::filesystem::path lines_folder = request.parts.parent_path() / "lines";
  Accepted accepted(work, request.rows_per_part);
  Connection connection(database);
  std::set<std::string, std::less<>> columns;
  std::vector<std::string> names;
  const auto files = uploaded(request.uploads);
  for (const auto& [name, path] : files) {
    names.push_back(name);
    ++result.input_files;
    result.input_bytes += std::filesystem::file_size(path);
  }

  const std::uint64_t input_bytes = result.input_bytes;
  if (input_bytes == 0) {
    result.errors =
        Json::array({{{"code", "106"}, {"description", "Dataset file is empty."}, {"rows", Json::array()}}});
    return result;
  }
  for (const auto& [name, path] : files) {
    if (std::filesystem::file_size(path) == 0) {
      result.errors = Json::array(
          {{{"code", "106"}, {"description", "Dataset file " + name + " is empty."}, {"rows", Json::array()}}});
      return result;
    }
    std::filesystem::path source = path;
    if (request.format == "parquet") {
      try {
        source = as_lines(connection, path, lines_folder);
      } catch (const DatabaseError&) {
        result.errors = Json::array({{{"code", "INGEST-1401-400"},
                                      {"description", "File " + name + " is not Parquet."},
                                      {"rows", Json::array()}}});
        return result;
      }
    }
    const bool document = request.document && request.format != "parquet";
    each_record(
        source, document ? RecordLayout::Document : RecordLayout::Lines, [&](auto parsed, std::string_view text) {
          const std::uint64_t row = ++result.input_rows;
          simdjson::dom::element record;
          if (parsed.get(record) != simdjson::SUCCESS) {
            errors.add(row, text, false, {{"1401", "The record is not valid JSON"}});
            return;
          }
          RowRules::Verdict verdict =
              rules.check(record, request.format == "parquet" ? RowRules::Typed::Exactly : RowRules::Typed::Loosely);
          if (text.size() > kLargestRecord) verdict.problems.push_back({"1401", "The record is larger than 2 MB"});
          if (request.bad_rows.contains(row) || request.bad_people.contains(verdict.person))
            verdict.problems.push_back({"1401", "The row is corrupt"});
          if (!verdict.problems.empty()) {
            errors.add(row, text, record.is_object(), verdict.problems);
            return;
          }
          note_columns(record, columns);
          if (verdict.convert) {
            accepted.add(rules.convert(Json::parse(text)).dump());
          } else if (document && text.find('\n') != std::string_view::npos) {
            accepted.add(simdjson::minify(record));
          } else {
            accepted.add(text);
          }
        });
  }
  accepted.close();
  errors.finish(names);
  std::filesystem::remove_all(lines_folder);

  result.failed_rows = errors.rows();
  const bool tolerable =
      request.tolerated_percent > 0 &&
      static_cast<double>(errors.rows()) * 100.0 <= request.tolerated_percent * static_cast<double>(result.input_rows);
  result.good = accepted.rows() > 0 && (errors.rows() == 0 || tolerable);
  result.errors = errors.summary(result.good ? accepted.rows() : 0);
  if (result.good) {
    std::filesystem::remove_all(request.parts);
    std::filesystem::create_directories(request.parts);
    write_parts(connection, request, accepted, columns, rules.root(), result.parts);
  } else if (result.errors.empty()) {
    result.errors =
        Json::array({{{"code", "106"}, {"description", "Dataset file is empty."}, {"rows", Json::array()}}});
  }
  std::filesystem::remove_all(work);
  return result;
}

}  // namespace emulator
