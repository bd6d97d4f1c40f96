#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

struct ToolResult {
  int code = -1;    // exit code, 128 + signal when it was killed
  std::string out;  // at most kMostToolOutput of what it printed
};

inline constexpr std::size_t kMostToolOutput = 256 * 1024;

/// Runs a program of this machine by its whole path, without a shell, with an environment of nothing but PATH and
/// LC_ALL=C; `input` is what it reads. What it says on stderr is dropped. Blocks; killed after `deadline`.
/// Errors: NotFound when it is not installed; Timeout; Io.
Result<ToolResult> run_tool(const std::vector<std::string>& command, std::string_view input, Duration deadline);

}  // namespace audiencesync
