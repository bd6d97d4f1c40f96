#include "engine/http/read_only_posts.h"

#include <algorithm>
#include <array>

#include "engine/http/url.h"

namespace audiencesync::http {
namespace {

constexpr std::array kReadOnlyPosts{
    ReadOnlyPost{Service::Platform, "/data/core/ups/audiences/bulk-get"},
    ReadOnlyPost{Service::Platform, "/data/core/ups/segment/definitions/bulk-get"},
    ReadOnlyPost{Service::Analytics, "/reports"},
    ReadOnlyPost{Service::Analytics, "/data/dataviews/validate"},
    ReadOnlyPost{Service::Analytics, "/segments/validate"},
    ReadOnlyPost{Service::Analytics, "/calculatedmetrics/validate"},
};

/// Takes the first segment off `path`, which begins with '/'.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && path.starts_with('/')) {
    const auto wanted = take_segment(pattern);
    const auto segment = take_segment(path);
    if (wanted == "*" ? segment.empty() : wanted != segment) return false;
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const ReadOnlyPost> read_only_posts() { return kReadOnlyPosts; }

bool is_read_only_post(Service service, std::string_view path) {
  path = without_query(path);
  return std::any_of(kReadOnlyPosts.begin(), kReadOnlyPosts.end(),
                     [&](const ReadOnlyPost& post) { return post.service == service && matches(post.path, path); });
}

bool is_forbidden_post(std::string_view path) { return matches("/data/core/ups/preview", without_query(path)); }

}  // namespace audiencesync::http
