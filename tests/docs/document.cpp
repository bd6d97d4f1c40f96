#include "tests/docs/document.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

const std::filesystem::path kSourceTree = AUDIENCESYNC_SOURCE_DIR;

bool is_fence(std::string_view line) {
  const auto begin = line.find_first_not_of(' ');
  return begin != std::string_view::npos && line.substr(begin).starts_with("```");
}

// Calls `each(line, number, inside a fenced block)`; fences themselves are inside.
template <class Each>
void each_line(const std::string& text, Each each) {
  std::istringstream lines(text);
  bool fenced = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool fence = is_fence(line);
    each(line, ++number, fenced || fence);
    if (fence) fenced = !fenced;
  }
}

std::vector<std::string> captures(const std::string& line, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator at(line.begin(), line.end(), pattern), end; at != end; ++at) found.push_back((*at)[1]);
  return found;
}

Document read_document(const std::filesystem::path& path) {
  return {path, path.lexically_relative(kSourceTree).generic_string(), testing::read_file(path)};
}

}  // namespace

std::vector<Block> Document::blocks() const {
  std::vector<Block> found;
  bool open = false;
  std::size_t indent = 0;  // of a block within a list
  each_line(text, [&](const std::string& line, int number, bool) {
    if (!is_fence(line)) {
      if (open) found.back().text += line.substr(std::min(indent, line.size())) + "\n";
      return;
    }
    open = !open;
    if (!open) return;
    indent = line.find('`');
    std::istringstream words(line.substr(indent + 3));
    Block block;
    block.line = number;
    words >> block.language >> block.role;
    found.push_back(std::move(block));
  });
  return found;
}

std::vector<std::string> Document::inline_code() const {
  static const std::regex kCode("`([^`]+)`");
  std::vector<std::string> found;
  each_line(text, [&](const std::string& line, int, bool fenced) {
    if (fenced) return;
    for (auto& code : captures(line, kCode)) found.push_back(std::move(code));
  });
  return found;
}

std::vector<std::string> Document::linked_files() const {
  static const std::regex kLink(R"(\]\(([^)#\s]+)[^)]*\))");
  std::vector<std::string> found;
  each_line(text, [&](const std::string& line, int, bool fenced) {
    if (fenced) return;
    for (auto& target : captures(line, kLink)) {
      if (target.find("://") == std::string::npos) found.push_back(std::move(target));
    }
  });
  return found;
}

std::vector<Document> documents() {
  std::vector<Document> found;
  for (const auto& entry : std::filesystem::directory_iterator(kSourceTree)) {
    if (entry.path().extension() == ".md") found.push_back(read_document(entry.path()));
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSourceTree / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(read_document(entry.path()));
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.name < right.name; });
  return found;
}

}  // namespace audiencesync::docs
