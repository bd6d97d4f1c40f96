#pragma once

#include <duckdb.h>

#include <string>

namespace audiencesync::bench {

/// DuckDB on two threads, as this program's helper and as the engine's peer. Any failure ends the program.
class Sql {
 public:
  explicit Sql(const std::string& database = "");
  Sql(const Sql&) = delete;
  Sql& operator=(const Sql&) = delete;
  ~Sql();

  void run(const std::string& statement);
  /// The first value of the first row, as text.
  std::string value(const std::string& statement);

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace audiencesync::bench
