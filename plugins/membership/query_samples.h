#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/bulk.h"
#include "engine/model/sample.h"
#include "engine/plugin/context.h"

namespace audiencesync {

/// Samples of a changeset, masked, and how many of each kind were asked for.
struct ShownSamples {
  std::size_t most = 0;
  std::vector<Sample> people = {};

  Value to_value() const;
  /// nullopt for a value of another shape.
  static std::optional<ShownSamples> from_value(const Value& value);
};

/// `most` people of each kind of change out of a changeset's table, masked, in the kinds of the local engine. Three
/// short queries. Errors: those of the session.
Result<std::vector<Sample>> changeset_samples(const ReadContext& context, const std::string& table,
                                              const std::vector<AudienceDelta>& audiences, std::size_t most);

}  // namespace audiencesync
