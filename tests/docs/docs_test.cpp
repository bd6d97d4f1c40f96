#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
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

const Document& readme() {
  static const std::vector<Document> all = documents();
  for (const auto& document : all) {
    if (document.name == "README.md") return document;
  }
  throw std::runtime_error("README.md is not there");
}

/// Runs the program on its own, as a reader of the documents would.
testing::ProcessResult run(const TemporaryFolder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), kProgram);
  return run_process(words, {}, folder.path());
}

constexpr const char* kManifest =
    "version: 1\nname: a\ntenant: _t\nidentity: { field: _t.email, namespace: Email }\naudiences: [{ name: A }]\n";

TEST(DocsTest, EveryManifestThatIsShownIsValid) {
  int seen = 0;
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      if (block.language != "yaml" || block.role != "manifest") continue;
      const TemporaryFolder folder;
      write_file(folder.path() / "shown.yaml", block.text);
      const auto result = run(folder, {"validate", (folder.path() / "shown.yaml").string()});
      EXPECT_EQ(result.code, 0) << document.name << ":" << block.line << "\n" << result.err;
      ++seen;
    }
  }
  EXPECT_GE(seen, 2);
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
  EXPECT_GE(seen, 1);
}

TEST(DocsTest, YamlIsEitherExecutedOrMarkedAsAPart) {
  static const std::set<std::string> kRoles{"manifest", "settings", "part"};
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      if (block.language != "yaml") continue;
      EXPECT_TRUE(kRoles.contains(block.role))
          << document.name << ":" << block.line << ": write ```yaml manifest, settings or part";
    }
  }
}

/// The command of `audiencesync COMMAND ...`, "" when the text is something else.
std::string command_in(const std::string& text) {
  std::istringstream words(text);
  std::string program;
  std::string command;
  words >> program >> command;
  if (program == "$") {
    program = command;
    command.clear();
    words >> command;
  }
  if (program != "audiencesync" || command.starts_with("-")) return {};
  const bool plain = command.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos;
  return plain ? command : std::string{};
}

TEST(DocsTest, EveryCommandThatIsShownExists) {
  std::map<std::string, std::string> commands;  // to where it stands
  for (const auto& document : documents()) {
    // Decisions may speak of what is still to come, formats of words within files.
    if (document.name.starts_with("docs/adr/") || document.name.starts_with("docs/formats/")) continue;
    for (const auto& code : document.inline_code()) {
      if (const auto command = command_in(code); !command.empty()) commands.emplace(command, document.name);
    }
    for (const auto& block : document.blocks()) {
      std::istringstream lines(block.text);
      for (std::string line; std::getline(lines, line);) {
        if (const auto command = command_in(line); !command.empty()) commands.emplace(command, document.name);
      }
    }
  }
  EXPECT_TRUE(commands.contains("apply"));
  const TemporaryFolder folder;
  for (const auto& [command, where] : commands) {
    EXPECT_EQ(run(folder, {command, "--help"}).code, 0) << where << " shows: audiencesync " << command;
  }
}

TEST(DocsTest, EveryFileThatIsNamedExists) {
  static const std::vector<std::string> kFolders{"scripts/", "tests/",    "docs/",   "etc/",   "engine/",
                                                 "plugins/", "emulator/", "daemon/", "cmake/", ".ci/"};
  for (const auto& document : documents()) {
    for (const auto& link : document.linked_files()) {
      EXPECT_TRUE(std::filesystem::exists(document.path.parent_path() / link)) << document.name << " links " << link;
    }
    for (const auto& code : document.inline_code()) {
      const auto path = code.substr(0, code.find(' '));
      const bool ours = std::any_of(kFolders.begin(), kFolders.end(),
                                    [&](const std::string& folder) { return path.starts_with(folder); });
      if (!ours || path.find_first_of("*<{") != std::string::npos) continue;
      EXPECT_TRUE(std::filesystem::exists(kRoot / path)) << document.name << " names " << path;
    }
  }
}

TEST(DocsTest, TheReadmeListsEveryExitCode) {
  std::set<int> listed;
  std::istringstream lines(readme().text.substr(readme().text.find("## Exit codes")));
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
                         ::testing::Values(Reference{"docs/manifest.md", manifest_reference},
                                           Reference{"docs/settings.md", settings_reference}),
                         [](const auto& test) {
                           return std::string(test.param.file) == "docs/manifest.md" ? "manifest" : "settings";
                         });

}  // namespace
}  // namespace audiencesync::docs
