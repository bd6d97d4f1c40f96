# Imported target duckdb::duckdb: a system copy when there is one, else the folder that
# scripts/fetch-duckdb fills. Override with -DDUCKDB_ROOT=FOLDER (lib/, include/).
set(DUCKDB_ROOT "${CMAKE_SOURCE_DIR}/.deps/duckdb-1.4.4" CACHE PATH "Folder with lib/libduckdb.so and include/duckdb.h")
find_library(DUCKDB_LIBRARY duckdb HINTS "${DUCKDB_ROOT}/lib")
find_path(DUCKDB_INCLUDE duckdb.h HINTS "${DUCKDB_ROOT}/include")
if(NOT DUCKDB_LIBRARY OR NOT DUCKDB_INCLUDE)
  message(FATAL_ERROR "DuckDB 1.4.4 not found; run scripts/fetch-duckdb, or pass -DDUCKDB_ROOT=FOLDER")
endif()
# Programs load it when they need it, from where it lies while they are not installed.
get_filename_component(duckdb_folder "${DUCKDB_LIBRARY}" DIRECTORY)
list(APPEND CMAKE_BUILD_RPATH "${duckdb_folder}")
# The sanitizers load libraries in the name of their own library, which the newer kind of search path does not serve.
if(CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_link_options(-Wl,--disable-new-dtags)
endif()
add_library(duckdb::duckdb SHARED IMPORTED)
set_target_properties(duckdb::duckdb PROPERTIES
  IMPORTED_LOCATION "${DUCKDB_LIBRARY}" IMPORTED_NO_SONAME OFF
  INTERFACE_INCLUDE_DIRECTORIES "${DUCKDB_INCLUDE}")
