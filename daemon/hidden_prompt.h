#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace audiencesync {

/// Asks at the terminal on stderr and reads a line from stdin that the terminal does not show. nullopt at the end of
/// the input, and when `stop` is requested meanwhile. The terminal shows what is typed again afterwards in every case.
std::optional<std::string> ask_without_echo(const std::string& question, const std::stop_token& stop);

}  // namespace audiencesync
