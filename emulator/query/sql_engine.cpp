#include "emulator/query/sql_engine.h"

#include <duckdb.h>
#include <zlib.h>

#include "emulator/query/spark_hash.h"

namespace emulator {
namespace {

std::string spoken_error(const char* text) { return text == nullptr ? "unknown database error" : text; }

struct LogicalType {
  duckdb_logical_type value = nullptr;
  explicit LogicalType(duckdb_logical_type type) : value(type) {}
  ~LogicalType() { duckdb_destroy_logical_type(&value); }
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
};

SqlType type_of(duckdb_logical_type type);

SqlType member_type(duckdb_logical_type owned) {
  const LogicalType child(owned);
  return type_of(child.value);
}

bool is_json(duckdb_logical_type type) {
  char* alias = duckdb_logical_type_get_alias(type);
  const bool json = alias != nullptr && std::string(alias) == "JSON";
  duckdb_free(alias);
  return json;
}

SqlType type_of(duckdb_logical_type type) {
  using ValueKind = SqlType::Kind;
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_SQLNULL:
      return {ValueKind::Null, "VARCHAR", {}};
    case DUCKDB_TYPE_VARCHAR:
      return is_json(type) ? SqlType{ValueKind::JsonText, "JSON", {}} : SqlType{ValueKind::Text, "VARCHAR", {}};
    case DUCKDB_TYPE_BOOLEAN:
      return {ValueKind::Boolean, "BOOLEAN", {}};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
      return {ValueKind::Integer, "INTEGER", {}};
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UBIGINT:
      return {ValueKind::Long, "BIGINT", {}};
    case DUCKDB_TYPE_HUGEINT:
      return {ValueKind::Decimal, "HUGEINT", {}};
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return {ValueKind::Double, "DOUBLE", {}};
    case DUCKDB_TYPE_DECIMAL:
      return {ValueKind::Decimal,
              "DECIMAL(" + std::to_string(duckdb_decimal_width(type)) + "," +
                  std::to_string(duckdb_decimal_scale(type)) + ")",
              {}};
    case DUCKDB_TYPE_DATE:
      return {ValueKind::Date, "DATE", {}};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {ValueKind::Timestamp, "TIMESTAMP", {}};
    case DUCKDB_TYPE_BLOB:
      return {ValueKind::Binary, "BLOB", {}};
    case DUCKDB_TYPE_LIST: {
      SqlType list{ValueKind::List, "", {}};
      list.members.emplace_back("element", member_type(duckdb_list_type_child_type(type)));
      list.sql = list.members.back().second.sql + "[]";
      return list;
    }
    case DUCKDB_TYPE_MAP: {
      SqlType map{ValueKind::Map, "", {}};
      map.members.emplace_back("key", member_type(duckdb_map_type_key_type(type)));
      map.members.emplace_back("value", member_type(duckdb_map_type_value_type(type)));
      map.sql = "MAP(" + map.members.front().second.sql + ", " + map.members.back().second.sql + ")";
      return map;
    }
    case DUCKDB_TYPE_STRUCT: {
      SqlType record{ValueKind::Struct, "STRUCT(", {}};
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        char* name = duckdb_struct_type_child_name(type, i);
        record.members.emplace_back(name, member_type(duckdb_struct_type_child_type(type, i)));
        duckdb_free(name);
        record.sql +=
            (i == 0 ? "" : ", ") + sql_name(record.members.back().first) + " " + record.members.back().second.sql;
      }
      record.sql += ")";
      return record;
    }
    default:
      return {ValueKind::Other, "VARCHAR", {}};
  }
}

// One column of values and one of seeds; a NULL value leaves the seed as it is.
template <class Value, std::int32_t (*kHash)(Value, std::int32_t)>
std::int32_t hashed(const void* data, idx_t i, std::int32_t seed) {
  return kHash(static_cast<const Value*>(data)[i], seed);
}

std::int32_t hashed_text(const void* data, idx_t i, std::int32_t seed) {
  duckdb_string_t text = static_cast<const duckdb_string_t*>(data)[i];
  return spark_hash_text({duckdb_string_t_data(&text), duckdb_string_t_length(text)}, seed);
}

template <std::int32_t (*kHash)(const void*, idx_t, std::int32_t)>
void hash_column(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  duckdb_vector values = duckdb_data_chunk_get_vector(input, 0);
  const void* data = duckdb_vector_get_data(values);
  std::uint64_t* valid = duckdb_vector_get_validity(values);
  const auto* seeds = static_cast<const std::int32_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1)));
  auto* out = static_cast<std::int32_t*>(duckdb_vector_get_data(output));
  for (idx_t i = 0; i < duckdb_data_chunk_get_size(input); ++i) {
    const bool null = valid != nullptr && !duckdb_validity_row_is_valid(valid, i);
    out[i] = null ? seeds[i] : kHash(data, i, seeds[i]);
  }
}

/// crc32, of which the engine has none; NULL stays NULL without special handling.
void crc_column(duckdb_function_info /*info*/, duckdb_data_chunk input, duckdb_vector output) {
  duckdb_vector values = duckdb_data_chunk_get_vector(input, 0);
  const auto* texts = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(values));
  std::uint64_t* valid = duckdb_vector_get_validity(values);
  auto* out = static_cast<std::int64_t*>(duckdb_vector_get_data(output));
  duckdb_vector_ensure_validity_writable(output);
  std::uint64_t* made = duckdb_vector_get_validity(output);
  for (idx_t i = 0; i < duckdb_data_chunk_get_size(input); ++i) {
    if (valid != nullptr && !duckdb_validity_row_is_valid(valid, i)) {
      duckdb_validity_set_row_invalid(made, i);
      continue;
    }
    duckdb_string_t text = texts[i];
    const auto* bytes = reinterpret_cast<const Bytef*>(duckdb_string_t_data(&text));
    out[i] = static_cast<std::int64_t>(::crc32(0, bytes, duckdb_string_t_length(text)));
  }
}

void register_crc(duckdb_connection connection) {
  duckdb_scalar_function made = duckdb_create_scalar_function();
  const LogicalType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  const LogicalType sum(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_scalar_function_set_name(made, "spark_crc32");
  duckdb_scalar_function_add_parameter(made, text.value);
  duckdb_scalar_function_set_return_type(made, sum.value);
  duckdb_scalar_function_set_function(made, crc_column);
  const duckdb_state state = duckdb_register_scalar_function(connection, made);
  duckdb_destroy_scalar_function(&made);
  if (state != DuckDBSuccess) throw DatabaseError("crc32 cannot be registered");
}

void register_hash(duckdb_connection connection, duckdb_type type, duckdb_scalar_function_t function) {
  duckdb_scalar_function made = duckdb_create_scalar_function();
  const LogicalType value(duckdb_create_logical_type(type));
  const LogicalType seed(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
  duckdb_scalar_function_set_name(made, type == DUCKDB_TYPE_VARCHAR   ? "spark_hash_text"
                                        : type == DUCKDB_TYPE_INTEGER ? "spark_hash_int"
                                                                      : "spark_hash_long");
  duckdb_scalar_function_add_parameter(made, value.value);
  duckdb_scalar_function_add_parameter(made, seed.value);
  duckdb_scalar_function_set_return_type(made, seed.value);
  duckdb_scalar_function_set_special_handling(made);  // NULL comes here
  duckdb_scalar_function_set_function(made, function);
  const duckdb_state state = duckdb_register_scalar_function(connection, made);
  duckdb_destroy_scalar_function(&made);
  if (state != DuckDBSuccess) throw DatabaseError("Spark's hash cannot be registered");
}

struct Statement {
  duckdb_prepared_statement value = nullptr;
  Statement() = default;
  ~Statement() { duckdb_destroy_prepare(&value); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void prepare(duckdb_connection connection, const std::string& sql) {
    if (duckdb_prepare(connection, sql.c_str(), &value) != DuckDBSuccess)
      throw DatabaseError(spoken_error(duckdb_prepare_error(value)));
  }
};

}  // namespace

struct SqlEngine::Handle {
  duckdb_database value = nullptr;
  ~Handle() { duckdb_close(&value); }
};

struct SqlConnection::Handle {
  duckdb_connection value = nullptr;
  ~Handle() { duckdb_disconnect(&value); }
};

SqlEngine::SqlEngine(const std::filesystem::path& folder) : handle_(std::make_unique<Handle>()) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  // What a statement gathers into lists cannot go to the disk: comparing a million people takes 2.2 GB.
  duckdb_set_config(config, "memory_limit", "4GB");
  duckdb_set_config(config, "threads", "2");
  duckdb_set_config(config, "temp_directory", (folder / "query.spill").c_str());
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  duckdb_set_config(config, "max_expression_depth", "500");
  char* error = nullptr;
  const duckdb_state state = duckdb_open_ext(nullptr, &handle_->value, config, &error);
  duckdb_destroy_config(&config);
  if (state != DuckDBSuccess) {
    const std::string text = spoken_error(error);
    duckdb_free(error);
    throw DatabaseError("the query engine: " + text);
  }
  SqlConnection connection(*this);
  connection.run("SET GLOBAL TimeZone='UTC'");
  duckdb_connection raw = nullptr;
  if (duckdb_connect(handle_->value, &raw) != DuckDBSuccess) throw DatabaseError("no session with the query engine");
  SqlConnection::Handle session{raw};
  register_crc(raw);
  register_hash(raw, DUCKDB_TYPE_VARCHAR, hash_column<hashed_text>);
  register_hash(raw, DUCKDB_TYPE_INTEGER, hash_column<hashed<std::int32_t, spark_hash_int>>);
  register_hash(raw, DUCKDB_TYPE_BIGINT, hash_column<hashed<std::int64_t, spark_hash_long>>);
}

SqlEngine::~SqlEngine() = default;

SqlConnection::SqlConnection(const SqlEngine& engine) : handle_(std::make_unique<Handle>()) {
  if (duckdb_connect(engine.handle().value, &handle_->value) != DuckDBSuccess)
    throw DatabaseError("no session with the query engine");
}

SqlConnection::~SqlConnection() = default;

std::vector<SqlColumn> SqlConnection::describe(const std::string& query) {
  Statement statement;
  statement.prepare(handle_->value, query);
  std::vector<SqlColumn> columns;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement.value); ++i) {
    const LogicalType type(duckdb_prepared_statement_column_logical_type(statement.value, i));
    const char* name = duckdb_prepared_statement_column_name(statement.value, i);
    columns.push_back({name == nullptr ? "" : name, type_of(type.value)});
    duckdb_free(const_cast<char*>(name));
  }
  return columns;
}

std::uint64_t SqlConnection::run(const std::string& sql) {
  duckdb_result result{};
  const duckdb_state state = duckdb_query(handle_->value, sql.c_str(), &result);
  const std::string error = state == DuckDBSuccess ? "" : spoken_error(duckdb_result_error(&result));
  const std::uint64_t changed = state == DuckDBSuccess ? duckdb_rows_changed(&result) : 0;
  duckdb_destroy_result(&result);
  if (state != DuckDBSuccess) throw DatabaseError(error);
  return changed;
}

struct SqlRows::Reading {
  Statement statement;
  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  idx_t row = 0;
  idx_t rows = 0;

  Reading() = default;
  ~Reading() {
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
};

std::unique_ptr<SqlRows> SqlConnection::open(const std::string& query) {
  auto reading = std::make_unique<SqlRows::Reading>();
  reading->statement.prepare(handle_->value, query);
  if (duckdb_execute_prepared_streaming(reading->statement.value, &reading->result) != DuckDBSuccess)
    throw DatabaseError(spoken_error(duckdb_result_error(&reading->result)));
  return std::make_unique<SqlRows>(std::move(reading));
}

void SqlConnection::interrupt() { duckdb_interrupt(handle_->value); }

SqlRows::SqlRows(std::unique_ptr<Reading> reading) : reading_(std::move(reading)) {}
SqlRows::~SqlRows() = default;

bool SqlRows::next_chunk() {
  duckdb_destroy_data_chunk(&reading_->chunk);
  reading_->chunk = duckdb_fetch_chunk(reading_->result);
  reading_->row = 0;
  if (reading_->chunk == nullptr) {
    const char* error = duckdb_result_error(&reading_->result);
    if (error != nullptr && *error != '\0') throw DatabaseError(error);
    return false;
  }
  reading_->rows = duckdb_data_chunk_get_size(reading_->chunk);
  return true;
}

bool SqlRows::next(std::vector<Cell>& row) {
  while (reading_->row == reading_->rows) {
    if (!next_chunk()) {
      reading_->row = reading_->rows = 0;
      return false;
    }
  }
  const idx_t columns = duckdb_data_chunk_get_column_count(reading_->chunk);
  row.assign(columns, std::nullopt);
  for (idx_t x = 0; x < columns; ++x) {
    duckdb_vector vector = duckdb_data_chunk_get_vector(reading_->chunk, x);
    std::uint64_t* valid = duckdb_vector_get_validity(vector);
    if (valid != nullptr && !duckdb_validity_row_is_valid(valid, reading_->row)) continue;
    auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    duckdb_string_t& text = texts[reading_->row];
    row[x] = std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text));
  }
  ++reading_->row;
  return true;
}

}  // namespace emulator
