#include "daemon/completion_script.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <sstream>

#include "daemon/command_table.h"
#include "daemon/commands.h"
#include "engine/base/json.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using ::testing::HasSubstr;

struct ShellCase {
  const char* shell;
  std::string (*script)();
  const char* option_before;       // what stands before the name of an option
  std::vector<std::string> check;  // command that reads a script and runs nothing of it
};

class Completion : public ::testing::TestWithParam<ShellCase> {};

bool has_program(const std::string& name) {
  for (const char* folder : {"/bin/", "/usr/bin/", "/usr/local/bin/"}) {
    if (::access((folder + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

TEST_P(Completion, KnowsEveryCommandAndEveryOption) {
  const auto script = GetParam().script();
  for (const auto& row : command_table()) {
    EXPECT_THAT(script, HasSubstr(std::string(row.name)));
    for (const auto* options : {&row.options, &common_options()}) {
      for (const auto& option : *options) {
        EXPECT_THAT(script, HasSubstr(GetParam().option_before + std::string(option.name))) << row.name;
        for (const auto& word : option.words) EXPECT_THAT(script, HasSubstr(std::string(word)));
      }
    }
    for (const auto& word : row.words) EXPECT_THAT(script, HasSubstr(std::string(word)));
  }
}

TEST_P(Completion, IsAScriptTheShellReads) {
  const auto& tested = GetParam();
  if (!has_program(tested.shell)) GTEST_SKIP() << tested.shell << " is not here";
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "script";
  testing::write_file(file, tested.script());
  auto command = tested.check;
  command.push_back(file.string());
  const auto result = testing::run_process(command, {}, folder.path());
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
}

TEST_P(Completion, IsWhatTheCommandPrints) {
  Options options;
  options.command = Command::Completion;
  options.arguments = {GetParam().shell};
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(completion_command(options, Console{out, err, {}}), ExitCode::Converged);
  EXPECT_EQ(out.str(), GetParam().script());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Completion,
    ::testing::Values(ShellCase{"bash", bash_completion, "--", {"/bin/bash", "-n"}},
                      ShellCase{"zsh", zsh_completion, "--", {"/usr/bin/env", "zsh", "-n"}},
                      ShellCase{"fish", fish_completion, "-l ", {"/usr/bin/env", "fish", "--no-execute"}}),
    [](const auto& tested) { return std::string(tested.param.shell); });

struct TypedCase {
  const char* name;
  std::vector<std::string> words;  // the last is being typed
  const char* offered;
};

class BashOffers : public ::testing::TestWithParam<TypedCase> {};

// What bash would offer: the function is called as bash calls it.
TEST_P(BashOffers, WhatMayFollow) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder.path() / "luma.yaml", "");
  testing::write_file(folder.path() / "my plan.json", "");
  std::string words = "audiencesync";
  for (const auto& word : GetParam().words) words += " '" + word + "'";
  testing::write_file(folder.path() / "script",
                      bash_completion() +
                          "compopt() { :; }\naudiencesync() { printf 'luma: in sync\\n  last run x\\n"
                          "neu (uid alt): never ran\\n'; }\ncd '" +
                          folder.path().string() + "' && rm script\nCOMP_WORDS=(" + words +
                          ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_audiencesync\nIFS='|'\n"
                          "echo \"${COMPREPLY[*]}\"\n");
  const testing::TemporaryFolder out;
  const auto result = testing::run_process({"/bin/bash", (folder.path() / "script").string()}, {}, out.path());
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, std::string(GetParam().offered) + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Table, BashOffers,
    ::testing::Values(TypedCase{"commands", {"app"}, "apply|approve"},
                      TypedCase{"options", {"plan", "--f"}, "--fresh|--format"},
                      TypedCase{"words_of_an_option", {"plan", "--format", ""}, "text|json|markdown"},
                      TypedCase{"files", {"apply", "l"}, "luma.yaml"},
                      TypedCase{"a_file_with_a_blank", {"apply", "--plan", "my"}, "my plan.json"},
                      TypedCase{"words", {"schema", "s"}, "settings"}, TypedCase{"syncs", {"status", ""}, "luma|neu"},
                      TypedCase{"no_reason_to_guess", {"approve", "--reason", ""}, ""}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Stages, AreListedInTheOrderOfARun) {
  Options options;
  options.command = Command::Stages;
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(stages_command(options, Console{out, err, {}}), ExitCode::Converged);
  const auto text = out.str();
  std::size_t last = 0;
  for (const char* each : {"audiences ", "export ", "schema ", "dataset ", "membership "}) {
    const auto found = text.find("\n" + std::string(each));
    ASSERT_NE(found, std::string::npos) << each;
    EXPECT_GT(found, last);
    last = found;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Stages, AreAlsoJson) {
  Options options;
  options.command = Command::Stages;
  options.format = Format::Json;
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(stages_command(options, Console{out, err, {}}), ExitCode::Converged);
  const auto value = parse_json(out.str());
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->number("version"), 1);
  for (const auto& stage : value->items("stages")) {
    EXPECT_FALSE(stage.text("name").empty());
    EXPECT_FALSE(stage.text("summary").empty());
    EXPECT_THAT(stage.text("phase"), ::testing::AnyOf("refresh", "converge", "prove"));
  }
  EXPECT_GE(value->items("stages").size(), 5U);
}

}  // namespace
}  // namespace audiencesync
