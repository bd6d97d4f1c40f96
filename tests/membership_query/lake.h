#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "emulator/query/sql_engine.h"
#include "emulator/query/sql_translator.h"

namespace audiencesync {

/// Tables that the statements are run over, in the emulator's engine and its translation of the dialect.
class Lake : public emulator::SqlRelations {
 public:
  Lake();

  /// Of the export: `email` NULL for nobody; memberships as (space, audience, status).
  struct Membership {
    std::string space, audience, status;
  };
  void profile(const char* email, const std::vector<Membership>& memberships);
  /// A record of the target; audiences as (id, name).
  void record(const std::string& person, const std::vector<std::pair<std::string, std::string>>& audiences,
              std::int64_t generation);

  /// A statement of the engine itself.
  void run(const std::string& sql) { connection_.run(sql); }
  /// Makes `changeset` out of a statement that begins with a comment and CREATE TABLE.
  void create(const std::string& sql);
  /// Rows of a query, cells by '|'; NULL is ~. What is refused begins with "refused".
  std::vector<std::string> rows(const std::string& sql);
  /// What an INSERT would write, sorted.
  std::vector<std::string> inserted(const std::string& sql);

  std::optional<emulator::SqlRelation> find(const std::string& name, const emulator::SqlSnapshot& snapshot) override;
  std::optional<emulator::SqlRelation> history(const std::string&) override { return std::nullopt; }
  std::vector<emulator::SqlColumn> describe(const std::string& query) override { return connection_.describe(query); }
  std::string now() const override { return "2026-03-04 05:06:07.000000"; }

 private:
  emulator::SqlEngine engine_{std::filesystem::temp_directory_path()};
  emulator::SqlConnection connection_{engine_};
};

}  // namespace audiencesync
