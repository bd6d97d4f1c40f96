#include "daemon/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>

#include "daemon/command_table.h"
#include "daemon/help_text.h"

namespace audiencesync {
namespace {

namespace po = boost::program_options;

constexpr std::array<std::string_view, 2> kLaterCommands{"adopt", "report"};
constexpr std::size_t kMostSamples = 100;
constexpr std::size_t kMostRuns = 100'000;
constexpr std::size_t kShortestDigest = 8;
constexpr std::size_t kLongestDigest = 64;

// Any word after these may be a person's id, typed where it must not be: no message repeats it.
bool names_person(Command command) { return command == Command::Explain || command == Command::Forget; }

Error usage(std::string message) { return Error(ErrorCode::Usage, std::move(message)); }

void add_options(po::options_description& to, const std::vector<OptionRow>& rows) {
  for (const auto& row : rows) {
    const std::string name = row.name == "help" ? "help,h" : std::string(row.name);
    if (row.takes == Takes::Nothing) {
      to.add_options()(name.c_str(), "");
    } else if (row.takes == Takes::Paths) {
      to.add_options()(name.c_str(), po::value<std::vector<std::string>>()->multitoken()->composing(), "");
    } else {
      to.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
}

/// What was found for one command, by the names of the table.
class Found {
 public:
  Found(const CommandRow& row, const std::vector<std::string>& words) : row_(row) {
    po::options_description all;
    add_options(all, row.options);
    add_options(all, common_options());
    all.add_options()("operand", po::value<std::vector<std::string>>(), "");
    po::positional_options_description positions;
    positions.add("operand", -1);
    // No guessing: --auto must not mean --auto-approve.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positions).style(style).run(), found_);
    po::notify(found_);
  }

  bool has(const char* name) const { return found_.contains(name); }
  std::string text(const char* name) const { return has(name) ? found_[name].as<std::string>() : std::string{}; }
  std::vector<Path> paths(const char* name) const {
    if (!has(name)) return {};
    const auto& words = found_[name].as<std::vector<std::string>>();
    return {words.begin(), words.end()};
  }
  std::vector<std::string> operands() const {
    return has("operand") ? found_["operand"].as<std::vector<std::string>>() : std::vector<std::string>{};
  }

  Result<Format> format() const {
    const auto word = text("format");
    if (word.empty() && !has("format")) return Format::Text;
    for (const auto& option : row_.options) {
      if (option.name != "format") continue;
      const auto known = std::find(option.words.begin(), option.words.end(), word);
      if (known == option.words.end()) {
        if (names_person(row_.command)) return usage(fmt::format("{} has --format text and --format json", row_.name));
        return usage(fmt::format("--format '{}' is not known to {}; use one of {}", word, row_.name, option.value));
      }
    }
    if (word == "json") return Format::Json;
    return word == "markdown" ? Format::Markdown : Format::Text;
  }

  Result<RowShare> row_share() const {
    const auto word = text("rows");
    if (!has("rows") || word == "sample") return RowShare::Sample;
    if (word == "full") return RowShare::Full;
    return usage(fmt::format("--rows '{}' is not known; use sample or full", word));
  }

  Result<std::size_t> count(const char* name, std::size_t fallback, std::size_t least, std::size_t most) const {
    if (!has(name)) return fallback;
    const auto word = text(name);
    std::size_t number = 0;
    const auto* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc{} || stop != end || number < least || number > most) {
      return usage(fmt::format("--{} '{}' is not a number from {} to {}", name, word, least, most));
    }
    return number;
  }

 private:
  const CommandRow& row_;
  po::variables_map found_;
};

Result<std::string> digest_from(const std::vector<std::string>& operands) {
  if (operands.size() != 1) {
    return usage(
        fmt::format("approve takes one digest, not {}; the plan shows it, and audiencesync status lists what "
                    "waits for an approval",
                    operands.size()));
  }
  std::string digest = operands.front();
  const bool hexadecimal =
      std::all_of(digest.begin(), digest.end(), [](unsigned char each) { return std::isxdigit(each) != 0; });
  if (!hexadecimal || digest.size() < kShortestDigest || digest.size() > kLongestDigest) {
    return usage(
        fmt::format("'{}' is not the digest of a plan: write 8 to 64 of its hexadecimal digits; audiencesync "
                    "status lists what waits for an approval",
                    digest));
  }
  std::transform(digest.begin(), digest.end(), digest.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  return digest;
}

Result<void> read_approve(Options& options, const Found& found) {
  options.digest = TRY(digest_from(options.arguments));
  options.arguments.clear();
  options.reason = found.text("reason");
  options.decision = found.has("reject") ? Decision::Reject : Decision::Approve;
  if (options.reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    return usage("approve needs a reason for the history; for example: --reason \"campaign ended\"");
  }
  return {};
}

Result<void> read_person_command(Options& options, const CommandRow& row) {
  auto& words = options.arguments;
  if (words.empty()) {
    return usage(fmt::format("{} needs the name of a sync; audiencesync status lists them", row.name));
  }
  if (words.size() > 1 && words[1] == "-") options.person = PersonFrom::Stdin;
  const std::size_t expected = options.person == PersonFrom::Stdin ? 2 : 1;
  // The word is not repeated: it is most likely the id.
  if (words.size() > expected) {
    return usage(fmt::format(
        "{} takes the name of a sync and nothing but \"-\" after it: a person's id on the command line is visible "
        "to every user of this machine; leave it out and it is asked for, or send it to stdin with \"-\"",
        row.name));
  }
  words.resize(1);
  return {};
}

Result<void> check_diff(const Options& options) {
  if (options.arguments.size() == 1 && !options.from.empty() && !options.to.empty()) return {};
  if (options.arguments.size() > 1) {
    return usage(fmt::format("diff takes one manifest, but found '{}'", options.arguments[1]));
  }
  return usage(fmt::format("diff needs {}; for example: audiencesync diff luma.yaml --from monday/ --to tuesday/",
                           options.arguments.empty() ? "a manifest, before its options"
                                                     : "both --from and --to, with a file or folder each"));
}

Result<void> read_quarantine(Options& options, const CommandRow& row) {
  auto& words = options.arguments;
  const auto known = words.empty() ? row.words.end() : std::find(row.words.begin(), row.words.end(), words.front());
  if (known == row.words.end() || words.size() < 2) {
    return usage(
        "quarantine takes list, replay or drop and the name of a sync; for example: audiencesync quarantine "
        "list luma-loyalty");
  }
  options.quarantine = static_cast<QuarantineAction>(known - row.words.begin());
  const bool some = words.size() > 2 && words[2] == "-" && options.quarantine != QuarantineAction::List;
  if (some) options.person = PersonFrom::Stdin;
  // The word is not repeated: it is most likely an id.
  if (words.size() > (some ? 3U : 2U)) {
    return usage(
        "quarantine takes the name of one sync, and with replay and drop \"-\" after it: ids go to stdin, one a line, "
        "because the command line is visible to every user of this machine");
  }
  words = {words[1]};
  return {};
}

Result<void> read_lock(Options& options) {
  auto& words = options.arguments;
  const bool known = !words.empty() && (words[0] == "list" || words[0] == "break");
  if (!known || words.size() > 2 || (words[0] == "list" && words.size() > 1)) {
    return usage("lock takes 'list', or 'break' and perhaps one sync; for example: audiencesync lock list");
  }
  options.lock = words[0] == "list" ? LockAction::List : LockAction::Break;
  words.erase(words.begin());
  return {};
}

Result<void> read_state(Options& options) {
  auto& words = options.arguments;
  if (words.size() != 2 || words[0] != "rebuild") {
    return usage("state takes 'rebuild' and one sync; for example: audiencesync state rebuild luma-loyalty");
  }
  words.erase(words.begin());
  return {};
}

Result<void> expect_one_sync(const Options& options, const CommandRow& row) {
  if (options.arguments.size() == 1) return {};
  return usage(fmt::format("{} takes one sync; for example: audiencesync {} luma-loyalty", row.name, row.name));
}

Result<std::int64_t> run_from(const CommandRow& row, const Found& found, const char* name) {
  const auto word = found.text(name);
  std::int64_t run = 0;
  const auto* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, run);
  if (error == std::errc{} && stop == end && run > 0) return run;
  return usage(
      fmt::format("--{} '{}' is not the number of a run; audiencesync history lists them, for example: "
                  "audiencesync {} luma-loyalty ... --{} 12",
                  name, word, row.name, name));
}

// Without --format the name of the file says what it is to be.
Result<RowFormat> row_format(const Options& options, const Found& found) {
  auto word = found.text("format");
  if (!found.has("format")) {
    const auto extension = options.out.extension();
    word = extension == ".parquet" ? "parquet" : extension == ".csv" ? "csv" : "ndjson";
  }
  if (word == "parquet" && options.out.empty()) {
    return usage("Parquet is for a file; name one with --out FILE, or use --format ndjson or csv");
  }
  if (word == "parquet") return RowFormat::Parquet;
  return word == "csv" ? RowFormat::Csv : RowFormat::Ndjson;
}

Result<void> read_members(Options& options, const CommandRow& row, const Found& found) {
  const bool all = found.has("all");
  const std::size_t expected = all ? 1 : 2;
  if (options.arguments.size() != expected) {
    return usage(
        all ? "members --all takes the name of a sync and no audience"
            : "members takes the name of a sync and an audience, by id or name; for example: audiencesync members "
              "luma-loyalty \"Luma - Blue+ Members\"; or --all for everyone");
  }
  if (!all) options.audience = options.arguments[1];
  if (!all && options.audience.empty()) return usage("members needs an audience, by id or name");
  options.arguments.resize(1);
  if (found.has("as-of")) options.run = TRY(run_from(row, found, "as-of"));
  options.row_form = TRY(row_format(options, found));
  return {};
}

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

// rollback, suspend, resume: one sync, and why.
Result<void> read_one_sync(Options& options, const CommandRow& row, const Found& found) {
  if (options.arguments.size() != 1) {
    return usage(fmt::format("{} takes the name of one sync; audiencesync status lists them", row.name));
  }
  options.reason = found.text("reason");
  options.until = found.text("until");
  options.dry_run = found.has("dry-run");
  options.delete_datasets = found.has("delete");
  options.manifest = found.text("manifest");
  if (options.command == Command::Rollback) {
    if (!found.has("to")) {
      return usage("rollback needs the run to go back to; audiencesync history lists them, for example: --to 12");
    }
    options.run = TRY(run_from(row, found, "to"));
  }
  const bool needs_reason = options.command == Command::Rollback || options.command == Command::Suspend;
  if (blank(options.reason) && needs_reason && !options.dry_run) {
    return usage(
        fmt::format("{} needs a reason for the history; for example: --reason \"wrong segment upstream\"", row.name));
  }
  return {};
}

Result<void> read_word(Options& options, const CommandRow& row) {
  if (options.command == Command::Schema && options.arguments.empty()) options.arguments = {"manifest"};
  const auto& words = options.arguments;
  const bool known =
      words.size() == 1 && std::find(row.words.begin(), row.words.end(), words.front()) != row.words.end();
  if (known) return {};
  return usage(fmt::format("{} takes one of {}{}", row.name, fmt::join(row.words, ", "),
                           words.empty() ? "" : fmt::format(", not '{}'", fmt::join(words, " "))));
}

// Of another machine we get what it answers, and cannot ask for what only it could do.
Result<void> check_plan_server(const Options& options, const Found& found) {
  if (!found.has("server")) {
    if (!found.has("token-file")) return {};
    return usage("--token-file goes with --server URL");
  }
  if (options.server.empty() || options.token_file.empty()) {
    return usage(
        "plan --server needs a URL and --token-file FILE; for example: audiencesync plan luma.yaml --server "
        "https://audiencesync.example.com:8443 --token-file token");
  }
  if (options.arguments.empty()) return usage("plan --server needs at least one manifest to send");
  if (found.has("fresh")) return usage("plan --server makes no new export; leave --fresh out");
  return {};
}

Result<void> read_operands(Options& options, const CommandRow& row, const Found& found) {
  options.arguments = found.operands();
  switch (row.operands) {
    case Operands::PlanDigest:
      return read_approve(options, found);
    case Operands::Words:
      if (options.command == Command::Lock) return read_lock(options);
      return options.command == Command::Quarantine ? read_quarantine(options, row) : read_word(options, row);
    case Operands::None:
      if (options.arguments.empty()) return {};
      return usage(fmt::format("{} takes no operand, but found '{}'", row.name, options.arguments.front()));
    case Operands::Syncs:
      if (options.command == Command::State) return read_state(options);
      if (options.command == Command::Verify || options.command == Command::RunNow) {
        return expect_one_sync(options, row);
      }
      if (names_person(options.command)) return read_person_command(options, row);
      if (options.command == Command::Members) return read_members(options, row, found);
      if (options.command == Command::Status || options.command == Command::History) return {};
      return read_one_sync(options, row, found);
    case Operands::Manifests:
      break;
  }
  if (options.command == Command::Diff) return check_diff(options);
  if (options.command == Command::Plan) return check_plan_server(options, found);
  if (options.command == Command::Validate && options.arguments.empty() && !options.settings) {
    return usage("validate needs at least one manifest; for example: audiencesync validate manifests/*.yaml");
  }
  return {};
}

Result<Options> read_options(const CommandRow& row, const std::vector<std::string>& words) {
  const Found found(row, words);
  Options options;
  options.command = row.command;
  if (found.has("help")) {
    options.command = Command::Help;
    options.help = command_help(row);
    return options;
  }
  if (found.has("config")) {
    options.config = found.text("config");
    options.config_given = true;
  }
  options.state = found.text("state");
  options.socket = found.text("socket");
  options.out = found.text("out");
  if (row.command == Command::Diff) {  // elsewhere --to is something else
    options.from = found.paths("from");
    options.to = found.paths("to");
  }
  options.stats = found.has("stats");
  options.audit = found.has("audit");
  options.fetch = found.has("fetch");
  options.server = found.text("server");
  options.token_file = found.text("token-file");
  options.plan_file = found.text("plan");
  options.take_over = found.has("take-over");
  options.lift = found.has("lift");
  options.analytics = found.has("analytics");
  // To ask Customer Journey Analytics is not to read rows, unless that is said as well.
  options.verify_rows = !options.analytics || found.has("rows");
  options.rows = TRY(found.row_share());
  if (found.has("seed")) options.seed = TRY(found.count("seed", 0, 0, SIZE_MAX));
  options.detailed_exitcode = found.has("detailed-exitcode");
  options.fresh = found.has("fresh");
  options.refresh = !found.has("no-refresh");
  options.auto_approve = found.has("auto-approve");
  options.verbose = found.has("verbose");
  options.settings = found.has("settings");
  options.format = TRY(found.format());
  options.samples = TRY(found.count("sample", options.samples, 0, kMostSamples));
  options.limit = TRY(found.count("limit", options.limit, 1, kMostRuns));
  if (found.has("plan") && options.plan_file.empty()) return usage("--plan needs the name of a file");
  TRY(read_operands(options, row, found));
  return options;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.help = general_help();
  if (arguments.empty()) return usage("a command is missing\n\n" + general_help());
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    const auto* const row = arguments.size() > 1 ? command_row(arguments[1]) : nullptr;
    if (row != nullptr) options.help = command_help(*row);
    return options;
  }
  if (first == "--version") {
    options.command = Command::Version;
    return options;
  }
  const auto* const row = command_row(first);
  if (row == nullptr) {
    if (std::find(kLaterCommands.begin(), kLaterCommands.end(), first) != kLaterCommands.end()) {
      return Error(ErrorCode::Unsupported, fmt::format("the command '{}' is not in this version", first));
    }
    return usage(fmt::format("'{}' is no command; audiencesync --help lists them", first));
  }
  const std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  try {
    return read_options(*row, words);
  } catch (const po::error& failure) {
    // An unknown option is repeated by the library.
    const std::string what =
        names_person(row->command) ? fmt::format("{} cannot use these options", row->name) : failure.what();
    return usage(fmt::format("{}; audiencesync {} --help lists the options", what, row->name));
  }
}

}  // namespace audiencesync
