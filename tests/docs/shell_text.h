#pragma once

#include <string>
#include <vector>

#include "tests/docs/document.h"

namespace audiencesync::docs {

/// The words after `audiencesync` of one command line, and where it is shown.
struct ShownCommand {
  std::vector<std::string> words;
  std::string where;  // document:line, or the document for inline code
};

/// Every `audiencesync ...` that documents show: lines of blocks in any language (with or without `$ `, as an
/// ExecStart, behind `<`, `>`, `|` or a comment), and inline code of more than the command's name. What stands for a
/// value (DIGEST, N) is replaced by one.
std::vector<ShownCommand> shown_commands(const std::vector<Document>& documents);

}  // namespace audiencesync::docs
