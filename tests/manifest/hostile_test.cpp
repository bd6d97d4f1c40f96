#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/manifest/settings.h"
#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string example(const char* name) {
  const auto text = PosixFiles().read(Path(AUDIENCESYNC_SOURCE_DIR) / "etc" / name);
  return text.ok() ? *text : std::string();
}

/// What is said about a text as a manifest and as settings.
std::vector<std::string> everything_said(const std::string& text) {
  const MemoryFiles files{{"x.yaml", text}};
  const auto manifest = load_manifest(files, "x.yaml", {});
  const auto settings = load_settings(files, "x.yaml");
  auto said = texts(manifest.problems);
  for (const auto* more : {&manifest.warnings, &settings.problems, &settings.warnings}) {
    for (const auto& line : texts(*more)) said.push_back(line);
  }
  EXPECT_EQ(manifest.ok(), manifest.problems.empty());
  EXPECT_EQ(settings.ok(), settings.problems.empty());
  return said;
}

TEST(HostileTest, ASecretIsRefusedAndNeverShownWhereverItIs) {
  const std::string marker = "AbCdEfGhIjKlMnOpQrStUv";
  for (const auto* name : {"manifests/full.yaml", "manifests/minimal.yaml", "audiencesync.yaml"}) {
    const auto text = example(name);
    int planted = 0;
    for (auto colon = text.find(": "); colon != std::string::npos; colon = text.find(": ", colon + 1)) {
      const auto start = colon + 2;
      const auto end = text.find_first_of(",}\n", start);
      for (const auto* prefix : {"p8e-", "Bearer ", "eyJ"}) {
        const auto said = everything_said(text.substr(0, start) + prefix + marker + text.substr(end));
        for (const auto& line : said) EXPECT_THAT(line, Not(HasSubstr(marker)));
      }
      ++planted;
    }
    EXPECT_GT(planted, 5) << name;
  }
}

TEST(HostileTest, RandomlyDamagedFilesEndInAddressedProblems) {
  std::mt19937_64 random(7);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const std::string bytes = "\t\n :-[]{}\"'*&!|>%@`#?,$a0\\\xC3\xA4";
  int refused = 0;
  for (int round = 0; round < 1'500; ++round) {
    auto text = example(round % 2 == 0 ? "manifests/full.yaml" : "audiencesync.yaml");
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const auto at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = bytes[below(bytes.size())];
          break;
        case 1:
          text.insert(at, 1, bytes[below(bytes.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(20));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(200)));
      }
    }
    for (const auto& line : everything_said(text)) {
      EXPECT_THAT(line, testing::StartsWith("x.yaml:")) << text;
      ++refused;
    }
  }
  EXPECT_GT(refused, 1'500);
}

}  // namespace
}  // namespace audiencesync
