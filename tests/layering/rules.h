#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace audiencesync::layering {

/// One source file, its path relative to the root of the tree, with forward slashes.
struct SourceFile {
  std::string path;
  std::string text;
};

/// What breaks a rule, where: `engine/base/x.cpp:3: engine/base may not include engine/model`.
struct Violation {
  std::string path;
  int line = 0;
  std::string rule;

  std::string text() const;
};

/// All violations in one file, in the order of its lines. Pure.
std::vector<Violation> check(const SourceFile& file);

/// The folder whose rules a file follows ("engine/http/curl", "plugins/export"); "" when no rule knows its place.
std::string component_of(std::string_view path);

}  // namespace audiencesync::layering
