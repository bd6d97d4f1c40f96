#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "daemon/command_table.h"
#include "tests/docs/document.h"
#include "tests/docs/shell_text.h"
#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

TEST(CommandsInDocs, EveryCommandLineThatIsShownIsAccepted) {
  std::set<std::string> used;
  for (const auto& shown : shown_commands(manuals())) {
    const auto parsed = parse_options(shown.words);
    EXPECT_TRUE(parsed.ok()) << shown.where << ": audiencesync " << fmt::format("{}", fmt::join(shown.words, " "))
                             << "\n"
                             << parsed.error().text();
    used.insert(shown.words.empty() ? "" : shown.words.front());
  }
  for (const auto& row : command_table()) {
    EXPECT_TRUE(used.contains(std::string(row.name))) << "no document shows how to type: audiencesync " << row.name;
  }
}

TEST(CommandsInDocs, EveryCommandThatIsNamedExists) {
  constexpr std::string_view kStart = "audiencesync ";
  for (const auto& document : manuals()) {
    for (const auto& code : document.inline_code()) {
      if (!code.starts_with(kStart)) continue;
      const auto name = code.substr(kStart.size(), code.find(' ', kStart.size()) - kStart.size());
      const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos;
      if (!plain || name.starts_with("--")) continue;
      EXPECT_NE(command_row(name), nullptr) << document.name << " names: " << code;
    }
  }
}

TEST(CommandsInDocs, TheReadmeListsExactlyTheCommands) {
  std::set<std::string> listed;
  const auto& text = document("README.md").text;
  constexpr std::string_view kStart = "\n| `audiencesync ";
  for (auto at = text.find(kStart); at != std::string::npos; at = text.find(kStart, at + 1)) {
    const auto from = at + kStart.size();
    listed.insert(text.substr(from, text.find('`', from) - from));
  }
  std::set<std::string> known;
  for (const auto& row : command_table()) known.emplace(row.name);
  EXPECT_EQ(listed, known);
}

// The reference has all of them; whoever explains something should show the option too.
TEST(CommandsInDocs, EveryOptionIsExplainedOutsideOfTheReference) {
  std::string told;
  for (const auto& document : manuals()) {
    if (document.name != "docs/commands.md") told += document.text;
  }
  for (const auto& row : command_table()) {
    for (const auto& option : row.options) {
      EXPECT_NE(told.find(fmt::format("--{}", option.name)), std::string::npos)
          << "no document speaks of --" << option.name << " of " << row.name;
    }
  }
}

TEST(CommandsInDocs, EveryShellBlockIsSyntaxOfAShell) {
  int seen = 0;
  for (const auto& document : documents()) {
    for (const auto& block : document.blocks()) {
      if (block.language != "sh") continue;
      const testing::TemporaryFolder folder;
      testing::write_file(folder.path() / "shown.sh", block.text);
      const auto result =
          testing::run_process({"/bin/bash", "-n", (folder.path() / "shown.sh").string()}, {}, folder.path());
      EXPECT_EQ(result.code, 0) << document.name << ":" << block.line << "\n" << result.err;
      ++seen;
    }
  }
  EXPECT_GE(seen, 10);
}

}  // namespace
}  // namespace audiencesync::docs
