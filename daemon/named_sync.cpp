#include "daemon/named_sync.h"

#include <fmt/format.h>

#include "daemon/accepted_manifests.h"

namespace audiencesync {

Result<std::optional<Manifest>> manifest_named(const std::string& word, const Settings& settings,
                                               const Adapters& adapters, const Console& console) {
  const auto rules = manifest_rules(settings, adapters.environment);
  if (adapters.daemon != nullptr) {
    Options one;
    one.arguments = {word};
    auto accepted = accepted_manifests(one, settings, adapters, console);
    if (!accepted) return std::optional<Manifest>();
    return std::optional(std::move(accepted->front()));
  }
  const auto is_manifest = [](const Path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; };
  if (is_manifest(word)) {
    auto loaded = load_manifest(adapters.files, word, rules);
    if (!report(loaded, console)) return std::optional<Manifest>();
    return std::optional(std::move(*loaded.value));
  }
  std::vector<std::string> known;
  const auto names = adapters.files.list(settings.manifests_folder);
  for (const auto& name : names.ok() ? *names : std::vector<std::string>{}) {
    if (!is_manifest(name)) continue;
    auto loaded = load_manifest(adapters.files, settings.manifests_folder / name, rules);
    // What is wrong with others is of no matter here.
    if (!loaded.ok()) continue;
    if (loaded.value->name != word && loaded.value->uid != word) {
      known.push_back(loaded.value->name);
      continue;
    }
    report(loaded, console);
    return std::optional(std::move(*loaded.value));
  }
  return Error(
      ErrorCode::NotFound,
      fmt::format("no manifest in {} has the name or uid '{}'; known: {}; a manifest elsewhere is named by its "
                  "file",
                  settings.manifests_folder.string(), word,
                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

}  // namespace audiencesync
