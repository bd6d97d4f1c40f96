#include "daemon/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "daemon/accepted_manifests.h"
#include "daemon/manifest_place.h"
#include "daemon/service/manifest_texts.h"

namespace audiencesync {

void say_error(const Console& console, const Error& error) { console.err << "error: " << error.text() << "\n"; }

std::optional<Settings> settings_of(const Options& options, const Adapters& adapters, const Console& console) {
  if (adapters.daemon != nullptr) {
    // What the daemon has accepted, whatever the file says by now.
    const auto& job = adapters.daemon->job;
    auto accepted = load_settings(TextFiles(job.settings), job.config);
    if (!report(accepted, console)) return std::nullopt;
    accepted.value->state = job.state;
    return std::move(accepted.value);
  }
  auto loaded = load_settings(adapters.files, options.config);
  if (!report(loaded, console)) return std::nullopt;
  if (!options.state.empty()) loaded.value->state = std::filesystem::absolute(options.state);
  return std::move(loaded.value);
}

namespace {

// Those of the settings' folder or branch; of a branch as it is at the remote right now, if that can be reached.
std::optional<std::vector<Manifest>> manifests_there(const Settings& settings, const Adapters& adapters,
                                                     const Console& console) {
  if (settings.git) {
    if (const auto looked = look_at_branch(adapters, settings); !looked.ok()) {
      say_error(console, looked.error());
      return std::nullopt;
    }
  }
  auto set = manifests_of_settings(adapters, settings);
  if (!set.ok()) {
    say_error(console, set.error());
    return std::nullopt;
  }
  for (const auto& warning : set->warnings) console.err << "warning: " << warning << "\n";
  // A newer commit that does not count, or a remote that is gone, leaves one that does.
  const auto* const weight = settings.git ? "warning: " : "error: ";
  for (const auto& rejected : set->rejected) {
    for (const auto& problem : rejected.problems) console.err << weight << problem << "\n";
  }
  if (!set->rejected.empty() && !settings.git) return std::nullopt;
  if (set->manifests.empty()) {
    say_error(console,
              Error(ErrorCode::Invalid, fmt::format("there is no manifest in {}; name a file, or put one there",
                                                    manifest_place(settings))));
    return std::nullopt;
  }
  std::vector<Manifest> manifests;
  for (auto& each : set->manifests) manifests.push_back(std::move(each.manifest));
  // By file, as they were before there was a set.
  std::sort(manifests.begin(), manifests.end(),
            [](const Manifest& left, const Manifest& right) { return left.file < right.file; });
  return manifests;
}

}  // namespace

std::optional<std::vector<Manifest>> manifests_of(const Options& options, const Settings& settings,
                                                  const Adapters& adapters, const Console& console) {
  if (adapters.daemon != nullptr) return accepted_manifests(options, settings, adapters, console);
  std::vector<Path> paths(options.arguments.begin(), options.arguments.end());
  if (paths.empty()) return manifests_there(settings, adapters, console);
  const auto rules = manifest_rules(settings, adapters.environment);
  std::vector<Manifest> manifests;
  std::map<std::string, std::string> uids;
  bool fine = true;
  for (const auto& path : paths) {
    auto loaded = load_manifest(adapters.files, path, rules);
    fine = report(loaded, console) && fine;
    if (!loaded.ok()) continue;
    const auto [first, fresh] = uids.emplace(loaded.value->uid, loaded.value->file);
    if (!fresh) {
      say_error(console, Error(ErrorCode::Invalid, fmt::format("{} and {} both have uid '{}'; a uid keys state and "
                                                               "ownership, so give one of them another",
                                                               first->second, loaded.value->file, loaded.value->uid)));
      fine = false;
      continue;
    }
    manifests.push_back(std::move(*loaded.value));
  }
  if (!fine) return std::nullopt;
  return manifests;
}

ExitCode validate_command(const Options& options, const Adapters& adapters, const Console& console) {
  ManifestRules rules;
  // Without settings a manifest is checked by itself; with them also against what they allow.
  if (options.settings || options.config_given || adapters.files.exists(options.config)) {
    const auto settings = settings_of(options, adapters, console);
    if (!settings) return ExitCode::Invalid;
    if (options.settings) console.out << fmt::format("{}: valid\n", options.config.string());
    rules = manifest_rules(*settings, adapters.environment);
  }
  bool fine = true;
  for (const auto& argument : options.arguments) {
    const auto loaded = load_manifest(adapters.files, argument, rules);
    if (report(loaded, console)) {
      console.out << fmt::format("{}: valid, {} audiences\n", argument, loaded.value->audiences.size());
    } else {
      fine = false;
    }
  }
  return fine ? ExitCode::Converged : ExitCode::Invalid;
}

}  // namespace audiencesync
