#include "daemon/service/manifest_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "engine/manifest/yaml_document.h"

namespace audiencesync {
namespace {

std::vector<std::string> lines_of(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  std::transform(errors.begin(), errors.end(), std::back_inserter(out), [](const Error& each) { return each.text(); });
  return out;
}

// Where a value is written, for a message that names two files: the first of the keys that the file itself has.
std::string place_in(const LoadedManifest& manifest,
                     std::initializer_list<std::initializer_list<std::string_view>> keys) {
  Problems ignored;
  const auto text = manifest.texts.find(manifest.file());
  if (text == manifest.texts.end()) return manifest.file();
  const auto tree = parse_yaml(text->second, manifest.file(), ignored);
  if (!tree) return manifest.file();
  for (const auto& path : keys) {
    if (const auto* node = tree->find_path(path)) return node->place.text();
  }
  return manifest.file();
}

bool is_only_a_part(const std::string& path, const ManifestTexts& texts) {
  Problems ignored;
  const auto tree = parse_yaml(texts.at(path), path, ignored);
  return tree && tree->find("name") == nullptr;
}

/// Manifests that want the same thing.
class Rivals {
 public:
  explicit Rivals(const ManifestOwners& owners) : owners_(owners) {}

  void see(std::string thing, LoadedManifest& manifest) { wanted_[std::move(thing)].push_back(&manifest); }

  /// `keys`: where the thing is written. `advice`: the way out.
  void reject(std::initializer_list<std::initializer_list<std::string_view>> keys, std::string_view advice,
              std::map<std::string, RejectedManifest>& rejected) const {
    for (const auto& [thing, manifests] : wanted_) {
      if (manifests.size() < 2) continue;
      for (const auto* loser : manifests) {
        if (owns(*loser) &&
            std::count_if(manifests.begin(), manifests.end(), [&](auto* each) { return owns(*each); }) == 1)
          continue;
        const auto* other = *std::find_if(manifests.begin(), manifests.end(), [&](auto* each) {
          return each != loser && (owns(*each) || !owned(manifests, loser));
        });
        auto& entry = rejected[loser->file()];
        entry.file = loser->file();
        entry.problems.push_back(
            fmt::format("{}: {} is that of {} too; {}", place_in(*loser, keys), thing, place_in(*other, keys), advice));
      }
    }
  }

 private:
  bool owns(const LoadedManifest& manifest) const {
    const auto owner = owners_.find(manifest.manifest.uid);
    return owner != owners_.end() && owner->second == manifest.file();
  }
  bool owned(const std::vector<LoadedManifest*>& manifests, const LoadedManifest* but) const {
    return std::any_of(manifests.begin(), manifests.end(), [&](auto* each) { return each != but && owns(*each); });
  }

  const ManifestOwners& owners_;
  std::map<std::string, std::vector<LoadedManifest*>> wanted_;
};

void reject_rivals(std::vector<LoadedManifest>& manifests, const ManifestOwners& owners,
                   std::map<std::string, RejectedManifest>& rejected) {
  Rivals uids(owners);
  Rivals names(owners);
  Rivals ids(owners);
  std::set<std::string> twice;
  std::set<std::string> seen;
  for (const auto& each : manifests) {
    if (!seen.insert(each.manifest.uid).second) twice.insert(each.manifest.uid);
  }
  for (auto& each : manifests) {
    const auto& manifest = each.manifest;
    const auto where = fmt::format("in sandbox '{}' of organization '{}'", manifest.sandbox, manifest.organization);
    uids.see(fmt::format("uid '{}'", manifest.uid), each);
    // Two with one uid have said enough.
    if (twice.contains(manifest.uid)) continue;
    if (manifest.target.dataset_id) {
      ids.see(fmt::format("target dataset {} {}", *manifest.target.dataset_id, where), each);
    } else {
      names.see(fmt::format("target dataset '{}' {}", manifest.target.dataset, where), each);
    }
  }
  uids.reject({{"uid"}, {"name"}}, "a uid keys state and ownership, so give one of them another", rejected);
  const auto* const advice = "two syncs would overwrite each other in it, so give one of them another target.dataset";
  ids.reject({{"target", "dataset_id"}, {"target"}, {"name"}}, advice, rejected);
  names.reject({{"target", "dataset"}, {"target"}, {"name"}}, advice, rejected);
  std::erase_if(manifests, [&](const LoadedManifest& each) { return rejected.contains(each.file()); });
}

}  // namespace

ManifestSet judge_manifests(const ManifestTexts& texts, const ManifestRules& rules, const ManifestOwners& owners) {
  ManifestSet set;
  std::map<std::string, RejectedManifest> rejected;
  std::set<std::string> extended;
  for (const auto& [path, text] : texts) {
    LoadedManifest manifest;
    auto loaded = load_manifest_of(texts, path, rules, manifest.texts);
    for (auto& warning : lines_of(loaded.warnings)) set.warnings.push_back(std::move(warning));
    for (const auto& [read, content] : manifest.texts) {
      if (read != path) extended.insert(read);
    }
    if (!loaded.ok()) {
      rejected[path] = {path, lines_of(loaded.problems)};
      continue;
    }
    manifest.manifest = std::move(*loaded.value);
    set.manifests.push_back(std::move(manifest));
  }
  for (const auto& path : extended) {
    if (rejected.contains(path) && is_only_a_part(path, texts)) rejected.erase(path);
  }
  reject_rivals(set.manifests, owners, rejected);
  for (auto& [path, each] : rejected) set.rejected.push_back(std::move(each));
  std::sort(set.manifests.begin(), set.manifests.end(), [](const LoadedManifest& left, const LoadedManifest& right) {
    return left.manifest.uid < right.manifest.uid;
  });
  // A part that several extend warns once for each of them.
  std::sort(set.warnings.begin(), set.warnings.end());
  set.warnings.erase(std::unique(set.warnings.begin(), set.warnings.end()), set.warnings.end());
  return set;
}

}  // namespace audiencesync
