#include "engine/http/url.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync::http {
namespace {

bool may_stand_in_url(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '#'; }

}  // namespace

std::string_view without_query(std::string_view path) { return path.substr(0, path.find('?')); }

Result<std::string> path_and_query(std::string_view link) {
  auto rest = link;
  if (!rest.starts_with('/') || rest.starts_with("//")) {
    const auto scheme = rest.find("//");
    const auto before = rest.substr(0, scheme);
    if (scheme == std::string_view::npos || (before != "" && before != "https:" && before != "http:")) {
      return Error(ErrorCode::Corrupt, "a link of the platform is neither an http URL nor a path from the root");
    }
    rest = rest.substr(scheme + 2);
    rest = rest.substr(std::min(rest.find_first_of("/?#"), rest.size()));
  }
  rest = rest.substr(0, rest.find('#'));
  std::string out = rest.starts_with('/') ? "" : "/";
  for (const char c : rest) {
    if (may_stand_in_url(c)) {
      out += c;
    } else {
      out += encode_segment(std::string_view(&c, 1));
    }
  }
  return out;
}

Result<std::string> make_url(const std::string& origin, const std::string& path, const Query& query) {
  if (!path.starts_with('/') || !std::all_of(path.begin(), path.end(), may_stand_in_url)) {
    return Error(ErrorCode::Internal,
                 fmt::format("the path '{}' of a request is not a percent-encoded path from the root; encode its "
                             "variable segments",
                             without_query(path)));
  }
  std::string url = origin;
  while (!url.empty() && url.back() == '/') url.pop_back();
  url += path;
  char separator = path.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : query) {
    url += separator;
    url += encode_segment(name) + '=' + encode_segment(value);
    separator = '&';
  }
  return url;
}

}  // namespace audiencesync::http
