#pragma once

#include <span>
#include <string_view>

#include "engine/http/message.h"

namespace audiencesync::http {

/// A POST that only reads. `*` stands for exactly one segment of the path.
struct ReadOnlyPost {
  Service service;
  std::string_view path;
};

/// The one table of them; every other POST counts as a write and reaches the platform only through a WriteClient.
/// Tests hold the emulator's log of calls against it. The token service is not in it: TokenSource alone calls that.
std::span<const ReadOnlyPost> read_only_posts();

/// True when a POST to `path` (a query is ignored) is in the table.
bool is_read_only_post(Service service, std::string_view path);

/// True for the estimate preview, which leaves a job behind on the platform: it is never called at all.
bool is_forbidden_post(std::string_view path);

}  // namespace audiencesync::http
