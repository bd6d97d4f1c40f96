#include "daemon/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <sstream>

namespace audiencesync {
namespace {

namespace po = boost::program_options;

struct CommandRow {
  Command command;
  const char* name;
  const char* operands;
  const char* summary;
  const char* example;
};

constexpr std::array kCommands{
    CommandRow{Command::Validate, "validate", "FILE...",
               "checks manifests offline: every problem at once, with its place",
               "audiencesync validate manifests/*.yaml"},
    CommandRow{Command::Plan, "plan", "[FILE...]", "shows what apply would do; changes nothing in the target",
               "audiencesync plan --fresh --detailed-exitcode luma-loyalty.yaml"},
    CommandRow{Command::Apply, "apply", "[FILE...]", "makes a new export, plans exactly, asks, executes and proves it",
               "audiencesync apply --auto-approve luma-loyalty.yaml"},
    CommandRow{Command::Status, "status", "[SYNC...]", "says how each sync stands",
               "audiencesync status --format json"}};

constexpr std::array kLaterCommands{"approve", "daemon",     "history", "explain", "members", "diff",    "rollback",
                                    "verify",  "state",      "forget",  "suspend", "resume",  "run-now", "retire",
                                    "lock",    "quarantine", "adopt",   "report",  "stages",  "schema",  "completion"};

po::options_description common_options() {
  po::options_description common("options of every command", 80);
  common.add_options()("config", po::value<std::string>()->value_name("FILE"),
                       "settings (default /etc/audiencesync/audiencesync.yaml)")(
      "state", po::value<std::string>()->value_name("DIR"), "state folder (default: from the settings)")(
      "verbose", "log every event to stderr")("help", "show this help");
  return common;
}

po::options_description own_options(Command command) {
  po::options_description own("options", 80);
  switch (command) {
    case Command::Plan:
      own.add_options()("fresh", "make a new export first (writes only into our own staging dataset)")(
          "detailed-exitcode", "exit 2 when changes are pending")(
          "format", po::value<std::string>()->value_name("text|json")->default_value("text"), "form of the plan")(
          "out", po::value<std::string>()->value_name("FILE"), "write the plan there instead of to stdout");
      break;
    case Command::Apply:
      own.add_options()("auto-approve", "do not ask; guards still refuse")(
          "no-refresh", "use the newest export that is there instead of making one")(
          "format", po::value<std::string>()->value_name("text|json")->default_value("text"), "form of the report");
      break;
    case Command::Status:
      own.add_options()("format", po::value<std::string>()->value_name("text|json")->default_value("text"),
                        "form of the answer");
      break;
    case Command::Validate:
    case Command::Help:
    case Command::Version:
      break;
  }
  return own;
}

std::string general_help() {
  std::string out =
      "audiencesync keeps Experience Platform audiences in Customer Journey Analytics\n"
      "as YAML manifests declare them.\n\nusage: audiencesync COMMAND [options] [operands]\n\ncommands\n";
  for (const auto& row : kCommands) out += fmt::format("  {:<9} {}\n", row.name, row.summary);
  out +=
      "\naudiencesync COMMAND --help explains a command; audiencesync --version prints\nthe version.\n\n"
      "exit codes: 0 converged or nothing to do, 1 failed, 2 changes pending, 3 waits\n"
      "for a person, 4 refused, 5 not finished, 6 locked, 7 no access, 64 usage, 65 bad\n"
      "manifest or settings, 130/143 interrupted\n";
  return out;
}

std::string command_help(const CommandRow& row) {
  std::ostringstream out;
  out << fmt::format("{}\n\nusage: audiencesync {} [options] {}\n\n", row.summary, row.name, row.operands);
  const auto own = own_options(row.command);
  if (!own.options().empty()) out << own << "\n";
  out << common_options() << fmt::format("\nexample\n  {}\n", row.example);
  return out.str();
}

Error usage(std::string message) { return Error(ErrorCode::Usage, std::move(message)); }

Result<Options> read_options(const CommandRow& row, const std::vector<std::string>& words) {
  Options options;
  options.command = row.command;
  po::options_description hidden;
  hidden.add_options()("operand", po::value<std::vector<std::string>>());
  po::options_description all;
  all.add(own_options(row.command)).add(common_options()).add(hidden);
  po::positional_options_description positions;
  positions.add("operand", -1);
  po::variables_map found;
  // No guessing: --auto must not mean --auto-approve.
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::store(po::command_line_parser(words).options(all).positional(positions).style(style).run(), found);
  po::notify(found);
  if (found.contains("help")) {
    options.command = Command::Help;
    options.help = command_help(row);
    return options;
  }
  const auto text = [&](const char* name) {
    return found.contains(name) ? found[name].as<std::string>() : std::string{};
  };
  if (found.contains("config")) {
    options.config = text("config");
    options.config_given = true;
  }
  options.state = text("state");
  options.out = text("out");
  options.detailed_exitcode = found.contains("detailed-exitcode");
  options.fresh = found.contains("fresh");
  options.refresh = !found.contains("no-refresh");
  options.auto_approve = found.contains("auto-approve");
  options.verbose = found.contains("verbose");
  if (const auto format = text("format"); format == "json") {
    options.format = Format::Json;
  } else if (format == "markdown") {
    return Error(ErrorCode::Unsupported, "--format markdown is not in this version; use text or json");
  } else if (!format.empty() && format != "text") {
    return usage(fmt::format("--format '{}' is not known; use text or json", format));
  }
  if (found.contains("operand")) options.arguments = found["operand"].as<std::vector<std::string>>();
  if (options.command == Command::Validate && options.arguments.empty()) {
    return usage("validate needs at least one manifest; for example: audiencesync validate manifests/*.yaml");
  }
  return options;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.help = general_help();
  if (arguments.empty()) return usage("a command is missing\n\n" + general_help());
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") return options;
  if (first == "--version") {
    options.command = Command::Version;
    return options;
  }
  const auto row =
      std::find_if(kCommands.begin(), kCommands.end(), [&](const auto& each) { return first == each.name; });
  if (row == kCommands.end()) {
    if (std::find(kLaterCommands.begin(), kLaterCommands.end(), first) != kLaterCommands.end()) {
      return Error(ErrorCode::Unsupported, fmt::format("the command '{}' is not in this version", first));
    }
    return usage(fmt::format("'{}' is no command; audiencesync --help lists them", first));
  }
  try {
    return read_options(*row, {arguments.begin() + 1, arguments.end()});
  } catch (const po::error& failure) {
    return usage(fmt::format("{}; audiencesync {} --help lists the options", failure.what(), row->name));
  }
}

}  // namespace audiencesync
