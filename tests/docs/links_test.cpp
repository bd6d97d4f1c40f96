#include <gtest/gtest.h>

#include <algorithm>

#include "tests/docs/document.h"

namespace audiencesync::docs {
namespace {

const std::filesystem::path kLinksRoot = AUDIENCESYNC_SOURCE_DIR;
constexpr std::size_t kProseWidth = 100;

// Columns, not bytes.
std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(
      line.begin(), line.end(), [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U; }));
}

TEST(LinksInDocs, EveryLinkLeadsToAFileAndAHeadingThatAreThere) {
  for (const auto& from : documents()) {
    for (const auto& link : from.links()) {
      const auto path = (from.path.parent_path() / link.file).lexically_normal();
      const auto name = link.file.empty() ? from.name : path.lexically_relative(kLinksRoot).generic_string();
      EXPECT_TRUE(link.file.empty() || std::filesystem::exists(path))
          << from.name << ":" << link.line << " links " << link.file;
      if (link.anchor.empty() || !name.ends_with(".md") || !std::filesystem::exists(kLinksRoot / name)) continue;
      EXPECT_TRUE(document(name).anchors().contains(link.anchor))
          << from.name << ":" << link.line << " links #" << link.anchor << " of " << name;
    }
  }
}

TEST(LinksInDocs, EveryFileThatIsNamedExists) {
  static const std::vector<std::string> kFolders{"scripts/", "tests/",    "docs/",   "etc/",   "engine/",
                                                 "plugins/", "emulator/", "daemon/", "cmake/", ".ci/"};
  for (const auto& document : documents()) {
    for (const auto& code : document.inline_code()) {
      const auto path = code.substr(0, code.find(' '));
      const bool ours = std::any_of(kFolders.begin(), kFolders.end(),
                                    [&](const std::string& folder) { return path.starts_with(folder); });
      if (!ours || path.find_first_of("*<{") != std::string::npos) continue;
      EXPECT_TRUE(std::filesystem::exists(kLinksRoot / path)) << document.name << " names " << path;
    }
  }
}

TEST(LinksInDocs, EveryManualIsReachedFromTheReadme) {
  const auto links = document("README.md").links();
  for (const auto& manual : manuals()) {
    if (manual.name == "README.md") continue;
    EXPECT_TRUE(std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.file == manual.name; }))
        << "README.md does not link " << manual.name;
  }
}

TEST(LinksInDocs, ProseFitsIntoAHundredColumns) {
  for (const auto& manual : manuals()) {
    for (const auto& line : manual.prose()) {
      EXPECT_LE(columns_of(line.text), kProseWidth) << manual.name << ":" << line.number;
    }
  }
}

}  // namespace
}  // namespace audiencesync::docs
