#include <fmt/format.h>

#include <algorithm>

#include "engine/base/files.h"
#include "engine/manifest/field_checks.h"
#include "engine/manifest/scalar_values.h"
#include "engine/manifest/utf8.h"

// Checks of the settings about repositories and the listener.

namespace audiencesync {
namespace {

bool is_graphic(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char each) { return each > ' ' && each < '\x7f'; });
}

bool climbs(std::string_view text) {
  const Path path(text);
  return std::any_of(path.begin(), path.end(), [](const Path& part) { return part == ".."; });
}

bool is_loopback_url(std::string_view rest) {
  const auto host = rest.substr(0, rest.find_first_of("/:", rest.starts_with('[') ? rest.find(']') : 0));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace

std::optional<std::string> check_git_url(std::string_view text) {
  constexpr std::string_view kAdvice =
      "write https://host/path, ssh://user@host/path, user@host:path, or the whole "
      "path of a repository of this machine";
  if (text.empty() || !is_graphic(text) || text.starts_with('-')) {
    return fmt::format("is not the address of a repository; {}", kAdvice);
  }
  if (text.starts_with('/')) return std::nullopt;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    const auto colon = text.find(':');
    const auto at = text.find('@');
    if (at != std::string_view::npos && colon != std::string_view::npos && 0 < at && at + 1 < colon)
      return std::nullopt;
    return fmt::format("is not the address of a repository; {}", kAdvice);
  }
  const auto scheme = text.substr(0, scheme_end);
  const auto rest = text.substr(scheme_end + 3);
  if (scheme == "file" && rest.starts_with('/')) return std::nullopt;
  if (scheme == "ssh" && !rest.empty()) return std::nullopt;
  if (scheme == "https" || scheme == "http") {
    if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
      return "has a user in it; write the address alone, and the rest as username and token_file";
    }
    if (scheme == "http" && !is_loopback_url(rest)) {
      return "could be changed by anybody on the way; write https:// (http:// is for loopback only)";
    }
    if (!rest.empty()) return std::nullopt;
  }
  return fmt::format("is not the address of a repository; {}", kAdvice);
}

std::optional<std::string> check_branch(std::string_view text) {
  // What git itself allows, without what has a meaning of its own somewhere.
  const bool fits = !text.empty() && text.size() <= 250 && is_graphic(text) && !text.starts_with('-') &&
                    !text.starts_with('/') && !text.ends_with('/') && !text.ends_with('.') &&
                    !text.ends_with(".lock") && text.find("..") == std::string_view::npos &&
                    text.find("//") == std::string_view::npos &&
                    text.find_first_of("~^:?*[\\@{}") == std::string_view::npos;
  if (fits) return std::nullopt;
  return "is not the name of a branch; write it without refs/heads/, for example main";
}

std::optional<std::string> check_tree_path(std::string_view text) {
  const bool fits = !text.empty() && !has_control_character(text) && !text.starts_with('/') && !climbs(text) &&
                    text.find('\\') == std::string_view::npos && text.find("//") == std::string_view::npos;
  if (fits) return std::nullopt;
  return "is not a folder of a repository; write it from the root of the repository on, without '..', for example "
         "manifests";
}

std::optional<std::string> check_listen_address(std::string_view text) {
  constexpr std::string_view kAdvice = "is not an address to listen on; write host:port, for example 127.0.0.1:8443";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !is_graphic(text)) return std::string(kAdvice);
  const auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (!bracketed && host.find_first_of(":[]/@") != std::string_view::npos) return std::string(kAdvice);
  const auto port = parse_count(text.substr(colon + 1));
  if (!port || *port > 65535) return std::string(kAdvice);
  return std::nullopt;
}

std::optional<std::string> check_plans_at_a_time(std::string_view text) {
  const auto count = parse_count(text);
  if (count && (*count == 0 || *count > 16)) return "is not possible; write 1 to 16";
  return std::nullopt;
}

}  // namespace audiencesync
