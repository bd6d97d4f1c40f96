#include "daemon/accepted_manifests.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/service/manifest_texts.h"

namespace audiencesync {

std::optional<std::vector<Manifest>> accepted_manifests(const Options& options, const Settings& settings,
                                                        const Adapters& adapters, const Console& console) {
  const auto& job = adapters.daemon->job;
  const auto rules = manifest_rules(settings, adapters.environment);
  std::vector<Manifest> accepted;
  for (const auto& each : job.manifests) {
    // Warnings were told when the daemon accepted it.
    auto loaded = load_manifest_of(each.texts, each.file, rules);
    if (loaded.ok()) {
      loaded.value->commit = job.commit;
      accepted.push_back(std::move(*loaded.value));
      continue;
    }
    for (const auto& problem : loaded.problems) say_error(console, problem);
  }
  if (options.arguments.empty()) {
    if (!accepted.empty()) return accepted;
    say_error(console, Error(ErrorCode::Invalid, "the daemon has accepted no manifest; its log says why"));
    return std::nullopt;
  }
  std::vector<Manifest> wanted;
  for (const auto& word : options.arguments) {
    if (job.files.contains(word)) {
      auto loaded = load_manifest_of(job.files, word, rules);
      if (!report(loaded, console)) return std::nullopt;
      wanted.push_back(std::move(*loaded.value));
      continue;
    }
    const auto found = std::find_if(accepted.begin(), accepted.end(), [&](const Manifest& each) {
      return each.name == word || each.uid == word || each.file == word;
    });
    if (found == accepted.end()) {
      std::vector<std::string> known;
      for (const auto& each : accepted) known.push_back(each.name);
      say_error(console, Error(ErrorCode::NotFound,
                               fmt::format("the daemon has no sync '{}'; it has {}", word,
                                           known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))));
      return std::nullopt;
    }
    wanted.push_back(*found);
  }
  return wanted;
}

}  // namespace audiencesync
