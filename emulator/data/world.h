#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "emulator/data/database.h"
#include "emulator/platform.h"

namespace emulator {

/// A key of the membership map, `segmentMembership.<space>.<audience>`.
struct MembershipKey {
  std::string space;  // "ups" for what the platform computes
  std::string audience;
};

/// What the small numbers in the rows stand for. Only grows.
struct Vocabulary {
  std::vector<MembershipKey> keys;
  std::vector<std::string> statuses;  // 0 realized, 1 existing, 2 exited, then whatever a test invented
};

/// The invented people and the audiences they are in: rows in DuckDB, made and changed set-wise.
///
/// Thread-safe; changes come one after another, readers see the state of their transaction. Everything is a function
/// of the seed and of the calls made, so equal calls make equal worlds (times of changes aside).
class World {
 public:
  /// Opens the file, or prepares an empty one. Throws DatabaseError.
  World(Platform& platform, const std::filesystem::path& file);

  /// Fills an empty world. Cost: about 5 s a million people and 40 audiences.
  void generate(std::uint64_t profiles, std::uint64_t seed, const std::vector<std::string>& audiences);

  struct Evolution {
    std::uint64_t changed = 0, appeared = 0, disappeared = 0;
  };
  /// Changes that share of the people (0 to 1, rounded, at least one): a tenth disappears and as many appear, the
  /// others enter or leave one or two of `audiences`.
  Evolution evolve(double churn, std::uint64_t seed, const std::vector<std::string>& audiences);

  /// Adds one person as a test describes it (see the control call). Throws HttpError 400.
  void add(const Json& profile);
  /// How many profiles with that person id went.
  std::uint64_t remove(const std::string& person);
  /// Deletes the profiles with that identity; the namespace's code is compared without case. How many went.
  std::uint64_t forget(const std::string& space, const std::string& id);
  /// Takes everybody out of the audience.
  void empty(const std::string& audience);
  /// Makes the key known and puts that share of the people into it.
  void enroll(const std::string& audience, double share);

  struct Sizes {
    std::uint64_t realized = 0, existing = 0, exited = 0;
  };
  std::map<std::string, Sizes> sizes();
  std::uint64_t profiles();

  Vocabulary vocabulary();
  /// SQL condition on a row: in one of these audiences with one of these statuses, where `also` holds for the
  /// membership `x`. "false" when nobody can be. Spaces are compared without case.
  static std::string member_of(const Vocabulary& vocabulary, const std::string& space,
                               const std::vector<std::string>& audiences, const std::vector<std::string>& statuses,
                               const std::string& also = "");

  const Database& database() const { return database_; }

 private:
  unsigned key_of(Connection& connection, const std::string& space, const std::string& audience);
  unsigned status_of(Connection& connection, const std::string& status);
  std::string invented(std::uint64_t first, std::uint64_t count, std::uint64_t seed, const std::string& time,
                       const std::vector<unsigned>& keys) const;

  Platform& platform_;
  Database database_;
  std::mutex writing_;  // one change at a time
  std::mutex vocabulary_mutex_;
  Vocabulary vocabulary_;
};

}  // namespace emulator
