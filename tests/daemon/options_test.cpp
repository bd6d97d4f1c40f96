#include "daemon/options.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "daemon/command_table.h"
#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

class CommandWord : public ::testing::TestWithParam<CommandCase> {};

TEST_P(CommandWord, ChoosesTheCommand) { EXPECT_EQ(parsed(GetParam().words).command, GetParam().command); }

INSTANTIATE_TEST_SUITE_P(
    Table, CommandWord,
    ::testing::Values(
        CommandCase{"validate", {"validate", "a.yaml"}, Command::Validate},
        CommandCase{"validate_settings", {"validate", "--settings"}, Command::Validate},
        CommandCase{"plan", {"plan"}, Command::Plan},
        CommandCase{"diff", {"diff", "m.yaml", "--from", "a", "b", "--from", "c", "--to", "d"}, Command::Diff},
        CommandCase{"apply", {"apply"}, Command::Apply}, CommandCase{"status", {"status"}, Command::Status},
        CommandCase{"approve", {"approve", "7f3a91c2", "--reason", "r"}, Command::Approve},
        CommandCase{"history", {"history"}, Command::History},
        CommandCase{"explain", {"explain", "luma"}, Command::Explain},
        CommandCase{"forget", {"forget", "luma", "-"}, Command::Forget},
        CommandCase{"stages", {"stages"}, Command::Stages}, CommandCase{"schema", {"schema"}, Command::Schema},
        CommandCase{"completion", {"completion", "zsh"}, Command::Completion},
        CommandCase{"version", {"--version"}, Command::Version}, CommandCase{"help", {"--help"}, Command::Help},
        CommandCase{"help_short", {"-h"}, Command::Help}, CommandCase{"help_word", {"help"}, Command::Help},
        CommandCase{"help_of_a_command", {"plan", "--help"}, Command::Help},
        CommandCase{"short_help_of_a_command", {"plan", "-h"}, Command::Help},
        CommandCase{"help_before_a_command", {"help", "plan"}, Command::Help}),
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

TEST(Options, PlanShowsThreeMaskedPeopleOfEachKindUnlessToldOtherwise) {
  EXPECT_EQ(parsed({"plan"}).samples, 3U);
  EXPECT_EQ(parsed({"plan", "--sample", "0"}).samples, 0U);
  EXPECT_EQ(parsed({"plan", "--sample=25"}).samples, 25U);
  EXPECT_EQ(parsed({"plan", "--format", "markdown"}).format, Format::Markdown);
}

TEST(Options, ApplyTakesThePlanThatWasReviewed) {
  EXPECT_TRUE(parsed({"apply"}).plan_file.empty());
  EXPECT_EQ(parsed({"apply", "--plan", "plan.json", "--format", "markdown"}).plan_file, "plan.json");
}

TEST(Options, ApproveTakesADigestOrItsBeginningAndAReason) {
  const auto approved = parsed({"approve", "7F3A91C2", "--reason", "campaign ended"});
  EXPECT_EQ(approved.digest, "7f3a91c2");
  EXPECT_EQ(approved.reason, "campaign ended");
  EXPECT_EQ(approved.decision, Decision::Approve);
  EXPECT_THAT(approved.arguments, IsEmpty());
  EXPECT_EQ(parsed({"approve", "--reject", "--reason", "no", std::string(64, 'a')}).decision, Decision::Reject);
}

TEST(Options, HistoryIsShortUnlessToldOtherwise) {
  EXPECT_EQ(parsed({"history"}).limit, 20U);
  const auto options = parsed({"history", "luma", "--limit", "1"});
  EXPECT_EQ(options.limit, 1U);
  EXPECT_THAT(options.arguments, ElementsAre("luma"));
}

TEST(Options, ExplainAsksForThePersonOrReadsIt) {
  EXPECT_EQ(parsed({"explain", "luma"}).person, PersonFrom::Prompt);
  const auto options = parsed({"explain", "luma", "-"});
  EXPECT_EQ(options.person, PersonFrom::Stdin);
  EXPECT_THAT(options.arguments, ElementsAre("luma"));
}

class PersonInArguments : public ::testing::TestWithParam<Words> {};

TEST_P(PersonInArguments, IsRefusedAndNeverRepeated) {
  const auto options = parse_options(GetParam());
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().code(), ErrorCode::Usage);
  EXPECT_THAT(options.error().text(), ::testing::Not(HasSubstr("ada")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, PersonInArguments,
    ::testing::Values(Words{"explain", "luma", "ada@example.com"}, Words{"explain", "luma", "-", "ada@example.com"},
                      Words{"explain", "luma", "ada@example.com", "-"},
                      Words{"explain", "luma", "--person", "ada@example.com"},
                      Words{"explain", "luma", "--ada@example.com"}, Words{"explain", "luma", "-ada"},
                      Words{"explain", "luma", "--format", "ada@example.com"},
                      Words{"forget", "luma", "ada@example.com"}, Words{"forget", "luma", "--lift", "ada@example.com"},
                      Words{"forget", "luma", "--ada@example.com"}));

TEST(Options, ExplainSaysWhereAnIdBelongs) {
  EXPECT_THAT(parse_options({"explain", "luma", "ada@example.com"}).error().text(),
              AllOf(HasSubstr("visible to every user"), HasSubstr("stdin")));
}

TEST(Options, SchemaIsOfAManifestUnlessToldOtherwise) {
  EXPECT_THAT(parsed({"schema"}).arguments, ElementsAre("manifest"));
  EXPECT_THAT(parsed({"schema", "plan"}).arguments, ElementsAre("plan"));
}

struct BadWords {
  const char* name;
  Words words;
  ErrorCode code;
  const char* says;
};

class BadCommandLine : public ::testing::TestWithParam<BadWords> {};

TEST_P(BadCommandLine, SaysWhatIsWrongAndWhatToType) {
  const auto options = parse_options(GetParam().words);
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().code(), GetParam().code);
  EXPECT_THAT(options.error().message(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadCommandLine,
    ::testing::Values(
        BadWords{"no_command", {}, ErrorCode::Usage, "usage: audiencesync COMMAND"},
        BadWords{"unknown_command", {"aply"}, ErrorCode::Usage, "'aply' is no command; audiencesync --help lists them"},
        BadWords{"later_command", {"adopt"}, ErrorCode::Unsupported, "'adopt' is not in this version"},
        BadWords{"unknown_option", {"plan", "--frsh"}, ErrorCode::Usage, "audiencesync plan --help lists the options"},
        BadWords{"a_beginning_is_no_option", {"apply", "--auto"}, ErrorCode::Usage, "--auto"},
        BadWords{"option_of_another_command", {"plan", "--auto-approve"}, ErrorCode::Usage, "auto-approve"},
        BadWords{"value_missing", {"plan", "--config"}, ErrorCode::Usage, "config"},
        BadWords{"given_twice", {"plan", "--config", "a", "--config", "b"}, ErrorCode::Usage, "config"},
        BadWords{
            "unknown_format", {"plan", "--format", "xml"}, ErrorCode::Usage, "--format 'xml' is not known to plan"},
        BadWords{"format_of_another_command", {"status", "--format", "markdown"}, ErrorCode::Usage, "text|json"},
        BadWords{"empty_format", {"plan", "--format", ""}, ErrorCode::Usage, "--format '' is not known"},
        BadWords{"a_server_without_token",
                 {"plan", "a.yaml", "--server", "http://x"},
                 ErrorCode::Usage,
                 "--token-file FILE"},
        BadWords{
            "a_token_without_server", {"plan", "a.yaml", "--token-file", "x"}, ErrorCode::Usage, "goes with --server"},
        BadWords{"nothing_for_a_server",
                 {"plan", "--server", "http://x", "--token-file", "t"},
                 ErrorCode::Usage,
                 "at least one manifest"},
        BadWords{"a_new_export_by_a_server",
                 {"plan", "a.yaml", "--fresh", "--server", "http://x", "--token-file", "t"},
                 ErrorCode::Usage,
                 "leave --fresh out"},
        BadWords{"samples_without_number", {"plan", "--sample", "few"}, ErrorCode::Usage, "'few' is not a number"},
        BadWords{"samples_below_none", {"plan", "--sample", "-1"}, ErrorCode::Usage, "a number from 0 to 100"},
        BadWords{"history_of_nothing", {"history", "--limit", "0"}, ErrorCode::Usage, "a number from 1 to"},
        BadWords{"number_with_a_tail", {"history", "--limit", "5x"}, ErrorCode::Usage, "'5x' is not a number"},
        BadWords{"plan_without_name", {"apply", "--plan="}, ErrorCode::Usage, "plan"},
        BadWords{"approve_nothing", {"approve", "--reason", "r"}, ErrorCode::Usage, "one digest, not 0"},
        BadWords{"approve_two", {"approve", "7f3a91c2", "7f3a91c3", "--reason", "r"}, ErrorCode::Usage, "not 2"},
        BadWords{"approve_too_short", {"approve", "7f3a91c", "--reason", "r"}, ErrorCode::Usage, "8 to 64"},
        BadWords{
            "approve_no_digest", {"approve", "luma.yaml", "--reason", "r"}, ErrorCode::Usage, "'luma.yaml' is not"},
        BadWords{"approve_without_reason", {"approve", "7f3a91c2"}, ErrorCode::Usage, "needs a reason"},
        BadWords{
            "approve_with_a_blank", {"approve", "7f3a91c2", "--reason", " \t"}, ErrorCode::Usage, "needs a reason"},
        BadWords{"reject_without_reason", {"approve", "7f3a91c2", "--reject"}, ErrorCode::Usage, "needs a reason"},
        BadWords{"explain_what", {"explain"}, ErrorCode::Usage, "needs the name of a sync"},
        BadWords{"stages_of_what", {"stages", "luma"}, ErrorCode::Usage, "takes no operand, but found 'luma'"},
        BadWords{"unknown_schema", {"schema", "pan"}, ErrorCode::Usage, "manifest, settings, plan, not 'pan'"},
        BadWords{"unknown_shell", {"completion", "tcsh"}, ErrorCode::Usage, "bash, zsh, fish, not 'tcsh'"},
        BadWords{"no_shell", {"completion"}, ErrorCode::Usage, "one of bash, zsh, fish"},
        BadWords{"diff_without_manifest", {"diff", "--from", "a", "b", "--to", "c"}, ErrorCode::Usage, "a manifest"},
        BadWords{"diff_without_a_side", {"diff", "m.yaml", "--from", "a"}, ErrorCode::Usage, "both --from and --to"},
        BadWords{"diff_of_two_manifests",
                 {"diff", "m.yaml", "n.yaml", "--from", "a", "--to", "b"},
                 ErrorCode::Usage,
                 "found 'n.yaml'"},
        BadWords{"nothing_to_validate", {"validate"}, ErrorCode::Usage, "at least one manifest"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(OptionsHelp, ListsEveryCommandAndExplainsEach) {
  const auto general = parsed({"--help"}).help;
  for (const auto& row : command_table()) {
    const std::string name(row.name);
    EXPECT_THAT(general, HasSubstr("\n  " + name + " "));
    const auto own = parsed({name, "--help"}).help;
    EXPECT_THAT(own, AllOf(HasSubstr("usage: audiencesync " + name), HasSubstr("--config"), HasSubstr("--state"),
                           HasSubstr("\n  audiencesync " + name)));
    for (const auto& option : row.options) EXPECT_THAT(own, HasSubstr("\n  --" + std::string(option.name)));
    EXPECT_EQ(parsed({"help", name}).help, own);
  }
}

// The words of a line as a shell would pass them on: quotes taken off, redirections left out.
Words words_of(std::string_view line) {
  Words words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char each : line) {
    if (each == '"') {
      quoted = !quoted;
      any = true;
    } else if (each == ' ' && !quoted) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += each;
      any = true;
    }
  }
  if (any) words.push_back(word);
  const auto redirection =
      std::find_if(words.begin(), words.end(), [](const auto& each) { return each == "<" || each == ">"; });
  words.erase(redirection, words.end());
  return words;
}

TEST(OptionsHelp, EveryExampleIsACommandLineThatWorks) {
  std::size_t seen = 0;
  std::string helps = parsed({"--help"}).help;
  for (const auto& row : command_table()) helps += parsed({std::string(row.name), "--help"}).help;
  std::istringstream lines(helps);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  audiencesync ")) continue;
    // The general help says behind each line what it does.
    if (const auto tells = line.find("   ", 2); tells != std::string::npos) line.resize(tells);
    auto words = words_of(line);
    ASSERT_EQ(words.front(), "audiencesync");
    words.erase(words.begin());
    const auto options = parse_options(words);
    EXPECT_TRUE(options.ok()) << line << ": " << (options.ok() ? "" : options.error().text());
    ++seen;
  }
  EXPECT_GE(seen, 2 * command_table().size());
}

struct CodeCase {
  const char* name;
  ExitCode code;
  const char* told;
};

class ExitCodeHelp : public ::testing::TestWithParam<CodeCase> {};

TEST_P(ExitCodeHelp, TellsTheNumberThatIsUsed) {
  auto help = parsed({"--help"}).help;
  std::replace(help.begin(), help.end(), '\n', ' ');
  EXPECT_THAT(help, HasSubstr(std::to_string(static_cast<int>(GetParam().code)) + GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(Table, ExitCodeHelp,
                         ::testing::Values(CodeCase{"converged", ExitCode::Converged, " converged or nothing to do"},
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
  std::string helps = parsed({"--help"}).help;
  for (const auto& row : command_table()) helps += parsed({std::string(row.name), "--help"}).help;
  std::istringstream lines(helps);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace audiencesync
