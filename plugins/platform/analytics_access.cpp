#include "plugins/platform/analytics_access.h"

#include <fmt/format.h>

namespace audiencesync::platform {

std::optional<std::string> cannot_check(const Error& error, std::string_view rights) {
  switch (error.code()) {
    case ErrorCode::Permission:
      return fmt::format("cannot check: needs {}", rights);
    case ErrorCode::Authentication:
      return "cannot check: needs the Customer Journey Analytics API in the project of the credential";
    case ErrorCode::NotFound:
    case ErrorCode::Conflict:
    case ErrorCode::Rejected:
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
    case ErrorCode::Corrupt:
      return fmt::format("cannot check: {}", error.text());
    default:
      return std::nullopt;
  }
}

}  // namespace audiencesync::platform
