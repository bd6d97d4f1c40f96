#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulator/query/sql_engine.h"
#include "emulator/query/sql_translator.h"

namespace emulator {

/// An engine with a few small tables, and the dialect over it.
class SqlTables : public SqlRelations {
 public:
  SqlTables();

  std::optional<SqlRelation> find(const std::string& name, const SqlSnapshot& snapshot) override;
  std::optional<SqlRelation> history(const std::string& name) override;
  std::vector<SqlColumn> describe(const std::string& query) override { return connection.describe(query); }
  std::string now() const override { return "2026-03-04 05:06:07.000000"; }

  /// The rows of a query, cells by commas and rows by blanks; NULL is ~.
  std::string rows(const std::string& sql);
  /// The names of its columns.
  std::string columns(const std::string& sql);
  /// "SQLSTATE at OFFSET: message" of what is refused.
  std::string refused(const std::string& sql);

  SqlEngine engine{std::filesystem::temp_directory_path()};
  SqlConnection connection{engine};
  std::vector<SqlSnapshot> asked;
};

}  // namespace emulator
