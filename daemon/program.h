#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daemon/adapters.h"
#include "daemon/options.h"
#include "engine/model/outcome.h"

namespace audiencesync {

/// Where a command talks to: data on `out`, everything else on `err`. `ask` puts a question to the person at the
/// terminal and is empty when there is none; `ask_hidden` asks for a line that the terminal does not show, nullopt when
/// the person gave up. `in` is data sent to the program, null when there can be none.
struct Console {
  std::ostream& out;
  std::ostream& err;
  std::function<bool(const std::string& question)> ask;
  std::function<std::optional<std::string>(const std::string& question)> ask_hidden = {};
  std::istream* in = nullptr;
};

/// The whole program behind main(): parses, runs the command, says how it ended. Never throws.
ExitCode run_program(const std::vector<std::string>& arguments, const Adapters& adapters, const Console& console,
                     std::stop_token stop);

}  // namespace audiencesync
