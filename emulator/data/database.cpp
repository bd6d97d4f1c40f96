#include "emulator/data/database.h"

#include <duckdb.h>

#include <cstdlib>

namespace emulator {
namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

/// A result and its destruction.
struct Result {
  duckdb_result value{};
  ~Result() { duckdb_destroy_result(&value); }
};

struct Chunk {
  duckdb_data_chunk value = nullptr;
  ~Chunk() { duckdb_destroy_data_chunk(&value); }
};

struct Prepared {
  duckdb_prepared_statement value = nullptr;
  ~Prepared() { duckdb_destroy_prepare(&value); }
};

std::string said(const char* text) { return text == nullptr ? "unknown database error" : text; }

void each_in_chunk(duckdb_data_chunk chunk, const std::function<void(std::string_view)>& row) {
  duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  std::uint64_t* valid = duckdb_vector_get_validity(vector);
  const idx_t size = duckdb_data_chunk_get_size(chunk);
  for (idx_t i = 0; i < size; ++i) {
    if (valid != nullptr && !duckdb_validity_row_is_valid(valid, i)) continue;
    row({duckdb_string_t_data(&texts[i]), duckdb_string_t_length(texts[i])});
  }
}

}  // namespace

std::string sql_text(std::string_view text) { return doubled(text, '\''); }
std::string sql_name(std::string_view name) { return doubled(name, '"'); }

struct Database::Handle {
  duckdb_database value = nullptr;
  ~Handle() { duckdb_close(&value); }
};

struct Connection::Handle {
  duckdb_connection value = nullptr;
  ~Handle() { duckdb_disconnect(&value); }
};

Database::Database(const std::filesystem::path& file) : handle_(std::make_unique<Handle>()) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  duckdb_set_config(config, "memory_limit", "256MB");
  duckdb_set_config(config, "threads", "2");
  duckdb_set_config(config, "temp_directory", (file.string() + ".spill").c_str());
  // Nothing is ever loaded from elsewhere, and what the platform shows must not depend on the machine.
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  char* error = nullptr;
  const duckdb_state state = duckdb_open_ext(file.string().c_str(), &handle_->value, config, &error);
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const std::string text = said(error);
    duckdb_free(error);
    throw DatabaseError(file.string() + ": " + text);
  }
  Connection(*this).run("SET GLOBAL TimeZone='UTC'");
}

Database::~Database() = default;

Connection::Connection(const Database& database) : handle_(std::make_unique<Handle>()) {
  if (duckdb_connect(database.handle_->value, &handle_->value) != DuckDBSuccess)
    throw DatabaseError("no session with the database");
}

Connection::~Connection() = default;

void Connection::run(const std::string& sql) {
  Result result;
  if (duckdb_query(handle_->value, sql.c_str(), &result.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_result_error(&result.value)));
}

std::vector<Row> Connection::rows(const std::string& sql) {
  Result result;
  if (duckdb_query(handle_->value, sql.c_str(), &result.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_result_error(&result.value)));
  std::vector<Row> rows;
  const idx_t columns = duckdb_column_count(&result.value);
  const idx_t count = duckdb_row_count(&result.value);
  rows.reserve(count);
  for (idx_t y = 0; y < count; ++y) {
    Row& row = rows.emplace_back();
    row.reserve(columns);
    for (idx_t x = 0; x < columns; ++x) {
      if (duckdb_value_is_null(&result.value, x, y)) {
        row.emplace_back();
        continue;
      }
      char* text = duckdb_value_varchar(&result.value, x, y);
      row.emplace_back(text == nullptr ? Cell() : Cell(text));
      duckdb_free(text);
    }
  }
  return rows;
}

std::uint64_t Connection::number(const std::string& sql) {
  const std::vector<Row> result = rows(sql);
  if (result.empty() || result.front().empty() || !result.front().front()) return 0;
  return std::strtoull(result.front().front()->c_str(), nullptr, 10);
}

struct TextCursor::Reading {
  Prepared statement;
  Result result;
};

TextCursor::TextCursor(const Database& database, const std::string& sql)
    : connection_(database), reading_(std::make_unique<Reading>()) {
  Prepared& statement = reading_->statement;
  if (duckdb_prepare(connection_.handle_->value, sql.c_str(), &statement.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_prepare_error(statement.value)));
  if (duckdb_execute_prepared_streaming(statement.value, &reading_->result.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_result_error(&reading_->result.value)));
}

TextCursor::~TextCursor() = default;

bool TextCursor::next(const std::function<void(std::string_view)>& row) {
  Chunk chunk;
  chunk.value = duckdb_fetch_chunk(reading_->result.value);
  if (chunk.value == nullptr) {
    const char* error = duckdb_result_error(&reading_->result.value);
    if (error != nullptr && *error != '\0') throw DatabaseError(error);
    return false;
  }
  each_in_chunk(chunk.value, row);
  return true;
}

void Connection::each_text(const std::string& sql, const std::function<void(std::string_view)>& row) {
  Prepared statement;
  Result result;
  if (duckdb_prepare(handle_->value, sql.c_str(), &statement.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_prepare_error(statement.value)));
  if (duckdb_execute_prepared_streaming(statement.value, &result.value) != DuckDBSuccess)
    throw DatabaseError(said(duckdb_result_error(&result.value)));
  for (;;) {
    Chunk chunk;
    chunk.value = duckdb_fetch_chunk(result.value);
    if (chunk.value == nullptr) break;
    each_in_chunk(chunk.value, row);
  }
}

}  // namespace emulator
