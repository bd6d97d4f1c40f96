#include "engine/membership/duckdb/duckdb_session.h"

#include <duckdb.h>
#include <fmt/format.h>

#include "engine/membership/duckdb/duckdb_library.h"

namespace audiencesync {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char character : text) {
    if (character == quote) out += quote;
    out += character;
  }
  return out + quote;
}

// read_parquet takes patterns: a bracket expression makes its special characters plain ones.
std::string parquet_table(const Path& file, const char* function, const char* options) {
  std::string pattern;
  for (const char character : file.string()) {
    if (character == '*' || character == '?' || character == '[') {
      pattern.append("[").append(1, character).append("]");
    } else {
      pattern += character;
    }
  }
  return fmt::format("{}({}{})", function, quoted_text(pattern), options);
}

std::string rows_of(const Path& file) { return parquet_table(file, "read_parquet", ", hive_partitioning = false"); }

// Only the kind of failure: DuckDB's own words may quote what it read.
Error duckdb_error(const Path& file, duckdb_error_type type) {
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) {
    return Error(ErrorCode::Io,
                 fmt::format("{}: reading needs more memory than allowed; raise limits.memory", file.string()));
  }
  return Error(ErrorCode::Corrupt,
               fmt::format("{}: cannot be read as Parquet: it is truncated, damaged or holds text that is not UTF-8; "
                           "fetch it again, or make a new export",
                           file.string()));
}

class QueryResult {
 public:
  QueryResult() = default;
  QueryResult(const QueryResult&) = delete;
  QueryResult& operator=(const QueryResult&) = delete;
  ~QueryResult() { duckdb().destroy_result(&result_); }
  duckdb_result* get() { return &result_; }

 private:
  duckdb_result result_{};
};

class DataChunk {
 public:
  explicit DataChunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  DataChunk(const DataChunk&) = delete;
  DataChunk& operator=(const DataChunk&) = delete;
  ~DataChunk() {
    if (chunk_ != nullptr) duckdb().destroy_data_chunk(&chunk_);
  }
  duckdb_data_chunk get() const { return chunk_; }

 private:
  duckdb_data_chunk chunk_;
};

class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  ~LogicalType() { duckdb().destroy_logical_type(&type_); }
  duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

ParquetType parquet_type(std::string name, duckdb_logical_type type) {
  ParquetType out{std::move(name), ParquetType::Kind::Scalar, {}};
  switch (duckdb().get_type_id(type)) {
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
      out.kind = ParquetType::Kind::Text;
      break;
    case DUCKDB_TYPE_BOOLEAN:
      out.kind = ParquetType::Kind::Flag;
      break;
    case DUCKDB_TYPE_STRUCT:
      out.kind = ParquetType::Kind::Struct;
      for (idx_t i = 0; i < duckdb().struct_type_child_count(type); ++i) {
        char* const child_name = duckdb().struct_type_child_name(type, i);
        const LogicalType child(duckdb().struct_type_child_type(type, i));
        out.children.push_back(parquet_type(child_name, child.get()));
        duckdb().free(child_name);
      }
      break;
    case DUCKDB_TYPE_MAP: {
      out.kind = ParquetType::Kind::Map;
      const LogicalType key(duckdb().map_type_key_type(type));
      const LogicalType value(duckdb().map_type_value_type(type));
      out.children.push_back(parquet_type("", key.get()));
      out.children.push_back(parquet_type("", value.get()));
      break;
    }
    case DUCKDB_TYPE_LIST: {
      out.kind = ParquetType::Kind::List;
      const LogicalType element(duckdb().list_type_child_type(type));
      out.children.push_back(parquet_type("", element.get()));
      break;
    }
    default:
      break;
  }
  return out;
}

VectorView view_of(duckdb_vector vector, const ParquetType& type) {
  VectorView view{&type, duckdb().vector_get_data(vector), duckdb().vector_get_validity(vector), {}};
  switch (type.kind) {
    case ParquetType::Kind::Text:
    case ParquetType::Kind::Flag:
    case ParquetType::Kind::Scalar:
      break;
    case ParquetType::Kind::Struct:
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        view.children.push_back(view_of(duckdb().struct_vector_get_child(vector, i), type.children[i]));
      }
      break;
    case ParquetType::Kind::Map: {  // a list of structs of key and value
      const auto entries = duckdb().list_vector_get_child(vector);
      for (std::size_t i = 0; i < 2; ++i) {
        view.children.push_back(view_of(duckdb().struct_vector_get_child(entries, i), type.children[i]));
      }
      break;
    }
    case ParquetType::Kind::List:
      view.children.push_back(view_of(duckdb().list_vector_get_child(vector), type.children[0]));
      break;
  }
  return view;
}

}  // namespace

std::string quoted_identifier(std::string_view name) { return quoted(name, '"'); }
std::string quoted_text(std::string_view text) { return quoted(text, '\''); }

std::string_view VectorView::text(std::uint64_t row) const {
  const auto& value = static_cast<const duckdb_string_t*>(data)[row].value;
  const auto length = value.inlined.length;
  return {length <= sizeof value.inlined.inlined ? value.inlined.inlined : value.pointer.ptr, length};
}

VectorView::Range VectorView::range(std::uint64_t row) const {
  const auto& entry = static_cast<const duckdb_list_entry*>(data)[row];
  return {entry.offset, entry.offset + entry.length};
}

struct DuckdbSession::Handles {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;

  Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    if (connection != nullptr) duckdb().disconnect(&connection);
    if (database != nullptr) duckdb().close(&database);
  }
};

DuckdbSession::DuckdbSession(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
DuckdbSession::~DuckdbSession() = default;

Result<std::unique_ptr<DuckdbSession>> DuckdbSession::open(const DuckdbOptions& options) {
  TRY(DuckdbLibrary::find());
  const auto threads = std::to_string(options.threads);
  const auto folder = (options.work_folder / "duckdb").string();
  const std::pair<const char*, const char*> settings[] = {{"memory_limit", options.memory_limit.c_str()},
                                                          {"threads", threads.c_str()},
                                                          {"temp_directory", folder.c_str()},
                                                          {"preserve_insertion_order", "true"},
                                                          {"autoinstall_known_extensions", "false"},
                                                          {"autoload_known_extensions", "false"}};
  duckdb_config config = nullptr;
  duckdb().create_config(&config);
  for (const auto& [name, value] : settings) {
    if (duckdb().set_config(config, name, value) == DuckDBSuccess) continue;
    duckdb().destroy_config(&config);
    return Error(ErrorCode::Invalid, fmt::format("DuckDB does not take '{}' for {}", value, name));
  }
  auto handles = std::make_unique<Handles>();
  char* reason = nullptr;
  const auto opened = duckdb().open_ext(nullptr, &handles->database, config, &reason);
  duckdb().destroy_config(&config);
  if (opened != DuckDBSuccess) {
    Error error(ErrorCode::Internal,
                fmt::format("DuckDB cannot be started: {}", reason != nullptr ? reason : "no reason"));
    duckdb().free(reason);
    return error;
  }
  if (duckdb().connect(handles->database, &handles->connection) != DuckDBSuccess) {
    return Error(ErrorCode::Internal, "DuckDB cannot be connected to");
  }
  return std::unique_ptr<DuckdbSession>(new DuckdbSession(std::move(handles)));
}

Result<std::vector<ParquetType>> DuckdbSession::columns(const Path& file) {
  QueryResult result;
  const auto sql = fmt::format("SELECT * FROM {} LIMIT 0", rows_of(file));
  if (duckdb().query(handles_->connection, sql.c_str(), result.get()) != DuckDBSuccess) {
    return duckdb_error(file, duckdb().result_error_type(result.get()));
  }
  std::vector<ParquetType> columns;
  for (idx_t i = 0; i < duckdb().column_count(result.get()); ++i) {
    const LogicalType type(duckdb().column_logical_type(result.get(), i));
    columns.push_back(parquet_type(duckdb().column_name(result.get(), i), type.get()));
  }
  return columns;
}

Result<std::uint64_t> DuckdbSession::rows(const Path& file) {
  QueryResult result;
  const auto sql = fmt::format("SELECT num_rows::UBIGINT FROM {}", parquet_table(file, "parquet_file_metadata", ""));
  if (duckdb().query(handles_->connection, sql.c_str(), result.get()) != DuckDBSuccess) {
    return duckdb_error(file, duckdb().result_error_type(result.get()));
  }
  const DataChunk chunk(duckdb().fetch_chunk(*result.get()));
  if (chunk.get() == nullptr || duckdb().data_chunk_get_size(chunk.get()) != 1) {
    return duckdb_error(file, duckdb().result_error_type(result.get()));
  }
  return *static_cast<const std::uint64_t*>(duckdb().vector_get_data(duckdb().data_chunk_get_vector(chunk.get(), 0)));
}

Result<void> DuckdbSession::select(const Path& file, const std::vector<std::string>& expressions,
                                   const std::vector<const ParquetType*>& types, const Batch& batch) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < expressions.size(); ++i) sql.append(i == 0 ? "" : ", ").append(expressions[i]);
  sql += " FROM " + rows_of(file);

  struct Statement {
    duckdb_prepared_statement handle = nullptr;
    ~Statement() { duckdb().destroy_prepare(&handle); }
  } statement;
  if (duckdb().prepare(handles_->connection, sql.c_str(), &statement.handle) != DuckDBSuccess) {
    return duckdb_error(file, DUCKDB_ERROR_INVALID);
  }
  QueryResult result;
  if (duckdb().execute_prepared_streaming(statement.handle, result.get()) != DuckDBSuccess) {
    return duckdb_error(file, duckdb().result_error_type(result.get()));
  }
  std::vector<VectorView> views(types.size());
  while (true) {
    const DataChunk chunk(duckdb().fetch_chunk(*result.get()));
    // A failure in the middle looks like the end, except for its error.
    if (const auto type = duckdb().result_error_type(result.get()); type != DUCKDB_ERROR_INVALID) {
      return duckdb_error(file, type);
    }
    if (chunk.get() == nullptr) return {};
    const auto count = duckdb().data_chunk_get_size(chunk.get());
    if (count == 0) return {};
    for (std::size_t i = 0; i < types.size(); ++i) {
      views[i] = view_of(duckdb().data_chunk_get_vector(chunk.get(), i), *types[i]);
    }
    TRY(batch(views, count));
  }
}

bool DuckdbSession::run_with(duckdb_table_function function, const std::string& sql) {
  if (duckdb().register_table_function(handles_->connection, function) != DuckDBSuccess) return false;
  QueryResult result;
  return duckdb().query(handles_->connection, sql.c_str(), result.get()) == DuckDBSuccess;
}

Result<std::uint64_t> DuckdbSession::write(const Path& file, const std::string& statement) {
  QueryResult result;
  if (duckdb().query(handles_->connection, statement.c_str(), result.get()) == DuckDBSuccess)
    return duckdb().rows_changed(result.get());
  // Only the kind of failure, as with reading.
  switch (duckdb().result_error_type(result.get())) {
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return Error(ErrorCode::Io, fmt::format("{}: writing needs more memory than allowed; raise limits.memory, or use "
                                              "target.upload: json",
                                              file.string()));
    case DUCKDB_ERROR_IO:
      return Error(ErrorCode::Io, fmt::format("{}: cannot be written; is the disk full?", file.string()));
    default:
      return Error(ErrorCode::Invalid,
                   fmt::format("{}: what should be in it is no record of this layout", file.string()));
  }
}

}  // namespace audiencesync
