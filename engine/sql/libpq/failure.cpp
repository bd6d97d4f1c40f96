#include "engine/sql/libpq/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace audiencesync::sql {
namespace {

constexpr std::size_t kMostBytes = 300;
constexpr std::size_t kStateLength = 5;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// One line without control characters, cut between characters.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kMostBytes * 2)) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.size() > kMostBytes) {
    auto end = kMostBytes;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
    line.resize(end);
  }
  while (line.ends_with(' ')) line.pop_back();
  if (line.ends_with('.') && !line.ends_with("..")) line.pop_back();
  return line;
}

/// Everything in quotation marks, and every word that could be an address or a long number, as "...".
std::string without_quotes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\'' || c == '"' || c == '`') {
      const auto end = text.find(c, at + 1);
      out += "'...'";
      // Without an end, or with quotation marks inside: too little is better than too much.
      at = end == std::string_view::npos ? text.size() : text.rfind(c) + 1;
      continue;
    }
    const auto end = std::min(text.find_first_of(" \t\r\n'\"`", at), text.size());
    const auto word = text.substr(at, std::max<std::size_t>(end - at, 1));
    const auto digits = std::count_if(word.begin(), word.end(), [](char d) { return d >= '0' && d <= '9'; });
    out += contains(word, "@") || digits > 6 ? std::string("...") : std::string(word);
    at += word.size();
  }
  return out;
}

/// Of names and grammar; features; resources; operators: their messages quote our statement, never a row.
bool is_about_the_statement(std::string_view state) {
  return state.starts_with("42") || state.starts_with("0A") || state.starts_with("53") || state.starts_with("28") ||
         state.starts_with("57");
}

bool is_state(std::string_view text) {
  return text.size() == kStateLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

struct Refusal {
  std::string state;
  std::string message;
};

/// What the server said when it refused: `FATAL:  28P01: the words`.
std::optional<Refusal> refusal_in(std::string_view said) {
  for (auto at = said.find(":  "); at != std::string_view::npos; at = said.find(":  ", at + 1)) {
    const auto rest = said.substr(at + 3);
    if (!is_state(rest.substr(0, kStateLength)) || !rest.substr(kStateLength).starts_with(": ")) continue;
    const auto words = rest.substr(kStateLength + 2);
    return Refusal{std::string(rest.substr(0, kStateLength)), std::string(words.substr(0, words.find('\n')))};
  }
  return std::nullopt;
}

std::string without(std::string text, const Secret& password) {
  if (password.empty()) return text;
  for (auto at = text.find(password.reveal()); at != std::string::npos; at = text.find(password.reveal()))
    text.replace(at, password.reveal().size(), "...");
  return text;
}

}  // namespace

ErrorCode code_of_state(std::string_view state, std::string_view message) {
  if (state == "42P01" || state == "42704") return ErrorCode::NotFound;
  if (state == "42501") return ErrorCode::Permission;
  if (state.starts_with("28")) return ErrorCode::Authentication;
  if (state.starts_with("0A")) return ErrorCode::Unsupported;
  if (state == "57014") return ErrorCode::Unavailable;  // somebody else cancelled it
  if (state == "53400" && (contains(message, "timeout") || contains(message, "Timeout"))) return ErrorCode::Timeout;
  for (const std::string_view passing : {"53", "57", "58", "08"}) {
    if (state.starts_with(passing)) return ErrorCode::Unavailable;
  }
  return ErrorCode::Rejected;
}

Error statement_error(std::string_view state, std::string_view message) {
  const auto said = is_about_the_statement(state) ? std::string(message) : without_quotes(message);
  return Error(code_of_state(state, message), fmt::format("{} (SQLSTATE {})", one_line(said), state));
}

Error connection_error(const std::string& host, std::string_view said, const Secret& password) {
  const auto words = without(std::string(said), password);
  if (const auto refusal = refusal_in(words)) {
    auto message = fmt::format("{}: {} (SQLSTATE {})", host, one_line(refusal->message), refusal->state);
    if (refusal->state == "42P12") message += "; is Query Service part of this sandbox?";
    return Error(code_of_state(refusal->state, refusal->message), std::move(message));
  }
  // libpq begins with where it connected to, in a form of its own.
  const auto failed = words.find(" failed: ");
  const auto line = one_line(failed == std::string::npos ? words : words.substr(failed + 9));
  if (contains(line, "certificate")) {
    return Error(ErrorCode::Refused,
                 fmt::format("{}: its certificate is not accepted ({}); install the certificate authority on this "
                             "machine if the server is the right one",
                             host, line));
  }
  return Error(ErrorCode::Unavailable, fmt::format("{}: {}", host, line));
}

}  // namespace audiencesync::sql
