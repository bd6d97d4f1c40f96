#include "daemon/service/kept_manifests.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/service/manifest_texts.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

bool is_taken(const ManifestSet& set, const Manifest& kept) {
  return std::any_of(set.manifests.begin(), set.manifests.end(), [&](const LoadedManifest& each) {
    const auto& other = each.manifest;
    const bool same_place = other.organization == kept.organization && other.sandbox == kept.sandbox;
    return other.uid == kept.uid || (same_place && other.target.dataset == kept.target.dataset);
  });
}

bool is_rejected(const ManifestSet& set, const std::string& file) {
  return std::any_of(set.rejected.begin(), set.rejected.end(),
                     [&](const RejectedManifest& each) { return each.file == file; });
}

}  // namespace

Result<std::vector<std::string>> KeptManifests::restore(ManifestSet& set, const ManifestRules& rules) const {
  std::vector<std::string> told;
  const auto text = files_.read(file_);
  if (!text.ok() && text.error().code() == ErrorCode::NotFound) return told;
  if (!text.ok()) return text.error();
  const auto value = TRY(parse_json(*text));
  for (const auto& each : value.items("manifests")) {
    const auto file = each.text("file");
    const auto* texts = each.find("texts");
    if (texts == nullptr || texts->object_if() == nullptr || !is_rejected(set, file)) continue;
    LoadedManifest kept;
    for (const auto& [path, content] : *texts->object_if()) {
      if (content.string_if() != nullptr) kept.texts[path] = *content.string_if();
    }
    // What the settings do not allow any more does not come back.
    auto manifest = load_manifest_of(kept.texts, file, rules);
    if (!manifest.ok() || is_taken(set, *manifest.value)) continue;
    kept.manifest = std::move(*manifest.value);
    told.push_back(
        fmt::format("{}: its last accepted version counts until it is mended (sync {})", file, kept.manifest.name));
    set.manifests.push_back(std::move(kept));
  }
  std::sort(set.manifests.begin(), set.manifests.end(), [](const LoadedManifest& left, const LoadedManifest& right) {
    return left.manifest.uid < right.manifest.uid;
  });
  return told;
}

Result<void> KeptManifests::keep(const std::vector<const LoadedManifest*>& manifests) {
  Value::Array list;
  for (const auto* each : manifests) {
    Value::Object texts;
    for (const auto& [path, content] : each->texts) texts.emplace(path, content);
    list.push_back(Value::Object{{"file", each->file()}, {"texts", std::move(texts)}});
  }
  auto text = to_json(Value::Object{{"version", 1}, {"manifests", std::move(list)}});
  if (text == known_) return {};
  const auto there = known_.empty() ? files_.read(file_) : Result<std::string>(std::string());
  if (!there.ok() || *there != text) {
    TRY(files_.make_folder(file_.parent_path()));
    TRY(files_.write_atomic(file_, text));
  }
  known_ = std::move(text);
  return {};
}

}  // namespace audiencesync
