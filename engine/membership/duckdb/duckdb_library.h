#pragma once

#include <duckdb.h>

#include "engine/base/result.h"

namespace audiencesync {

/// The functions of the DuckDB library that the adapters call, looked up when the first of them needs it. The library
/// is large: a process that never calls it, like the daemon between its runs, does not pay for it.
class DuckdbLibrary {
  /// An address that becomes the function it is assigned to.
  class Symbol {
   public:
    explicit Symbol(void* address) : address_(address) {}
    template <typename Function>
    operator Function() const {  // NOLINT(google-explicit-constructor): that is what it is for
      return reinterpret_cast<Function>(address_);
    }

   private:
    void* address_;
  };

  void* handle_;
  const char* missing_ = nullptr;  // a function that the library has not

  Symbol symbol(const char* name);
  explicit DuckdbLibrary(void* handle) : handle_(handle) {}
  static Result<const DuckdbLibrary*> load();

 public:
  decltype(&::duckdb_bind_add_result_column) bind_add_result_column = symbol("duckdb_bind_add_result_column");
  decltype(&::duckdb_bind_get_extra_info) bind_get_extra_info = symbol("duckdb_bind_get_extra_info");
  decltype(&::duckdb_close) close = symbol("duckdb_close");
  decltype(&::duckdb_column_count) column_count = symbol("duckdb_column_count");
  decltype(&::duckdb_column_logical_type) column_logical_type = symbol("duckdb_column_logical_type");
  decltype(&::duckdb_column_name) column_name = symbol("duckdb_column_name");
  decltype(&::duckdb_connect) connect = symbol("duckdb_connect");
  decltype(&::duckdb_create_config) create_config = symbol("duckdb_create_config");
  decltype(&::duckdb_create_list_type) create_list_type = symbol("duckdb_create_list_type");
  decltype(&::duckdb_create_logical_type) create_logical_type = symbol("duckdb_create_logical_type");
  decltype(&::duckdb_create_table_function) create_table_function = symbol("duckdb_create_table_function");
  decltype(&::duckdb_data_chunk_get_size) data_chunk_get_size = symbol("duckdb_data_chunk_get_size");
  decltype(&::duckdb_data_chunk_get_vector) data_chunk_get_vector = symbol("duckdb_data_chunk_get_vector");
  decltype(&::duckdb_data_chunk_set_size) data_chunk_set_size = symbol("duckdb_data_chunk_set_size");
  decltype(&::duckdb_destroy_config) destroy_config = symbol("duckdb_destroy_config");
  decltype(&::duckdb_destroy_data_chunk) destroy_data_chunk = symbol("duckdb_destroy_data_chunk");
  decltype(&::duckdb_destroy_logical_type) destroy_logical_type = symbol("duckdb_destroy_logical_type");
  decltype(&::duckdb_destroy_prepare) destroy_prepare = symbol("duckdb_destroy_prepare");
  decltype(&::duckdb_destroy_result) destroy_result = symbol("duckdb_destroy_result");
  decltype(&::duckdb_destroy_table_function) destroy_table_function = symbol("duckdb_destroy_table_function");
  decltype(&::duckdb_disconnect) disconnect = symbol("duckdb_disconnect");
  decltype(&::duckdb_execute_prepared_streaming) execute_prepared_streaming =
      symbol("duckdb_execute_prepared_streaming");
  decltype(&::duckdb_fetch_chunk) fetch_chunk = symbol("duckdb_fetch_chunk");
  decltype(&::duckdb_free) free = symbol("duckdb_free");
  decltype(&::duckdb_function_get_extra_info) function_get_extra_info = symbol("duckdb_function_get_extra_info");
  decltype(&::duckdb_function_set_error) function_set_error = symbol("duckdb_function_set_error");
  decltype(&::duckdb_get_type_id) get_type_id = symbol("duckdb_get_type_id");
  decltype(&::duckdb_init_set_max_threads) init_set_max_threads = symbol("duckdb_init_set_max_threads");
  decltype(&::duckdb_list_type_child_type) list_type_child_type = symbol("duckdb_list_type_child_type");
  decltype(&::duckdb_list_vector_get_child) list_vector_get_child = symbol("duckdb_list_vector_get_child");
  decltype(&::duckdb_list_vector_reserve) list_vector_reserve = symbol("duckdb_list_vector_reserve");
  decltype(&::duckdb_list_vector_set_size) list_vector_set_size = symbol("duckdb_list_vector_set_size");
  decltype(&::duckdb_map_type_key_type) map_type_key_type = symbol("duckdb_map_type_key_type");
  decltype(&::duckdb_map_type_value_type) map_type_value_type = symbol("duckdb_map_type_value_type");
  decltype(&::duckdb_open_ext) open_ext = symbol("duckdb_open_ext");
  decltype(&::duckdb_prepare) prepare = symbol("duckdb_prepare");
  decltype(&::duckdb_query) query = symbol("duckdb_query");
  decltype(&::duckdb_register_table_function) register_table_function = symbol("duckdb_register_table_function");
  decltype(&::duckdb_result_error_type) result_error_type = symbol("duckdb_result_error_type");
  decltype(&::duckdb_rows_changed) rows_changed = symbol("duckdb_rows_changed");
  decltype(&::duckdb_set_config) set_config = symbol("duckdb_set_config");
  decltype(&::duckdb_struct_type_child_count) struct_type_child_count = symbol("duckdb_struct_type_child_count");
  decltype(&::duckdb_struct_type_child_name) struct_type_child_name = symbol("duckdb_struct_type_child_name");
  decltype(&::duckdb_struct_type_child_type) struct_type_child_type = symbol("duckdb_struct_type_child_type");
  decltype(&::duckdb_struct_vector_get_child) struct_vector_get_child = symbol("duckdb_struct_vector_get_child");
  decltype(&::duckdb_table_function_set_bind) table_function_set_bind = symbol("duckdb_table_function_set_bind");
  decltype(&::duckdb_table_function_set_extra_info) table_function_set_extra_info =
      symbol("duckdb_table_function_set_extra_info");
  decltype(&::duckdb_table_function_set_function) table_function_set_function =
      symbol("duckdb_table_function_set_function");
  decltype(&::duckdb_table_function_set_init) table_function_set_init = symbol("duckdb_table_function_set_init");
  decltype(&::duckdb_table_function_set_name) table_function_set_name = symbol("duckdb_table_function_set_name");
  decltype(&::duckdb_vector_assign_string_element_len) vector_assign_string_element_len =
      symbol("duckdb_vector_assign_string_element_len");
  decltype(&::duckdb_vector_get_data) vector_get_data = symbol("duckdb_vector_get_data");
  decltype(&::duckdb_vector_get_validity) vector_get_validity = symbol("duckdb_vector_get_validity");
  decltype(&::duckdb_vector_size) vector_size = symbol("duckdb_vector_size");

  DuckdbLibrary(const DuckdbLibrary&) = delete;
  DuckdbLibrary& operator=(const DuckdbLibrary&) = delete;

  /// Loads the library when it is not loaded yet; it stays until the process ends. Errors: Unsupported when there is
  /// none or another version of it, naming what to install. Threads: any.
  static Result<const DuckdbLibrary*> find();
};

/// After DuckdbLibrary::find() succeeded: the same library, without a question.
const DuckdbLibrary& duckdb();

}  // namespace audiencesync
