#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace audiencesync::platform {

/// A message of the platform without what may identify a person: mail addresses, long runs of digits (phone numbers),
/// long hex texts (hashed ids) and every text of `known`. Names of fields and codes stay.
std::string redacted(std::string_view message, const std::vector<std::string>& known = {});

}  // namespace audiencesync::platform
