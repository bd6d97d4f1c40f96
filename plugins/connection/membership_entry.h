#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/manifest/manifest.h"
#include "plugins/platform/connections.h"

namespace audiencesync {

/// The field of our records that holds the person id.
inline constexpr std::string_view kPersonIdField = "personID";

/// Something in a connection that keeps the memberships from arriving, and how a person puts it right.
struct EntryProblem {
  std::string what;                // part of a sentence about the dataset: "its import of new data is off"
  std::vector<std::string> steps;  // clicks, without opening the connection and saving it
};

/// What keeps a connection from serving this sync whatever it holds: another sandbox, deleted, counting accounts. Pure.
std::vector<EntryProblem> connection_problems(const platform::Connection& connection, const Manifest& manifest);

/// What is wrong with the way a connection holds a dataset; empty when it is as it must be. Pure.
std::vector<EntryProblem> entry_problems(const platform::Connection& connection, const std::string& dataset,
                                         const Manifest& manifest, std::optional<Time> first_written);

/// The dataset as this connection holds it, null when it does not; of several entries the first.
const platform::ConnectedDataset* entry_of(const platform::Connection& connection, const std::string& dataset);

/// "connection 'Luma web' (dg_...)".
std::string named(const platform::Connection& connection);

/// The clicks that add the dataset; `dataset` is "" while it is known after apply, `connection` null when the person
/// may choose one.
std::vector<std::string> steps_to_add(const Manifest& manifest, const std::string& dataset,
                                      const platform::Connection* connection);
/// The clicks that put problems right.
std::vector<std::string> steps_to_mend(const Manifest& manifest, const std::string& dataset,
                                       const platform::Connection& connection,
                                       const std::vector<EntryProblem>& problems);

}  // namespace audiencesync
