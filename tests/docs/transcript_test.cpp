#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "tests/docs/document.h"
#include "tests/support/process.h"

// docs/demo.md is a recording of scripts/demo, and README.md shows a part of it. To record anew:
//   scripts/demo --transcript docs/demo.md

namespace audiencesync::docs {
namespace {

const std::filesystem::path kTranscriptRoot = AUDIENCESYNC_SOURCE_DIR;
constexpr const char* kTranscript = "docs/demo.md";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> recording(const std::string& name) {
  for (const auto& block : document(name).blocks()) {
    if (block.language == "console") return lines_of(block.text);
  }
  return {};
}

// Digests and ids of batches carry the time of an export.
std::vector<std::string> without_ids(std::vector<std::string> lines) {
  static const std::regex kId("[0-9a-f]{16,}");
  for (auto& line : lines) line = std::regex_replace(line, kId, "ID");
  return lines;
}

/// Headings of the script, with the values that it gives its variables.
std::vector<std::string> headings_of_the_demo() {
  const auto script = testing::read_file(kTranscriptRoot / "scripts/demo");
  std::map<std::string, std::string> values;
  static const std::regex kValue(R"(^([a-z_]+)=([A-Za-z0-9_.-]+)$)", std::regex::multiline);
  for (std::sregex_iterator at(script.begin(), script.end(), kValue), end; at != end; ++at) {
    values.emplace((*at)[1], (*at)[2]);
  }
  std::vector<std::string> headings;
  static const std::regex kHeading(R"rx(^ *heading "([^"]*)")rx", std::regex::multiline);
  for (std::sregex_iterator at(script.begin(), script.end(), kHeading), end; at != end; ++at) {
    std::string heading = (*at)[1];
    for (const auto& [name, value] : values) {
      for (const auto& written : {"${" + name + "}", "$" + name}) {
        for (auto found = heading.find(written); found != std::string::npos; found = heading.find(written)) {
          heading.replace(found, written.size(), value);
        }
      }
    }
    headings.push_back("-- " + heading);
  }
  return headings;
}

TEST(TranscriptInDocs, HasEveryHeadingOfTheDemoInItsOrder) {
  std::vector<std::string> shown;
  for (const auto& line : recording(kTranscript)) {
    if (line.starts_with("-- ")) shown.push_back(line);
  }
  const auto wanted = headings_of_the_demo();
  EXPECT_GE(wanted.size(), 8U);
  EXPECT_EQ(shown, wanted) << "record it anew: scripts/demo --transcript docs/demo.md";
}

TEST(TranscriptInDocs, TheReadmeShowsAPartOfIt) {
  const auto all = without_ids(recording(kTranscript));
  auto from = all.begin();
  int seen = 0;
  for (const auto& line : without_ids(recording("README.md"))) {
    if (line == "..." || line.empty()) continue;
    const auto found = std::find(from, all.end(), line);
    EXPECT_NE(found, all.end()) << "README.md shows a line that is not in " << kTranscript << " at its place:\n"
                                << line;
    if (found != all.end()) from = found + 1;
    ++seen;
  }
  EXPECT_GE(seen, 20);
}

}  // namespace
}  // namespace audiencesync::docs
