#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/query/sql_failure.h"
#include "emulator/query/sql_relations.h"

namespace emulator {

/// A query in the engine's SQL.
struct SqlQuery {
  std::string sql;
  std::vector<std::string> datasets;   // read, each once
  std::optional<std::uint64_t> limit;  // of the outermost LIMIT, when one is given; LIMIT ALL is 0
};

/// One statement of the Spark dialect, understood.
struct SqlStatement {
  enum class Kind {
    Empty,
    Query,
    ShowTables,
    Show,   // `name`
    Set,    // `name`, `value`
    Begin,  // of a transaction, which there is none of
    Commit,
    Rollback,
    CreateTable,      // `name`, `options`, `query`, `if_exists` is IF NOT EXISTS
    CreateTempTable,  // `name`, `query`
    CreateView,       // `name`, `text`, `or_replace`
    CreateTempView,
    Drop,         // `name`, `view`, `if_exists`
    Insert,       // `name`, `query`
    Declare,      // `name`, `query`
    Fetch,        // `name`, `count`; nullopt is all
    Close,        // `name`; empty is all
    CreateTyped,  // `name`, `query` of no row, `identity`, `options`, `if_exists` is IF NOT EXISTS
    Identify,     // ALTER TABLE ... ADD CONSTRAINT PRIMARY IDENTITY: `name`, `identity`
    Block         // `steps`, `handler`
  };
  /// A column that names people, and the namespace of what stands in it.
  struct Identity {
    std::string column;
    std::string space;
  };
  /// One statement of a block: bytes of the whole text.
  struct Step {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  Kind kind = Kind::Empty;
  std::string name;
  std::string value;
  std::map<std::string, std::string> options;  // by lower-case name
  SqlQuery query;
  std::string text;  // of `query`, as written
  std::optional<std::uint64_t> count;
  bool if_exists = false;
  bool or_replace = false;
  bool view = false;
  bool hold = false;  // a cursor that outlives its transaction
  std::optional<Identity> identity;
  std::vector<Step> steps;
  std::optional<std::vector<Step>> handler;  // EXCEPTION WHEN OTHER THEN
  std::size_t end = 0;  // where the next statement of the text begins; the size of the text when none does
};

/// Translates the first statement of `sql`, from byte `begin` on. Pure but for what it asks `relations`.
///
/// Knows what docs/formats/query-service.md lists. Throws SqlFailure: 0A000 with the word that is not known, 42601 for
/// what is no SQL, 42P01 for an unknown table, 42703 for an unknown column or field, each with its place.
SqlStatement sql_statement(std::string_view sql, SqlRelations& relations, std::size_t begin = 0);

/// What the engine said, as the platform would put it.
SqlFailure engine_failure(const std::string& said);

}  // namespace emulator
