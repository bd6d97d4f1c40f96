#include "daemon/help_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync {
namespace {

constexpr std::size_t kHelpWidth = 80;
constexpr std::size_t kLeastGap = 2;

// Breaks at blanks; every line but the first begins with `indent` blanks. `column`: where the text begins.
std::string wrapped(std::string_view text, std::size_t column, std::size_t indent) {
  std::string out;
  bool empty = true;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!empty && column + 1 + word.size() > kHelpWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
      empty = true;
    }
    if (!empty) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    empty = false;
  }
  return out;
}

std::string left_side(const OptionRow& option) {
  return fmt::format("  --{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
}

std::string right_side(const OptionRow& option) {
  std::string text(option.help);
  if (!option.words.empty()) text += fmt::format(" (default {})", option.words.front());
  if (!option.fallback.empty()) text += fmt::format(" (default {})", option.fallback);
  return text;
}

std::size_t left_width(const CommandRow& row) {
  std::size_t width = 0;
  for (const auto* options : {&row.options, &common_options()}) {
    for (const auto& option : *options) width = std::max(width, left_side(option).size());
  }
  return width + kLeastGap;
}

void add_options(std::string& out, std::string_view title, const std::vector<OptionRow>& options, std::size_t width) {
  if (options.empty()) return;
  out += fmt::format("\n{}\n", title);
  for (const auto& option : options) {
    out += fmt::format("{:<{}}{}\n", left_side(option), width, wrapped(right_side(option), width, width));
  }
}

std::string capital(std::string_view summary) {
  std::string out(summary);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  return out + ".";
}

}  // namespace

std::string general_help() {
  std::string out =
      "audiencesync keeps Experience Platform audiences in Customer Journey Analytics\n"
      "as YAML manifests declare them.\n\nusage: audiencesync COMMAND [options] [operands]\n";
  for (const auto group : {CommandGroup::Review, CommandGroup::Change, CommandGroup::Follow, CommandGroup::Program}) {
    out += fmt::format("\n{}\n", to_string(group));
    for (const auto& row : command_table()) {
      if (row.group == group) out += fmt::format("  {:<11} {}\n", row.name, row.summary);
    }
  }
  out +=
      "\nthe first time\n"
      "  audiencesync validate luma.yaml     every mistake with its line\n"
      "  audiencesync plan luma.yaml         what would happen; nothing does\n"
      "  audiencesync apply luma.yaml        shows it exactly, asks, does it, proves it\n"
      "  audiencesync status                 how it stands, and what waits for you\n"
      "\naudiencesync COMMAND --help explains a command with examples; audiencesync\n"
      "--version prints the version.\n\n"
      "exit codes: 0 converged or nothing to do, 1 failed, 2 changes pending, 3 waits\n"
      "for a person or an approval, 4 refused, 5 not finished, run again later,\n"
      "6 locked, 7 no access, 64 usage, 65 bad manifest or settings, 130/143\n"
      "interrupted, run again to continue\n";
  return out;
}

std::string command_help(const CommandRow& row) {
  std::string out = capital(row.summary) + "\n";
  if (!row.tells.empty()) out += wrapped(row.tells, 0, 0) + "\n";
  out += fmt::format("\nusage: audiencesync {} [options]{}{}\n", row.name, row.usage.empty() ? "" : " ", row.usage);
  const auto width = left_width(row);
  add_options(out, "options", row.options, width);
  add_options(out, "options of every command", common_options(), width);
  out += row.examples.size() == 1 ? "\nexample\n" : "\nexamples\n";
  for (const auto& example : row.examples) {
    out += fmt::format("  {}\n", example.line);
    if (!example.tells.empty()) out += "      " + wrapped(example.tells, 6, 6) + "\n";
  }
  return out;
}

}  // namespace audiencesync
