#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/data/world.h"

namespace emulator {

/// One field of a profile: its dotted path and the SQL over table `profiles` that yields it.
struct ProfileField {
  std::string path;
  std::string sql;
};

/// The fields our people carry. The person id comes first, under the identity field's own path.
std::vector<ProfileField> profile_fields(const Identity& identity);

/// What an export writes: top-level columns as SQL select items, nested as the paths say.
struct Projection {
  std::string select;
  std::optional<std::string> unknown;  // the first path that no profile has
};

/// `fields` is the comma-separated list of an export job; blank means all. A path of an object selects all below it.
Projection project(const Identity& identity, const Vocabulary& vocabulary, const std::string& fields);

}  // namespace emulator
