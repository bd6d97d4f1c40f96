#include "engine/membership/duckdb/parquet_writer.h"

#include <duckdb.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "engine/membership/duckdb/duckdb_library.h"
#include "engine/membership/duckdb/duckdb_session.h"

namespace audiencesync {
namespace {

/// What DuckDB calls for the rows.
struct RowFeed {
  const ParquetShape& shape;
  const std::function<Result<bool>(ParquetRow&)>& next;
  std::optional<Error> failure = {};
  bool ended = false;
};

RowFeed& feed_of(void* extra) { return *static_cast<RowFeed*>(extra); }

void describe_rows(duckdb_bind_info info) {
  const auto& feed = feed_of(duckdb().bind_get_extra_info(info));
  auto text = duckdb().create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb().bind_add_result_column(info, feed.shape.text.c_str(), text);
  if (!feed.shape.list.empty()) {
    auto list = duckdb().create_list_type(text);
    duckdb().bind_add_result_column(info, feed.shape.list.c_str(), list);
    duckdb().destroy_logical_type(&list);
  }
  duckdb().destroy_logical_type(&text);
}

// Rows are in an order, and only one thread can ask for them.
void begin_rows(duckdb_init_info info) { duckdb().init_set_max_threads(info, 1); }

Result<idx_t> fill(RowFeed& feed, duckdb_data_chunk output) {
  const auto most = duckdb().vector_size();
  const auto texts = duckdb().data_chunk_get_vector(output, 0);
  const bool lists = !feed.shape.list.empty();
  const auto list = lists ? duckdb().data_chunk_get_vector(output, 1) : nullptr;
  idx_t rows = 0;
  idx_t items = 0;
  ParquetRow row;
  while (rows < most && !feed.ended) {
    row.items.clear();
    if (!TRY(feed.next(row))) {
      feed.ended = true;
      break;
    }
    duckdb().vector_assign_string_element_len(texts, rows, row.text.data(), row.text.size());
    if (lists) {
      if (duckdb().list_vector_reserve(list, items + row.items.size()) != DuckDBSuccess) {
        return Error(ErrorCode::Io, "writing Parquet needs more memory than allowed; raise limits.memory");
      }
      // Asked for anew: reserving may have moved them.
      const auto child = duckdb().list_vector_get_child(list);
      static_cast<duckdb_list_entry*>(duckdb().vector_get_data(list))[rows] = {items, row.items.size()};
      for (const auto item : row.items) {
        duckdb().vector_assign_string_element_len(child, items++, item.data(), item.size());
      }
      duckdb().list_vector_set_size(list, items);
    }
    ++rows;
  }
  return rows;
}

void give_rows(duckdb_function_info info, duckdb_data_chunk output) {
  auto& feed = feed_of(duckdb().function_get_extra_info(info));
  auto filled = fill(feed, output);
  if (filled.ok()) {
    duckdb().data_chunk_set_size(output, *filled);
    return;
  }
  feed.failure = std::move(filled).error();
  duckdb().function_set_error(info, "the rows ended with an error");
}

Result<void> sync_file(const Path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (synced) return {};
  return Error(ErrorCode::Io, fmt::format("{}: cannot be written to the disk", file.string()));
}

}  // namespace

Result<void> write_parquet(const Path& file, const ParquetShape& shape,
                           const std::function<Result<bool>(ParquetRow&)>& next, const DuckdbOptions& options) {
  auto session = TRY(DuckdbSession::open(options));
  RowFeed feed{shape, next};
  auto function = duckdb().create_table_function();
  duckdb().table_function_set_name(function, "audiencesync_rows");
  duckdb().table_function_set_extra_info(function, &feed, nullptr);
  duckdb().table_function_set_bind(function, describe_rows);
  duckdb().table_function_set_init(function, begin_rows);
  duckdb().table_function_set_function(function, give_rows);
  const auto sql = fmt::format(
      "COPY (SELECT * FROM audiencesync_rows()) TO {} (FORMAT parquet, COMPRESSION zstd, "
      "ROW_GROUP_SIZE 61440, USE_TMP_FILE false)",
      quoted_text(file.string()));
  const bool written = session->run_with(function, sql);
  duckdb().destroy_table_function(&function);
  if (feed.failure) return std::move(*feed.failure);
  if (!written) {
    return Error(ErrorCode::Io,
                 fmt::format("{}: cannot be written as Parquet: look at free space, and whether the folder may be "
                             "written to",
                             file.string()));
  }
  return sync_file(file);
}

}  // namespace audiencesync
