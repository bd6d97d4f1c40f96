#include "tests/docs/document.h"

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

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

// GitHub's rule: lower case, blanks become hyphens, and only letters, digits, hyphens and underscores stay.
std::string slug(const std::string& heading) {
  std::string out;
  for (const char letter : heading) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || byte >= 0x80U) {
      out += static_cast<char>(std::tolower(byte));
    } else if (letter == ' ') {
      out += '-';
    } else if (letter == '-' || letter == '_') {
      out += letter;
    }
  }
  return out;
}

std::string heading_of(const std::string& line) {
  const auto level = line.find_first_not_of('#');
  if (level == 0 || level == std::string::npos || line[level] != ' ') return {};
  return line.substr(level + 1);
}

Document read_document(const std::filesystem::path& path) {
  return {path, path.lexically_relative(kSourceTree).generic_string(), testing::read_file(path)};
}

std::vector<Document> read_documents() {
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
  std::string unfenced;
  each_line(text, [&](const std::string& line, int, bool fenced) {
    // A pair of backticks never goes over an empty line or a table row.
    if (!fenced) unfenced += line + (line.empty() || line.starts_with("|") ? "\n" : " ");
  });
  std::vector<std::string> found;
  std::istringstream paragraphs(unfenced);
  for (std::string paragraph; std::getline(paragraphs, paragraph);) {
    for (std::sregex_iterator at(paragraph.begin(), paragraph.end(), kCode), end; at != end; ++at) {
      found.push_back((*at)[1]);
    }
  }
  return found;
}

std::vector<Link> Document::links() const {
  static const std::regex kLink(R"(\]\(([^)#\s]*)(?:#([^)\s]*))?\))");
  std::vector<Link> found;
  each_line(text, [&](const std::string& line, int number, bool fenced) {
    if (fenced) return;
    for (std::sregex_iterator at(line.begin(), line.end(), kLink), end; at != end; ++at) {
      Link link{(*at)[1], (*at)[2], number};
      if (link.file.find("://") == std::string::npos) found.push_back(std::move(link));
    }
  });
  return found;
}

std::set<std::string> Document::anchors() const {
  std::map<std::string, int> seen;
  std::set<std::string> found;
  each_line(text, [&](const std::string& line, int, bool fenced) {
    const auto heading = heading_of(line);
    if (fenced || heading.empty()) return;
    const auto anchor = slug(heading);
    const int before = seen[anchor]++;
    found.insert(before == 0 ? anchor : anchor + "-" + std::to_string(before));
  });
  return found;
}

std::vector<Line> Document::prose() const {
  std::vector<Line> found;
  each_line(text, [&](const std::string& line, int number, bool fenced) {
    const bool is_code = fenced || line.starts_with("    ");
    if (!is_code && !line.starts_with("|") && heading_of(line).empty()) found.push_back({line, number});
  });
  return found;
}

const std::vector<Document>& documents() {
  static const std::vector<Document> all = read_documents();
  return all;
}

std::vector<Document> manuals() {
  std::vector<Document> found;
  for (const auto& each : documents()) {
    const bool is_for_developers =
        each.name.starts_with("docs/adr/") || each.name.starts_with("docs/formats/") || each.name == "CONTRIBUTING.md";
    if (!is_for_developers) found.push_back(each);
  }
  return found;
}

const Document& document(const std::string& name) {
  for (const auto& each : documents()) {
    if (each.name == name) return each;
  }
  throw std::runtime_error(name + " is not there");
}

}  // namespace audiencesync::docs
