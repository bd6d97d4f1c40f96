#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/manifest.h"
#include "tests/manifest/memory_files.h"

namespace audiencesync {

/// The minimal manifest of the design.
inline constexpr std::string_view kMinimal = R"(version: 1
name: luma-loyalty
tenant: _demoemea
identity: { field: _demoemea.identification.core.email, namespace: Email }
schedule: "0 4 * * *"
audiences:
  - { id: 9e3779b1-1111-4222-8333-00004189374b, name: Luma - Blue+ Members }
  - name: Luma - Platinum        # looked up by exact name, then pinned by id
)";

/// kMinimal with one text replaced; the text must be in it.
inline std::string minimal_with(std::string_view text, std::string_view replacement) {
  std::string out(kMinimal);
  const auto at = out.find(text);
  if (at == std::string::npos) throw std::logic_error("not in the minimal manifest: " + std::string(text));
  return out.replace(at, text.size(), replacement);
}

/// kMinimal with lines added; the first added one is line 9.
inline std::string minimal_plus(std::string_view lines) { return std::string(kMinimal) + std::string(lines); }

inline Loaded<Manifest> load_text(const std::string& text, const ManifestRules& rules = {}) {
  const MemoryFiles files{{"m.yaml", text}};
  return load_manifest(files, "m.yaml", rules);
}

inline std::vector<std::string> texts(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const auto& error : errors) out.push_back(error.text());
  return out;
}

}  // namespace audiencesync
