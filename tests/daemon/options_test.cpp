#include "daemon/options.h"

#include <gmock/gmock.h>

#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Words = std::vector<std::string>;

Options parsed(const Words& words) {
  auto options = parse_options(words);
  if (!options.ok()) {
    ADD_FAILURE() << options.error().text();
    return {};
  }
  return std::move(options).take();
}

struct CommandCase {
  const char* name;
  Words words;
  Command command;
};

class CommandWord : public testing::TestWithParam<CommandCase> {};

TEST_P(CommandWord, ChoosesTheCommand) { EXPECT_EQ(parsed(GetParam().words).command, GetParam().command); }

INSTANTIATE_TEST_SUITE_P(Table, CommandWord,
                         testing::Values(CommandCase{"validate", {"validate", "a.yaml"}, Command::Validate},
                                         CommandCase{"plan", {"plan"}, Command::Plan},
                                         CommandCase{"apply", {"apply"}, Command::Apply},
                                         CommandCase{"status", {"status"}, Command::Status},
                                         CommandCase{"version", {"--version"}, Command::Version},
                                         CommandCase{"help", {"--help"}, Command::Help},
                                         CommandCase{"help_short", {"-h"}, Command::Help},
                                         CommandCase{"help_word", {"help"}, Command::Help},
                                         CommandCase{"help_of_a_command", {"plan", "--help"}, Command::Help}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Options, DefaultsChangeNothingInTheTarget) {
  const auto options = parsed({"plan"});
  EXPECT_EQ(options.config, "/etc/audiencesync/audiencesync.yaml");
  EXPECT_FALSE(options.config_given);
  EXPECT_TRUE(options.state.empty());
  EXPECT_TRUE(options.out.empty());
  EXPECT_EQ(options.format, Format::Text);
  EXPECT_FALSE(options.fresh);
  EXPECT_FALSE(options.auto_approve);
  EXPECT_FALSE(options.detailed_exitcode);
  EXPECT_FALSE(options.verbose);
  EXPECT_THAT(options.arguments, IsEmpty());
}

TEST(Options, PlanTakesItsOptionsAndFilesInAnyOrder) {
  const auto options = parsed({"plan", "a.yaml", "--fresh", "--format", "json", "--out=p.json", "b.yaml", "--config",
                               "c.yaml", "--state", "/s", "--detailed-exitcode", "--verbose"});
  EXPECT_TRUE(options.fresh);
  EXPECT_EQ(options.format, Format::Json);
  EXPECT_EQ(options.out, "p.json");
  EXPECT_EQ(options.config, "c.yaml");
  EXPECT_TRUE(options.config_given);
  EXPECT_EQ(options.state, "/s");
  EXPECT_TRUE(options.detailed_exitcode);
  EXPECT_TRUE(options.verbose);
  EXPECT_THAT(options.arguments, ElementsAre("a.yaml", "b.yaml"));
}

TEST(Options, ApplyRefreshesAndAsksUnlessToldOtherwise) {
  EXPECT_TRUE(parsed({"apply"}).refresh);
  EXPECT_FALSE(parsed({"apply"}).auto_approve);
  const auto options = parsed({"apply", "--no-refresh", "--auto-approve"});
  EXPECT_FALSE(options.refresh);
  EXPECT_TRUE(options.auto_approve);
}

struct BadWords {
  const char* name;
  Words words;
  ErrorCode code;
  const char* says;
};

class BadCommandLine : public testing::TestWithParam<BadWords> {};

TEST_P(BadCommandLine, SaysWhatIsWrongAndWhatToType) {
  const auto options = parse_options(GetParam().words);
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().code(), GetParam().code);
  EXPECT_THAT(options.error().message(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadCommandLine,
    testing::Values(
        BadWords{"no_command", {}, ErrorCode::Usage, "usage: audiencesync COMMAND"},
        BadWords{"unknown_command", {"aply"}, ErrorCode::Usage, "'aply' is no command; audiencesync --help lists them"},
        BadWords{"later_command", {"rollback"}, ErrorCode::Unsupported, "'rollback' is not in this version"},
        BadWords{"unknown_option", {"plan", "--frsh"}, ErrorCode::Usage, "audiencesync plan --help lists the options"},
        BadWords{"a_beginning_is_no_option", {"apply", "--auto"}, ErrorCode::Usage, "--auto"},
        BadWords{"option_of_another_command", {"plan", "--auto-approve"}, ErrorCode::Usage, "auto-approve"},
        BadWords{"value_missing", {"plan", "--config"}, ErrorCode::Usage, "config"},
        BadWords{"given_twice", {"plan", "--config", "a", "--config", "b"}, ErrorCode::Usage, "config"},
        BadWords{
            "unknown_format", {"plan", "--format", "xml"}, ErrorCode::Usage, "'xml' is not known; use text or json"},
        BadWords{"later_format", {"plan", "--format", "markdown"}, ErrorCode::Unsupported, "use text or json"},
        BadWords{"nothing_to_validate", {"validate"}, ErrorCode::Usage, "at least one manifest"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(OptionsHelp, ListsEveryCommandAndExplainsEach) {
  const auto general = parsed({"--help"}).help;
  for (const char* command : {"validate", "plan", "apply", "status"}) {
    EXPECT_THAT(general, HasSubstr(std::string("\n  ") + command + " "));
    const auto own = parsed({command, "--help"}).help;
    EXPECT_THAT(own, AllOf(HasSubstr(std::string("usage: audiencesync ") + command), HasSubstr("--config"),
                           HasSubstr("--state"), HasSubstr("example\n  audiencesync " + std::string(command))));
  }
}

TEST(OptionsHelp, EveryExampleIsACommandLineThatWorks) {
  for (const char* command : {"validate", "plan", "apply", "status"}) {
    const auto help = parsed({command, "--help"}).help;
    std::string rest = help.substr(help.find("\n  audiencesync ") + 16);
    rest.resize(rest.find('\n'));
    Words words;
    for (auto end = rest.find(' '); !rest.empty(); end = rest.find(' ')) {
      words.push_back(rest.substr(0, end));
      rest.erase(0, end == std::string::npos ? rest.size() : end + 1);
    }
    const auto options = parse_options(words);
    EXPECT_TRUE(options.ok()) << command << ": " << (options.ok() ? "" : options.error().text());
  }
}

struct CodeCase {
  const char* name;
  ExitCode code;
  const char* told;
};

class ExitCodeHelp : public testing::TestWithParam<CodeCase> {};

TEST_P(ExitCodeHelp, TellsTheNumberThatIsUsed) {
  auto help = parsed({"--help"}).help;
  std::replace(help.begin(), help.end(), '\n', ' ');
  EXPECT_THAT(help, HasSubstr(std::to_string(static_cast<int>(GetParam().code)) + GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(Table, ExitCodeHelp,
                         testing::Values(CodeCase{"converged", ExitCode::Converged, " converged or nothing to do"},
                                         CodeCase{"failed", ExitCode::Failed, " failed"},
                                         CodeCase{"pending", ExitCode::ChangesPending, " changes pending"},
                                         CodeCase{"waits", ExitCode::Waits, " waits for a person"},
                                         CodeCase{"refused", ExitCode::Refused, " refused"},
                                         CodeCase{"not_finished", ExitCode::NotFinished, " not finished"},
                                         CodeCase{"locked", ExitCode::Locked, " locked"},
                                         CodeCase{"access", ExitCode::Access, " no access"},
                                         CodeCase{"usage", ExitCode::Usage, " usage"},
                                         CodeCase{"invalid", ExitCode::Invalid, " bad manifest or settings"},
                                         CodeCase{"interrupted", ExitCode::Interrupted, "/143 interrupted"},
                                         CodeCase{"terminated", ExitCode::Terminated, " interrupted"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(OptionsHelp, FitsATerminal) {
  for (const Words& words : {Words{"--help"}, Words{"validate", "--help"}, Words{"plan", "--help"},
                             Words{"apply", "--help"}, Words{"status", "--help"}}) {
    auto help = parsed(words).help;
    for (auto end = help.find('\n'); end != std::string::npos; end = help.find('\n')) {
      EXPECT_LE(end, 80U) << help.substr(0, end);
      help.erase(0, end + 1);
    }
  }
}

}  // namespace
}  // namespace audiencesync
