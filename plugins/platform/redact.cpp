#include "plugins/platform/redact.h"

#include <algorithm>

namespace audiencesync::platform {
namespace {

constexpr std::string_view kMark = "***";
constexpr std::size_t kLongestPlainNumber = 6;  // row counts and codes; longer ones may be phone numbers
constexpr std::size_t kShortestHash = 24;
constexpr std::size_t kShortestKnown = 2;  // replacing single letters would garble every word

bool is_delimiter(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '"' || c == '\'' || c == '`' || c == ',' || c == ';' ||
         c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' || c == '<' || c == '>' || c == '=';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool may_identify(std::string_view token) {
  if (token.find('@') != std::string_view::npos) return true;
  const auto digits = std::count_if(token.begin(), token.end(), is_digit);
  const bool number =
      std::all_of(token.begin(), token.end(), [](char c) { return is_digit(c) || c == '+' || c == '-' || c == '.'; });
  if (number && static_cast<std::size_t>(digits) > kLongestPlainNumber) return true;
  return token.size() >= kShortestHash && digits > 0 && std::all_of(token.begin(), token.end(), is_hex);
}

}  // namespace

std::string redacted(std::string_view message, const std::vector<std::string>& known) {
  std::string text(message);
  for (const auto& secret : known) {
    if (secret.size() < kShortestKnown) continue;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + kMark.size()))
      text.replace(at, secret.size(), kMark);
  }
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    if (is_delimiter(text[begin])) {
      out.push_back(text[begin++]);
      continue;
    }
    const auto end = static_cast<std::size_t>(
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), is_delimiter) - text.begin());
    const auto token = std::string_view(text).substr(begin, end - begin);
    out += may_identify(token) ? kMark : token;
    begin = end;
  }
  return out;
}

}  // namespace audiencesync::platform
