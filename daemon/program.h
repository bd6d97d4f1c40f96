#pragma once

#include <iosfwd>
#include <stop_token>

#include "daemon/adapters.h"
#include "daemon/options.h"
#include "engine/model/outcome.h"

namespace audiencesync {

/// Where a command talks to: data on `out`, everything else on `err`. `ask` puts a question to the person at the
/// terminal and is empty when there is none.
struct Console {
  std::ostream& out;
  std::ostream& err;
  std::function<bool(const std::string& question)> ask;
};

/// The whole program behind main(): parses, runs the command, says how it ended. Never throws.
ExitCode run_program(const std::vector<std::string>& arguments, const Adapters& adapters, const Console& console,
                     std::stop_token stop);

}  // namespace audiencesync
