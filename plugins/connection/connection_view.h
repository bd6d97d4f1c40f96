#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/manifest/manifest.h"
#include "engine/model/observed.h"
#include "plugins/platform/connections.h"

namespace audiencesync {

/// The one resource of the stage.
inline const ResourceKey kConnectedDataset{"connection", "dataset"};

/// What is known when the connection of a sync is judged.
struct ConnectionFacts {
  std::string dataset;                                   // "" while it is known after apply
  std::string names;                                     // dataset with the names, likewise; only with name_lookup
  std::optional<Time> first_written;                     // when the first records of ours were proven in it
  std::vector<platform::Connection> holding;             // connections that hold the dataset
  std::optional<std::vector<platform::Connection>> all;  // read only when the declared one is not among them
};

/// Connections among `list` that `declared` means: the one of that id, else all of exactly that name.
std::vector<const platform::Connection*> meant_by(const std::string& declared,
                                                  const std::vector<platform::Connection>& list);

/// What the engine sees of the connection, with the steps of whatever a person must do. Pure.
///
/// Without `analytics` in the manifest any connection that holds the dataset correctly will do.
Observed view_connection(const Manifest& manifest, const ConnectionFacts& facts);

}  // namespace audiencesync
