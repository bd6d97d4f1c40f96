#pragma once

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/service/manifest_source.h"
#include "tests/support/process.h"

namespace audiencesync::testing {

/// A good manifest of this name; `more` are lines at its end.
inline std::string manifest_text(const std::string& name, const std::string& more = "") {
  return fmt::format(
      "version: 1\nname: {}\ntenant: _demoemea\nidentity: {{ field: _demoemea.core.email, namespace: Email }}\n"
      "audiences:\n  - {{ name: Luma }}\n{}",
      name, more);
}

/// What settings with one organisation and two sandboxes allow.
inline ManifestRules usual_rules() {
  ManifestRules rules;
  rules.organizations = {{"default", {"prod", "stage"}}};
  rules.source_folders = std::vector<Path>{};
  return rules;
}

/// The names, by uid: "gold luma".
inline std::string names_of(const ManifestSet& set) {
  std::string out;
  for (const auto& each : set.manifests) out += (out.empty() ? "" : " ") + each.manifest.name;
  return out;
}

/// Every problem of every rejected file, a line each, without the folder.
inline std::string rejections_of(const ManifestSet& set, const std::filesystem::path& folder = {}) {
  std::string out;
  for (const auto& each : set.rejected) {
    for (const auto& problem : each.problems) out += problem + "\n";
  }
  const auto prefix = folder.string() + "/";
  for (auto at = out.find(prefix); !folder.empty() && at != std::string::npos; at = out.find(prefix)) {
    out.erase(at, prefix.size());
  }
  return out;
}

/// Waits until a source was told of something; false after ten seconds.
inline bool heard(const ManifestSource& source) {
  pollfd wanted{source.watch_fd(), POLLIN, 0};
  return ::poll(&wanted, 1, 10'000) == 1;
}

inline bool hears_nothing(const ManifestSource& source) {
  pollfd wanted{source.watch_fd(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 0;
}

}  // namespace audiencesync::testing
