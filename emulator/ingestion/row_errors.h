#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/ingestion/row_rules.h"

namespace emulator {

enum class Diagnostics { Off, On };

/// Collects what was wrong with the records of a batch and writes the platform's diagnostics files.
class RowErrors {
 public:
  /// Files go below `folder`: meta/row_errors, meta/row_errors_sample.json, meta/input_files, failed.
  RowErrors(std::filesystem::path folder, Diagnostics diagnostics);

  /// `row` counts from 1 over the whole batch. `parsed` says whether `text` is JSON.
  void add(std::uint64_t row, std::string_view text, bool parsed, const std::vector<RowProblem>& problems);
  /// Names of the uploaded files, for meta/input_files; closes the rest.
  void finish(const std::vector<std::string>& input_files);

  std::uint64_t rows() const { return rows_; }
  /// The batch's `errors`: ranges of rows with diagnostics, one general entry without.
  Json summary(std::uint64_t ingested) const;

 private:
  std::ofstream& file(const std::string& name);

  std::filesystem::path folder_;
  Diagnostics diagnostics_;
  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> all_;
  std::map<std::string, std::vector<std::uint64_t>> by_code_;
  std::map<std::string, std::ofstream> files_;
};

}  // namespace emulator
