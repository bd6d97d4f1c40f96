#pragma once

#include <filesystem>
#include <string>

#include "tests/support/world.h"

namespace audiencesync::testing {

/// The proven snapshot of a world's sync; throws unless there is exactly one.
std::filesystem::path snapshot_file(const World& world);
/// Its name, which is the digest of its rows.
std::string snapshot_name(const World& world);
/// `audiencesync state rebuild` on the manifest.
ProcessResult rebuild_state(World& world, const std::vector<std::string>& more = {});
/// `audiencesync verify` on the manifest.
ProcessResult verify_rows(World& world, const std::vector<std::string>& more = {});
/// A world that has run a few times: several generations, a withdrawn audience, people who left everything.
void live_through(World& world);
/// `{"do":...}` to the emulator's batches.
void to_batches(World& world, const std::string& json);
/// Ids of the live batches of the target, oldest first.
std::vector<std::string> live_batches(World& world);

}  // namespace audiencesync::testing
