#pragma once

#include <string>
#include <string_view>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

/// How known_hosts names the host of an ssh address: `git.example.com`, or `[git.example.com]:2222`.
std::string known_host_name(std::string_view url);

/// Whether a file of known hosts (hashed names too) lists exactly this key, as sent by the host, for the host of `url`.
/// Asks ssh-keygen. Errors: of run_tool; NotFound when there is no such file.
Result<bool> is_known_host(const Path& known_hosts, std::string_view url, std::string_view key);

}  // namespace audiencesync
