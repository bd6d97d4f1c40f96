#pragma once

#include <functional>
#include <string>

#include "emulator/http/router.h"
#include "emulator/query/lake_tables.h"

namespace emulator {

/// What a statement that writes is known by.
struct LakeWrite {
  std::string query;  // in the engine's SQL
  std::string id;     // of the query; becomes a tag of the batch
  bool validate = true;
};

/// Makes datasets, schemas and batches out of queries: what CREATE TABLE AS and INSERT INTO leave in the catalog.
/// Thread-safe; each call uses the given session.
class LakeWriter {
 public:
  LakeWriter(Platform& platform, Lake& lake, LakeTables& tables, const Router& router)
      : platform_(platform), lake_(lake), tables_(tables), router_(router) {}

  /// Makes an empty dataset with the schema of that title, or with an ad-hoc schema of the query's columns when the
  /// title is empty. Answers its id. Throws SqlFailure.
  std::string create(const std::string& table, const std::string& schema_title, const std::string& description,
                     const std::string& query, SqlConnection& connection);
  /// Writes the rows of a query as one batch; answers how many. When it fails there is a failed batch and an
  /// SqlFailure.
  ///
  /// Columns are matched by name, nested ones too; one that the table does not have is an error (42804). With
  /// `validate` every row must satisfy the schema, the primary identity included (22000).
  std::uint64_t append(const LakeTable& table, const LakeWrite& write, SqlConnection& connection);
  /// Makes a column the primary identity of a table that Query Service made. Throws SqlFailure: 42501 for any other,
  /// 42703 for an unknown column, 42P16 when there is one already.
  void identify(const LakeTable& table, const std::string& column, const std::string& space, SqlConnection& connection);
  /// Removes a dataset that CREATE TABLE AS made. Throws SqlFailure 42501 for any other.
  void drop(const LakeTable& table);

 private:
  std::string schema_titled(const std::string& title) const;
  std::string ad_hoc_schema(const std::string& table, const std::vector<SqlColumn>& columns);
  Response call(const std::string& method, const std::string& path, const Json& body) const;
  void check_rows(const LakeTable& table, const std::string& file, SqlConnection& connection) const;

  Platform& platform_;
  Lake& lake_;
  LakeTables& tables_;
  const Router& router_;
};

}  // namespace emulator
