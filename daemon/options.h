#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

enum class Command { Help, Version, Validate, Plan, Apply, Status };
enum class Format { Text, Json };

/// The command line, checked.
struct Options {
  Command command = Command::Help;
  std::string help;  // for Help: what to print
  Path config = "/etc/audiencesync/audiencesync.yaml";
  bool config_given = false;
  Path state;  // --state; empty: from the settings
  Format format = Format::Text;
  Path out;  // --out; empty: stdout
  bool detailed_exitcode = false;
  bool fresh = false;
  bool refresh = true;
  bool auto_approve = false;
  bool verbose = false;
  std::vector<std::string> arguments;  // files, or names of syncs
};

/// Errors: Usage with what is wrong and what to type instead; Unsupported for words of a later version.
Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace audiencesync
