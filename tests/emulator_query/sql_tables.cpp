#include "sql_tables.h"

namespace emulator {

SqlTables::SqlTables() {
  // Three people: one realized in one audience and exited from another, one without a map, one with an empty one.
  connection.run(
      "CREATE TABLE people AS SELECT * FROM (VALUES "
      "({'core': {'email': 'ann@x.com'}}, map {'ups': map {'a-1': {'status': 'realized', 'since': 1}, "
      "'a-2': {'status': 'exited', 'since': 2}}}, ['x', 'y'], 3), "
      "({'core': {'email': 'Bob@x.com '}}, NULL, [], 4), "
      "({'core': {'email': NULL}}, map {'ups': map {'a-1': {'status': 'realized', 'since': 5}}}, NULL, NULL)) "
      "AS t(_acme, segmentMembership, tags, score)");
  connection.run("CREATE TABLE names AS SELECT * FROM (VALUES ('a-1', 'Gold'), ('a-2', 'Silver')) AS t(id, name)");
}

std::optional<SqlRelation> SqlTables::find(const std::string& name, const SqlSnapshot& snapshot) {
  if (name != "people" && name != "names") return std::nullopt;
  asked.push_back(snapshot);
  return SqlRelation{name, connection.describe("SELECT * FROM " + name), {"dataset of " + name}};
}

std::optional<SqlRelation> SqlTables::history(const std::string& name) {
  if (name != "people") return std::nullopt;
  return SqlRelation{"(SELECT 1 AS snapshot_generation, true AS is_current)", {}, {}};
}

std::string SqlTables::rows(const std::string& sql) {
  try {
    const SqlStatement statement = sql_statement(sql, *this);
    const auto columns_of = connection.describe(statement.query.sql);
    std::string select;
    std::string names;
    for (std::size_t i = 0; i < columns_of.size(); ++i) {
      const std::string column = "c" + std::to_string(i);
      select += (i == 0 ? "" : ", ") + wire_text(column, columns_of[i].type);
      names += (i == 0 ? "" : ", ") + column;
    }
    const auto reading =
        connection.open("SELECT " + select + " FROM (" + statement.query.sql + ") AS r(" + names + ")");
    std::string out;
    std::vector<Cell> row;
    while (reading->next(row)) {
      out += out.empty() ? "" : " ";
      for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + row[i].value_or("~");
    }
    return out;
  } catch (const SqlFailure& failure) {
    return failure.state + ": " + failure.what();
  } catch (const DatabaseError& error) {
    return std::string("engine: ") + error.what();
  }
}

std::string SqlTables::columns(const std::string& sql) {
  std::string out;
  for (const SqlColumn& one : connection.describe(sql_statement(sql, *this).query.sql))
    out += (out.empty() ? "" : ",") + one.name;
  return out;
}

std::string SqlTables::refused(const std::string& sql) {
  try {
    sql_statement(sql, *this);
    return "nothing";
  } catch (const SqlFailure& failure) {
    return failure.state + (failure.offset ? " at " + std::to_string(*failure.offset) : "") + ": " + failure.what();
  }
}

}  // namespace emulator
