#pragma once

#include <string_view>
#include <vector>

#include "daemon/options.h"

namespace audiencesync {

/// What the value of an option is, for completion. Paths: one or more files or folders, the option perhaps repeated.
enum class Takes { Nothing, File, Folder, Paths, Word, Text };

/// One option of a command: the only description of it, from which parsing, help and completion come.
struct OptionRow {
  std::string_view name;  // without the dashes
  std::string_view help;
  Takes takes = Takes::Nothing;
  std::string_view value = {};               // as the help shows it
  std::vector<std::string_view> words = {};  // for Takes::Word: the first is the default
  std::string_view fallback = {};            // for others: the default as it would be typed
};

/// What the operands of a command are, for completion.
enum class Operands { None, Manifests, Syncs, PlanDigest, Words };

struct ExampleRow {
  std::string_view line;
  std::string_view tells;
};

enum class CommandGroup { Review, Change, Follow, Program };

/// One command: the only description of it.
struct CommandRow {
  Command command;
  CommandGroup group;
  std::string_view name;
  std::string_view usage;  // of its operands
  std::string_view summary;
  std::string_view tells;  // what the help adds to the summary
  Operands operands = Operands::None;
  std::vector<std::string_view> words = {};  // for Operands::Words
  std::vector<OptionRow> options = {};
  std::vector<ExampleRow> examples = {};
};

const std::vector<CommandRow>& command_table();
/// Options that every command takes.
const std::vector<OptionRow>& common_options();
/// Null when there is no such command.
const CommandRow* command_row(std::string_view name);

std::string_view to_string(CommandGroup group);

}  // namespace audiencesync
