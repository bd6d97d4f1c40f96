#include "bench/sql.h"

#include <cstdio>
#include <cstdlib>

namespace audiencesync::bench {
namespace {

[[noreturn]] void give_up(const char* why, const std::string& statement) {
  std::fprintf(stderr, "error: DuckDB: %s\n%s\n", why, statement.c_str());
  std::exit(1);
}

}  // namespace

Sql::Sql(const std::string& database) {
  if (duckdb_open(database.empty() ? nullptr : database.c_str(), &database_) != DuckDBSuccess ||
      duckdb_connect(database_, &connection_) != DuckDBSuccess) {
    give_up("cannot be opened", database);
  }
  run("SET threads = 2");
  run("SET preserve_insertion_order = false");
}

Sql::~Sql() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void Sql::run(const std::string& statement) {
  duckdb_result result;
  if (duckdb_query(connection_, statement.c_str(), &result) != DuckDBSuccess) {
    give_up(duckdb_result_error(&result), statement);
  }
  duckdb_destroy_result(&result);
}

std::string Sql::value(const std::string& statement) {
  duckdb_result result;
  if (duckdb_query(connection_, statement.c_str(), &result) != DuckDBSuccess) {
    give_up(duckdb_result_error(&result), statement);
  }
  char* const text = duckdb_value_varchar(&result, 0, 0);
  std::string out(text != nullptr ? text : "");
  duckdb_free(text);
  duckdb_destroy_result(&result);
  return out;
}

}  // namespace audiencesync::bench
