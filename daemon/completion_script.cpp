#include "daemon/completion_script.h"

#include <fmt/format.h>

#include "daemon/command_table.h"

namespace audiencesync {
namespace {

// Names of the syncs that ran, for the shells: the beginning of each first line of `status`.
constexpr const char* kSyncNames =
    R"(audiencesync status 2>/dev/null | sed -n -e 's/^\([^ :]*\): .*/\1/p' -e 's/^\([^ :]*\) (uid .*/\1/p')";

std::vector<OptionRow> options_of(const CommandRow& row) {
  auto options = row.options;
  options.insert(options.end(), common_options().begin(), common_options().end());
  return options;
}

std::string option_words(const CommandRow& row) {
  std::string words;
  for (const auto& option : options_of(row)) words += fmt::format("{}--{}", words.empty() ? "" : " ", option.name);
  return words;
}

std::string command_words() {
  std::string words;
  for (const auto& row : command_table()) words += fmt::format("{} ", row.name);
  return words + "--help --version";
}

// Between single quotes of a shell; `special` are characters that need a backslash besides.
std::string shell_text(std::string_view text, std::string_view special = {}) {
  std::string out;
  for (const char each : text) {
    if (each == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(each) != std::string_view::npos) out += '\\';
    out += each;
  }
  return out;
}

// The case of `command:option` that offers the values of an option.
std::string bash_values(const CommandRow& row) {
  std::string out;
  for (const auto& option : options_of(row)) {
    if (option.takes == Takes::Nothing) continue;
    std::string offer = "return";
    if (option.takes == Takes::File || option.takes == Takes::Paths) offer = "_audiencesync_files -f; return";
    if (option.takes == Takes::Folder) offer = "_audiencesync_files -d; return";
    if (option.takes == Takes::Word) {
      offer = fmt::format(R"sh(COMPREPLY=($(compgen -W "{}" -- "$current")); return)sh", fmt::join(option.words, " "));
    }
    out += fmt::format("    {}:--{}) {} ;;\n", row.name, option.name, offer);
  }
  return out;
}

std::string bash_operands(const CommandRow& row) {
  switch (row.operands) {
    case Operands::Manifests:
      return "_audiencesync_files -f";
    case Operands::Syncs:
      return fmt::format(R"sh(COMPREPLY=($(compgen -W "$({})" -- "$current")))sh", kSyncNames);
    case Operands::Words:
      return fmt::format(R"sh(COMPREPLY=($(compgen -W "{}" -- "$current")))sh", fmt::join(row.words, " "));
    case Operands::None:
    case Operands::PlanDigest:
      break;
  }
  return ":";
}

std::string zsh_option(const OptionRow& option) {
  const auto help = shell_text(option.help, "[]:\\");
  const auto value = shell_text(option.value, ":\\");
  switch (option.takes) {
    case Takes::Nothing:
      return fmt::format("'--{}[{}]'", option.name, help);
    case Takes::File:
      return fmt::format("'--{}=[{}]:{}:_files'", option.name, help, value);
    case Takes::Paths:
      return fmt::format("'*--{}=[{}]:{}:_files'", option.name, help, value);
    case Takes::Folder:
      return fmt::format("'--{}=[{}]:{}:_files -/'", option.name, help, value);
    case Takes::Word:
      return fmt::format("'--{}=[{}]:{}:({})'", option.name, help, option.name, fmt::join(option.words, " "));
    case Takes::Text:
      return fmt::format("'--{}=[{}]:{}: '", option.name, help, value);
  }
  return {};
}

std::string zsh_operands(const CommandRow& row) {
  switch (row.operands) {
    case Operands::Manifests:
      return " '*:manifest:_files -g \"*.(yaml|yml)\"'";
    case Operands::Syncs:
      return " '*:sync:_audiencesync_syncs'";
    case Operands::Words:
      return fmt::format(" '1:what:({})'", fmt::join(row.words, " "));
    case Operands::PlanDigest:
      return " '1:digest: '";
    case Operands::None:
      break;
  }
  return {};
}

std::string fish_option(const CommandRow& row, const OptionRow& option) {
  std::string values;
  if (option.takes == Takes::File || option.takes == Takes::Paths) values = " -r -F";
  if (option.takes == Takes::Folder) values = " -x -a '(__fish_complete_directories)'";
  if (option.takes == Takes::Word) values = fmt::format(" -x -a '{}'", fmt::join(option.words, " "));
  if (option.takes == Takes::Text) values = " -x";
  return fmt::format("complete -c audiencesync -n '__fish_seen_subcommand_from {}' -l {}{} -d '{}'\n", row.name,
                     option.name, values, shell_text(option.help));
}

std::string fish_operands(const CommandRow& row) {
  const auto line = [&](const std::string& values) {
    return fmt::format("complete -c audiencesync -n '__fish_seen_subcommand_from {}' {}\n", row.name, values);
  };
  switch (row.operands) {
    case Operands::Manifests:
      return line("-F");
    case Operands::Syncs:
      return line("-a '(__audiencesync_syncs)'");
    case Operands::Words:
      return line(fmt::format("-a '{}'", fmt::join(row.words, " ")));
    case Operands::None:
    case Operands::PlanDigest:
      break;
  }
  return {};
}

}  // namespace

std::string bash_completion() {
  std::string out = R"(# bash completion of audiencesync; made by: audiencesync completion bash
_audiencesync_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen "$1" -- "$current"))
}

_audiencesync() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
)";
  out += fmt::format("    COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))\n    return\n  fi\n", command_words());
  out += "  case $command:$previous in\n";
  for (const auto& row : command_table()) out += bash_values(row);
  out += "  esac\n  case $command in\n";
  for (const auto& row : command_table()) {
    out += fmt::format(
        "    {})\n      if [[ $current == -* ]]; then\n        COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))\n"
        "      else\n        {}\n      fi\n      ;;\n",
        row.name, option_words(row), bash_operands(row));
  }
  return out + "  esac\n}\n\ncomplete -F _audiencesync audiencesync\n";
}

std::string zsh_completion() {
  std::string out = "#compdef audiencesync\n# zsh completion of audiencesync; made by: audiencesync completion zsh\n\n";
  out +=
      fmt::format("_audiencesync_syncs() {{\n  local -a names\n  names=(${{(f)\"$({})\"}})\n  compadd -a names\n}}\n\n",
                  kSyncNames);
  out += "_audiencesync() {\n  local -a commands\n  commands=(\n";
  for (const auto& row : command_table()) {
    out += fmt::format("    '{}:{}'\n", row.name, shell_text(row.summary, ":\\"));
  }
  out +=
      "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n"
      "    compadd -- --help --version\n    return\n  fi\n"
      "  shift words\n  ((CURRENT--))\n  case $words[1] in\n";
  for (const auto& row : command_table()) {
    out += fmt::format("    {})\n      _arguments", row.name);
    for (const auto& option : options_of(row)) out += " \\\n        " + zsh_option(option);
    if (const auto operands = zsh_operands(row); !operands.empty()) out += " \\\n       " + operands;
    out += "\n      ;;\n";
  }
  return out +
         "  esac\n}\n\n# Found in fpath it is called; read by source it registers itself.\n"
         "if [[ $funcstack[1] == _audiencesync ]]; then\n  _audiencesync \"$@\"\nelse\n"
         "  compdef _audiencesync audiencesync\nfi\n";
}

std::string fish_completion() {
  std::string out = "# fish completion of audiencesync; made by: audiencesync completion fish\n";
  out += fmt::format("function __audiencesync_syncs\n  {}\nend\n\n", kSyncNames);
  out += "complete -c audiencesync -f\n";
  out += "complete -c audiencesync -n __fish_use_subcommand -l version -d 'print the version'\n";
  out += "complete -c audiencesync -n __fish_use_subcommand -l help -d 'show the help'\n";
  for (const auto& row : command_table()) {
    out += fmt::format("complete -c audiencesync -n __fish_use_subcommand -a {} -d '{}'\n", row.name,
                       shell_text(row.summary));
  }
  for (const auto& row : command_table()) {
    for (const auto& option : options_of(row)) out += fish_option(row, option);
    out += fish_operands(row);
  }
  return out;
}

}  // namespace audiencesync
