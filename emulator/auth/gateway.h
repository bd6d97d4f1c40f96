#pragma once

#include <optional>

#include "emulator/auth/tokens.h"

namespace emulator {

/// Whether access control forbids a call, by its path without encoding. Needs the objects locked.
bool is_denied(const Settings& settings, const std::string& method, const std::string& path);

/// What stands before every service: credentials, organisation, sandbox, and calls that access control forbids.
class Gateway {
 public:
  Gateway(Platform& platform, const Tokens& tokens) : platform_(platform), tokens_(tokens) {}

  /// The refusal, in the order the platform checks; nullopt when the call may pass.
  std::optional<Response> refuse(const Request& request, Gate gate) const;

 private:
  std::optional<Response> denied(const Request& request) const;

  Platform& platform_;
  const Tokens& tokens_;
};

}  // namespace emulator
