#include "tests/support/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace audiencesync::testing {

World::World(Emulator::Options options, Analysts analysts)
    : emulator_(std::make_unique<Emulator>(folder_.path() / "emulator", std::move(options))) {
  if (analysts == Analysts::Absent) emulator_->hide_analytics();
  for (const auto& audience : emulator_->audiences()) declared.push_back({audience.id, audience.name});
  // Shorter than what the emulator writes: its world answers within milliseconds.
  auto text = read_file(emulator_->config());
  const auto timing = text.find("timing:");
  if (timing == std::string::npos) throw std::runtime_error("the emulator's settings have no timing");
  const auto end = text.find('\n', timing);
  text.replace(timing, end - timing,
               "timing: { poll_export: 5ms, poll_batch: 5ms, settle: 150ms, deadline_export: 5s, "
               "deadline_batch: 5s, deadline_request: 2s }");
  write_file(emulator_->config(), text);
}

std::string World::manifest_text() const {
  std::string text = fmt::format(
      "version: 1\nname: {}\nuid: {}\ntenant: {}\nidentity: {{ field: {}, namespace: Email{} }}\n", name, uid,
      emulator_->tenant(), emulator_->identity_field(), normalize.empty() ? "" : ", normalize: " + normalize);
  text += "audiences:\n";
  for (const auto& audience : declared) {
    text += "  - {";
    if (!audience.id.empty()) text += fmt::format(" id: {},", audience.id);
    if (!audience.name.empty()) text += fmt::format(" name: \"{}\",", audience.name);
    text.back() = ' ';
    text += "}\n";
  }
  return text + guard + "\n" + extra;
}

ProcessResult World::run(std::vector<std::string> words, const std::vector<std::string>& environment) {
  std::vector<std::string> command{AUDIENCESYNC_BIN_DIR "/audiencesync"};
  command.insert(command.end(), words.begin(), words.end());
  const auto output = folder_.path() / fmt::format("run-{}", ++runs_);
  std::filesystem::create_directories(output);
  return run_process(command, environment, output);
}

ProcessResult World::apply(const std::vector<std::string>& more) {
  write_file(manifest(), manifest_text());
  std::vector<std::string> words{"apply", "--auto-approve", "--config", emulator_->config().string(),
                                 manifest().string()};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

ProcessResult World::plan(const std::vector<std::string>& more) {
  write_file(manifest(), manifest_text());
  std::vector<std::string> words{"plan", "--config", emulator_->config().string(), manifest().string()};
  words.insert(words.end(), more.begin(), more.end());
  return run(words);
}

ProcessResult World::seamed(std::vector<std::string> words, const std::string& seam, const std::filesystem::path& count,
                            const std::string& before_manifest) {
  write_file(manifest(), manifest_text());
  const auto output = folder_.path() / fmt::format("run-{}", ++runs_);
  std::filesystem::create_directories(output);
  std::vector<std::string> command{AUDIENCESYNC_BIN_DIR "/audiencesync-seamed"};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), {"--config", emulator_->config().string()});
  if (!before_manifest.empty()) command.push_back(before_manifest);
  command.push_back(manifest().string());
  std::vector<std::string> environment{"AUDIENCESYNC_SEAM=" + seam};
  if (!count.empty()) environment.push_back("AUDIENCESYNC_SEAM_COUNT=" + count.string());
  return run_process(command, environment, output);
}

ProcessResult World::seamed_apply(const std::string& seam, const std::filesystem::path& count) {
  return seamed({"apply", "--auto-approve"}, seam, count);
}

ProcessResult World::seamed_rollback(std::int64_t run, const std::string& seam, const std::filesystem::path& count) {
  // The manifest comes last, where the option of its name takes it.
  return seamed({"rollback", uid, "--to", std::to_string(run), "--auto-approve", "--reason", "a story"}, seam, count,
                "--manifest");
}

ProcessResult World::seamed_forget(const std::set<std::string>& people, const std::string& seam,
                                   const std::vector<std::string>& more, const std::filesystem::path& count) {
  const auto output = folder_.path() / fmt::format("run-{}", ++runs_);
  std::filesystem::create_directories(output);
  std::string lines;
  for (const auto& person : people) lines += person + "\n";
  write_file(output / "ids", lines);
  std::vector<std::string> command{"/bin/sh",
                                   "-c",
                                   R"(ids="$1"; shift; exec "$@" < "$ids")",
                                   "forget",
                                   (output / "ids").string(),
                                   AUDIENCESYNC_BIN_DIR "/audiencesync-seamed",
                                   "forget",
                                   uid,
                                   "-",
                                   "--config",
                                   emulator_->config().string()};
  command.insert(command.end(), more.begin(), more.end());
  std::vector<std::string> environment{"AUDIENCESYNC_SEAM=" + seam};
  if (!count.empty()) environment.push_back("AUDIENCESYNC_SEAM_COUNT=" + count.string());
  return run_process(command, environment, output);
}

std::string World::target() {
  std::string found;
  for (const auto& id : emulator_->datasets_tagged("uid:" + uid)) {
    for (const auto& target : emulator_->datasets_tagged("role:target")) {
      if (id != target) continue;
      if (!found.empty()) throw std::runtime_error("two target datasets");
      found = id;
    }
  }
  if (found.empty()) throw std::runtime_error("no target dataset");
  return found;
}

std::string World::difference() {
  const auto members = members_by_audience(*emulator_, target());
  std::set<std::string> wanted;
  std::string text;
  for (const auto& audience : emulator_->audiences()) {
    const bool is_declared = std::any_of(declared.begin(), declared.end(), [&](const Declared& entry) {
      return entry.id == audience.id || (entry.id.empty() && entry.name == audience.name);
    });
    if (is_declared) wanted.insert(audience.id);
  }
  for (const auto& id : wanted) {
    const auto truth = emulator_->truth(id);
    const auto found = members.find(id);
    const auto& actual = found == members.end() ? std::set<std::string>{} : found->second;
    if (truth == actual) continue;
    std::vector<std::string> missing;
    std::vector<std::string> surplus;
    std::set_difference(truth.begin(), truth.end(), actual.begin(), actual.end(), std::back_inserter(missing));
    std::set_difference(actual.begin(), actual.end(), truth.begin(), truth.end(), std::back_inserter(surplus));
    text += fmt::format("audience {}: {} people, should be {} ({} missing, {} too many)\n", id, actual.size(),
                        truth.size(), missing.size(), surplus.size());
  }
  for (const auto& [id, people] : members) {
    if (!wanted.contains(id) && !people.empty()) text += fmt::format("audience {} is not declared\n", id);
  }
  return text;
}

std::string World::leftovers() {
  static const std::set<std::string> kEnded{"success", "active", "failed", "failure", "aborted", "inactive", "deleted"};
  std::string text;
  std::map<std::string, int> roles;
  for (const auto& dataset : emulator_->datasets_tagged("uid:" + uid)) {
    const auto about = emulator_->api("GET", "/data/foundation/catalog/dataSets/" + dataset);
    for (const auto& tag : about.find(dataset)->find("tags")->items("audiencesync")) {
      if (tag.string_if()->starts_with("role:") && ++roles[*tag.string_if()] > 1) text += *tag.string_if() + " twice\n";
    }
    std::map<std::string, int> external;
    for (const auto& [id, batch] : emulator_->batches(dataset)) {
      const auto status = batch.text("status");
      if (!kEnded.contains(status)) text += fmt::format("batch {} is {}\n", id, status);
      if (const auto mark = batch.text("externalId"); !mark.empty() && ++external[mark] > 1) {
        text += fmt::format("two batches with externalId {}\n", mark);
      }
    }
  }
  return text;
}

}  // namespace audiencesync::testing
