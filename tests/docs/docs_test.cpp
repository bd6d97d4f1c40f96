#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <set>
#include <sstream>

#include "engine/model/outcome.h"
#include "tests/docs/document.h"
#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

using audiencesync::testing::read_file;
using audiencesync::testing::run_process;
using audiencesync::testing::TemporaryFolder;
using audiencesync::testing::write_file;

const std::filesystem::path kRoot = AUDIENCESYNC_SOURCE_DIR;
const std::string kProgram = AUDIENCESYNC_BIN_DIR "/audiencesync";

/// Runs the program on its own, as a reader of the documents would.
testing::ProcessResult run(const TemporaryFolder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), kProgram);
  return run_process(words, {}, folder.path());
}

constexpr const char* kManifest =
    "version: 1\nname: a\ntenant: _t\nidentity: { field: _t.email, namespace: Email }\naudiences: [{ name: A }]\n";
constexpr const char* kPlace = R"(version: 1
name: a
tenant: _demoemea
identity: { field: _demoemea.email, namespace: Email }
audiences: [{ name: A }]
)";

/// A part in a manifest that is complete without it; a key of the part takes the place of the same one.
std::string in_place(const std::string& part) {
  std::string manifest = part;
  std::istringstream lines(kPlace);
  for (std::string line; std::getline(lines, line);) {
    const auto key = line.substr(0, line.find(':') + 1);
    if (("\n" + part).find("\n" + key) == std::string::npos) manifest += line + "\n";
  }
  return manifest;
}

TEST(DocsTest, EveryManifestThatIsShownIsValid) {
  int seen = 0;
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      if (block.language != "yaml" || (block.role != "manifest" && block.role != "part")) continue;
      const TemporaryFolder folder;
      write_file(folder.path() / "shown.yaml", block.role == "part" ? in_place(block.text) : block.text);
      const auto result = run(folder, {"validate", (folder.path() / "shown.yaml").string()});
      EXPECT_EQ(result.code, 0) << document.name << ":" << block.line << "\n" << result.err;
      ++seen;
    }
  }
  EXPECT_GE(seen, 4);
}

TEST(DocsTest, AllSettingsThatAreShownAreValid) {
  int seen = 0;
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      if (block.language != "yaml" || block.role != "settings") continue;
      const TemporaryFolder folder;
      write_file(folder.path() / "shown.yaml", block.text);
      write_file(folder.path() / "manifest.yaml", kManifest);
      const auto result = run(folder, {"validate", "--config", (folder.path() / "shown.yaml").string(),
                                       (folder.path() / "manifest.yaml").string()});
      EXPECT_EQ(result.code, 0) << document.name << ":" << block.line << "\n" << result.err;
      ++seen;
    }
  }
  EXPECT_GE(seen, 2);
}

TEST(DocsTest, EveryBlockSaysHowItIsChecked) {
  static const std::set<std::string> kYaml{"manifest", "settings", "part"};
  // Of the others: sh and ini by their commands, console by the recording, cpp and json are read by people.
  static const std::set<std::string> kOthers{"sh", "ini", "console", "cpp", "json", ""};
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      const bool known = block.language == "yaml" ? kYaml.contains(block.role) : kOthers.contains(block.language);
      EXPECT_TRUE(known) << document.name << ":" << block.line
                         << ": write ```yaml manifest, settings or part, or ```sh, ini, console, cpp, json";
    }
  }
}

TEST(DocsTest, TheReadmeListsEveryExitCode) {
  const auto& text = document("README.md").text;
  const auto begin = text.find("## Exit codes");
  std::set<int> listed;
  std::istringstream lines(text.substr(begin, text.find("\n## ", begin + 1) - begin));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| ") && std::isdigit(static_cast<unsigned char>(line[2])) != 0) {
      listed.insert(std::stoi(line.substr(2)));
    }
  }
  std::set<int> known;
  for (const auto code : {ExitCode::Converged, ExitCode::Failed, ExitCode::ChangesPending, ExitCode::Waits,
                          ExitCode::Refused, ExitCode::NotFinished, ExitCode::Locked, ExitCode::Access, ExitCode::Usage,
                          ExitCode::Invalid, ExitCode::Interrupted, ExitCode::Terminated}) {
    known.insert(static_cast<int>(code));
  }
  EXPECT_EQ(listed, known);
}

struct Reference {
  const char* name;
  const char* file;
  std::string (*made)();
};

class ReferenceTest : public ::testing::TestWithParam<Reference> {};

// With AUDIENCESYNC_WRITE_DOCS set the file is mended instead.
TEST_P(ReferenceTest, IsWhatTheProgramReads) {
  const std::string begin = "<!-- reference: made by docs_test -->\n";
  const std::string end = "<!-- end of reference -->";
  const auto path = kRoot / GetParam().file;
  auto text = read_file(path);
  const auto from = text.find(begin);
  const auto to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const auto at = from + begin.size();
  const auto shown = text.substr(at, to - at);
  const auto made = GetParam().made();
  if (std::getenv("AUDIENCESYNC_WRITE_DOCS") != nullptr && shown != made) {
    write_file(path, text.replace(at, to - at, made));
    return;
  }
  EXPECT_EQ(shown, made) << "run: AUDIENCESYNC_WRITE_DOCS=1 docs_test";
}

INSTANTIATE_TEST_SUITE_P(Docs, ReferenceTest,
                         ::testing::Values(Reference{"manifest", "docs/manifest.md", manifest_reference},
                                           Reference{"settings", "docs/settings.md", settings_reference},
                                           Reference{"commands", "docs/commands.md", commands_reference},
                                           Reference{"later", "README.md", later_reference}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace audiencesync::docs
