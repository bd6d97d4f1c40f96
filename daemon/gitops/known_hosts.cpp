#include "daemon/gitops/known_hosts.h"

#include <fmt/format.h>

#include <sstream>

#include "daemon/gitops/run_tool.h"

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kKeygenPatience{20};

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const auto count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

}  // namespace

std::string known_host_name(std::string_view url) {
  const auto scheme = url.find("://");
  auto rest = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
  const auto authority_end = scheme == std::string_view::npos ? std::string_view::npos : rest.find('/');
  rest = rest.substr(0, authority_end);
  if (const auto at = rest.find('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (scheme == std::string_view::npos) return std::string(rest.substr(0, rest.find(':')));  // user@host:path
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto host = rest.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (colon == std::string_view::npos || rest.substr(colon + 1) == "22") return std::string(host);
  return fmt::format("[{}]:{}", host, rest.substr(colon + 1));
}

Result<bool> is_known_host(const Path& known_hosts, std::string_view url, std::string_view key) {
  std::error_code failure;
  if (!std::filesystem::exists(known_hosts, failure)) {
    return Error(ErrorCode::NotFound,
                 fmt::format("{}: there is no such file; ssh-keyscan {} shows the keys of the host, compare them with "
                             "what its operator says",
                             known_hosts.string(), known_host_name(url)));
  }
  const auto found = TRY(
      run_tool({"/usr/bin/ssh-keygen", "-F", known_host_name(url), "-f", known_hosts.string()}, "", kKeygenPatience));
  const auto wanted = base64(key);
  std::istringstream lines(found.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string type;
    std::string shown_key;
    words >> name >> type >> shown_key;
    // "@revoked" and "@cert-authority" come first on their lines, and neither says that this key is the host's.
    if (!name.starts_with('#') && !name.starts_with('@') && shown_key == wanted) return true;
  }
  return false;
}

}  // namespace audiencesync
