#include "tests/membership_query/lake.h"

#include <fmt/format.h>

#include <algorithm>

#include "emulator/data/database.h"
#include "emulator/query/sql_tokens.h"

namespace audiencesync {
namespace {

constexpr const char* kMemberships = "MAP(VARCHAR, MAP(VARCHAR, STRUCT(status VARCHAR)))";
constexpr const char* kList = "STRUCT(audienceMembershipId VARCHAR, audienceMembershipName VARCHAR)[]";

}  // namespace

Lake::Lake() {
  connection_.run(fmt::format("CREATE TABLE profiles (_acme STRUCT(core STRUCT(email VARCHAR)), segmentMembership {})",
                              kMemberships));
  connection_.run(
      fmt::format("CREATE TABLE records (_id VARCHAR, personID VARCHAR, _acme STRUCT(audienceMembership {}, "
                  "audienceMembershipCount BIGINT, audienceSyncGeneration BIGINT))",
                  kList));
}

void Lake::profile(const char* email, const std::vector<Membership>& memberships) {
  std::map<std::string, std::string> spaces;
  for (const auto& one : memberships) {
    auto& entries = spaces[one.space];
    entries += fmt::format("{}{}: {{'status': {}}}", entries.empty() ? "" : ", ", emulator::sql_text(one.audience),
                           emulator::sql_text(one.status));
  }
  std::string map;
  for (const auto& [space, entries] : spaces)
    map += fmt::format("{}{}: MAP {{{}}}", map.empty() ? "" : ", ", emulator::sql_text(space), entries);
  connection_.run(fmt::format("INSERT INTO profiles VALUES ({{'core': {{'email': {}}}}}, MAP {{{}}})",
                              email == nullptr ? "NULL" : emulator::sql_text(email), map));
}

void Lake::record(const std::string& person, const std::vector<std::pair<std::string, std::string>>& audiences,
                  std::int64_t generation) {
  std::string list;
  for (const auto& [id, name] : audiences) {
    list += fmt::format("{}{{'audienceMembershipId': {}, 'audienceMembershipName': {}}}", list.empty() ? "" : ", ",
                        emulator::sql_text(id), emulator::sql_text(name));
  }
  connection_.run(fmt::format(
      "INSERT INTO records VALUES ('x', {}, {{'audienceMembership': [{}]::{}, 'audienceMembershipCount': {}, "
      "'audienceSyncGeneration': {}}})",
      emulator::sql_text(person), list, kList, audiences.size(), generation));
}

void Lake::create(const std::string& sql) {
  const auto statement = emulator::sql_statement(sql, *this);
  connection_.run(fmt::format("CREATE OR REPLACE TABLE {} AS {}", statement.name, statement.query.sql));
}

std::vector<std::string> Lake::rows(const std::string& sql) {
  std::vector<std::string> out;
  try {
    const auto statement = emulator::sql_statement(sql, *this);
    const auto columns = connection_.describe(statement.query.sql);
    std::string select;
    std::string names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      select += (i == 0 ? "" : ", ") + emulator::wire_text(fmt::format("c{}", i), columns[i].type);
      names += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
    }
    const auto reading =
        connection_.open(fmt::format("SELECT {} FROM ({}) AS r({})", select, statement.query.sql, names));
    for (std::vector<emulator::Cell> row; reading->next(row);) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "|") + row[i].value_or("~");
      out.push_back(line);
    }
  } catch (const emulator::SqlFailure& failure) {
    out = {"refused " + failure.state + ": " + failure.what()};
  } catch (const emulator::DatabaseError& error) {
    out = {std::string("refused by the engine: ") + error.what()};
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Lake::inserted(const std::string& sql) {
  const auto statement = emulator::sql_statement(sql, *this);
  return rows(statement.query.sql.empty() ? "" : statement.text);
}

std::optional<emulator::SqlRelation> Lake::find(const std::string& name, const emulator::SqlSnapshot&) {
  if (name != "profiles" && name != "records" && name != "changeset") return std::nullopt;
  return emulator::SqlRelation{name, connection_.describe("SELECT * FROM " + name), {name}};
}

}  // namespace audiencesync
