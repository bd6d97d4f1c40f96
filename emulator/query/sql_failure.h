#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace emulator {

/// Why a statement does not run, as PostgreSQL clients are told: a SQLSTATE, a sentence, and where in the text.
struct SqlFailure : std::runtime_error {
  SqlFailure(std::string code, const std::string& message, std::optional<std::size_t> at = std::nullopt)
      : std::runtime_error(message), state(std::move(code)), offset(at) {}
  std::string state;
  std::optional<std::size_t> offset;  // bytes from the beginning of the statement's text
};

}  // namespace emulator
