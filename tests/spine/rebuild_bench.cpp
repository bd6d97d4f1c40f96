#include "tests/spine/rebuild_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace audiencesync::testing {
namespace {

ProcessResult command_of(World& world, std::vector<std::string> words, const std::vector<std::string>& more) {
  write_file(world.manifest(), world.manifest_text());
  words.insert(words.end(), {world.manifest().string(), "--config", world.emulator().config().string()});
  words.insert(words.end(), more.begin(), more.end());
  return world.run(words);
}

}  // namespace

std::filesystem::path snapshot_file(const World& world) {
  std::filesystem::path found;
  const auto folder = world.state() / "syncs" / world.uid / "memberships";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("snapshot-")) continue;
    if (!found.empty()) throw std::runtime_error("two snapshots");
    found = entry.path();
  }
  if (found.empty()) throw std::runtime_error("no snapshot");
  return found;
}

std::string snapshot_name(const World& world) { return snapshot_file(world).filename().string(); }

ProcessResult rebuild_state(World& world, const std::vector<std::string>& more) {
  return command_of(world, {"state", "rebuild"}, more);
}

ProcessResult verify_rows(World& world, const std::vector<std::string>& more) {
  return command_of(world, {"verify"}, more);
}

void live_through(World& world) {
  const auto must = [](const ProcessResult& run) {
    if (run.code != 0) throw std::runtime_error(fmt::format("apply ended {}: {}{}", run.code, run.out, run.err));
  };
  must(world.apply());
  world.emulator().evolve(0.3, 5);
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
  world.declared.pop_back();
  must(world.apply());
  world.emulator().evolve(0.2, 6);
  world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
  must(world.apply());
}

void to_batches(World& world, const std::string& json) { world.emulator().control("POST", "/_emulator/batches", json); }

std::vector<std::string> live_batches(World& world) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const auto& [id, batch] : world.emulator().batches(world.target())) {
    const auto status = batch.text("status");
    if (status == "success" || status == "active") found.emplace_back(batch.number("created").value_or(0), id);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  for (const auto& [created, id] : found) ids.push_back(id);
  return ids;
}

}  // namespace audiencesync::testing
