#pragma once

#include <duckdb.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "engine/base/files.h"

namespace audiencesync::testing {

// A type as the platform writes it, cut to what matters.
inline constexpr const char* kMembershipType =
    "MAP(VARCHAR, MAP(VARCHAR, STRUCT(status VARCHAR, \"lastQualificationTime\" TIMESTAMP)))";

/// Writes Parquet with DuckDB's SQL.
class Duck {
 public:
  Duck() {
    if (duckdb_open(nullptr, &database_) != DuckDBSuccess || duckdb_connect(database_, &connection_) != DuckDBSuccess) {
      throw std::runtime_error("duckdb");
    }
  }
  Duck(const Duck&) = delete;
  Duck& operator=(const Duck&) = delete;
  ~Duck() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }

  void run(const std::string& sql) {
    duckdb_result result;
    if (duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) {
      ADD_FAILURE() << duckdb_result_error(&result) << "\n" << sql;
    }
    duckdb_destroy_result(&result);
  }

  /// The rows of a statement with one column of texts.
  std::vector<std::string> texts(const std::string& sql) {
    std::vector<std::string> rows;
    duckdb_result result;
    if (duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) {
      ADD_FAILURE() << duckdb_result_error(&result) << "\n" << sql;
    } else {
      for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
        char* const text = duckdb_value_varchar(&result, 0, row);
        rows.emplace_back(text == nullptr ? "" : text);
        duckdb_free(text);
      }
    }
    duckdb_destroy_result(&result);
    return rows;
  }

  void write(const std::string& select, const Path& path, const std::string& options = "") {
    std::string name;
    for (const char c : path.string()) name.append(c == '\'' ? "''" : std::string(1, c));
    run(fmt::format("COPY ({}) TO '{}' (FORMAT parquet{})", select, name, options));
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace audiencesync::testing
