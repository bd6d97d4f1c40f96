#include "engine/http/error_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

#include "engine/base/json.h"

namespace audiencesync::http {
namespace {

constexpr std::size_t kMostBytes = 300;
constexpr std::size_t kMostCodeBytes = 80;
// Longer bodies are not read further for a message: what matters comes first, and masking must stay cheap.
constexpr std::size_t kMostTextBytes = 4096;
constexpr std::size_t kMostJsonBytes = 1 << 20;

bool is_boundary(char c) {
  return static_cast<unsigned char>(c) <= ' ' ||
         std::string_view("<>()[]{},;:\"'`=&/\\|").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return out;
}

/// Where the address around the at-sign [`at`, `at` + `length`) ends; `at` itself when it is none.
std::size_t end_of_address(std::string_view text, std::size_t at, std::size_t length) {
  std::size_t end = at + length;
  while (end < text.size() && !is_boundary(text[end])) ++end;
  const auto domain = text.substr(at + length, end - at - length);
  if (domain.empty()) return at;
  // Organisation ids have the form of an address, name no person, and are what support asks for.
  return domain.starts_with("AdobeOrg") ? at : end;
}

std::string mask_addresses(std::string_view text) {
  std::string out;
  std::size_t done = 0;  // of `text`, already in `out`
  std::size_t from = 0;
  while (from < text.size()) {
    const auto plain = text.find('@', from);
    const auto encoded = text.find("%40", from);
    const auto at = std::min(plain, encoded);
    if (at == std::string_view::npos) break;
    const std::size_t length = at == plain ? 1 : 3;
    const auto end = end_of_address(text, at, length);
    from = at + length;
    if (end == at) continue;
    std::size_t begin = at;
    while (begin > done && !is_boundary(text[begin - 1])) --begin;
    out += text.substr(done, begin - done);
    out += "<address>";
    done = end;
    from = end;
  }
  out += text.substr(done);
  return out;
}

/// Cuts at a character, not inside one.
void cut(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
}

std::string presentable_within(std::string_view text, std::size_t most) {
  if (text.size() > kMostTextBytes) {
    text = text.substr(0, kMostTextBytes);
    // The last word may be the first half of an address that is no longer recognised as one.
    text = text.substr(0, std::min(text.find_last_of(" \t\r\n\","), text.size()));
  }
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  line = mask_addresses(line);
  cut(line, most);
  return line;
}

/// The text of a member that some services write as a string and others as a number.
std::string word(const Value& value, std::string_view key) {
  if (auto text = value.text(key); !text.empty()) return text;
  const auto number = value.number(key);
  return number ? std::to_string(*number) : std::string{};
}

std::string first_of(const Value& value, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (auto text = word(value, key); !text.empty()) return text;
  }
  return {};
}

/// The code of a problem is the last segment of its type, SERVICE-number-status; placeholders have no such form.
std::string code_of_type(const std::string& type) {
  const auto slash = type.find_last_of('/');
  auto last = slash == std::string::npos ? type : type.substr(slash + 1);
  const bool has_digit = std::any_of(last.begin(), last.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return has_digit && last.find('-') != std::string::npos ? last : std::string{};
}

/// `errors` of segmentation: lists of {code, message} keyed by status; of others, such a list itself.
const Value* first_listed(const Value& errors) {
  if (const auto* list = errors.array_if()) return list->empty() ? nullptr : &list->front();
  const auto* keyed = errors.object_if();
  if (keyed == nullptr) return nullptr;
  for (const auto& [status, list] : *keyed) {
    if (const auto* items = list.array_if(); items != nullptr && !items->empty()) return &items->front();
  }
  return nullptr;
}

/// The code that says more: segmentation repeats the bare status as the code of an entry.
std::string better_code(std::string ours, const std::string& other, int status) {
  if (other.empty() || other == std::to_string(status)) return ours;
  return ours.empty() ? other : ours;
}

std::string joined(std::string title, const std::string& detail) {
  if (title.empty() || detail.starts_with(title)) return detail;
  if (detail.empty() || title.find(detail) != std::string::npos) return title;
  return title + ": " + detail;
}

ErrorBody read_object(int status, const Value& object) {
  ErrorBody out;
  const Value* report = object.find("report");
  out.code = first_of(object, {"error_code", "errorCode"});
  if (out.code.empty()) out.code = code_of_type(object.text("type"));

  std::string title = object.text("title");
  std::string detail = first_of(object, {"detail", "message", "errorDescription", "error_description"});
  if (const Value* error = object.find("error"); error != nullptr && error->string_if() != nullptr) {
    // OAuth: the word is the code; identity: the word is the reason phrase of the status.
    if (out.code.empty() && title.empty()) out.code = *error->string_if();
    if (title.empty() && detail.empty()) title = *error->string_if();
  }
  if (report != nullptr && detail.empty()) detail = first_of(*report, {"detailed-message", "message"});

  if (const Value* errors = object.find("errors")) {
    if (const Value* entry = first_listed(*errors)) {
      out.code = better_code(out.code, first_of(*entry, {"code", "errorCode"}), status);
      if (const auto text = entry->text("message"); !text.empty()) detail = text;
    }
  }
  if (out.code.empty()) {
    const auto& chain = object.items("error-chain");
    if (!chain.empty()) out.code = chain.front().text("errorCode");
  }
  out.message = joined(std::move(title), detail);
  out.request_id = first_of(object, {"requestId", "request_id", "errorId"});
  if (out.request_id.empty() && report != nullptr)
    out.request_id = first_of(*report, {"registryRequestId", "requestId"});
  return out;
}

}  // namespace

std::string presentable(std::string_view text) { return presentable_within(text, kMostBytes); }

Page page_of(const Headers& headers, std::string_view body) {
  if (const auto type = headers.find("content-type"); type != headers.end()) {
    if (lower(type->second).starts_with("text/html")) return Page::Html;
  }
  const auto begin = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (begin == std::string_view::npos) return Page::Api;
  const auto start = lower(body.substr(begin, 14));
  return start.starts_with("<!doctype html") || start.starts_with("<html") ? Page::Html : Page::Api;
}

std::string request_id_of(const Headers& headers) {
  for (const char* name : {"x-request-id", "x-adobe-request-id", "x-correlation-id"}) {
    if (const auto field = headers.find(name); field != headers.end() && !field->second.empty()) {
      return presentable_within(field->second, kMostCodeBytes);
    }
  }
  return {};
}

ErrorCode code_of(int status) {
  switch (status) {
    case 401:
      return ErrorCode::Authentication;
    case 403:
      return ErrorCode::Permission;
    case 404:
    case 410:
      return ErrorCode::NotFound;
    case 409:
    case 412:
      return ErrorCode::Conflict;
    case 408:
    case 429:
      return ErrorCode::Unavailable;
    default:
      return status >= 500 ? ErrorCode::Unavailable : ErrorCode::Rejected;
  }
}

ErrorBody parse_error_body(int status, const Headers& headers, std::string_view body) {
  ErrorBody out;
  if (page_of(headers, body) == Page::Html) {
    out.message = fmt::format("an HTML page (status {})", status);
  } else {
    const auto begin = body.find_first_not_of(" \t\r\n");
    const bool looks_like_json = begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
    bool read = false;
    if (looks_like_json && body.size() <= kMostJsonBytes) {
      if (auto value = parse_json(body); value.ok()) {
        const auto* list = value->array_if();
        const Value& object = list != nullptr && !list->empty() ? list->front() : *value;
        if (object.is_object()) {
          out = read_object(status, object);
          read = true;
        }
      }
    }
    // JSON we do not know may hold records: its text is not repeated.
    if (!read)
      out.message = looks_like_json ? std::string("an answer of an unknown form")
                                    : std::string(body.substr(0, 2 * kMostTextBytes));
    out.code = presentable_within(out.code, kMostCodeBytes);
    out.message = presentable(out.message);
    out.request_id = presentable_within(out.request_id, kMostCodeBytes);
  }
  if (auto id = request_id_of(headers); !id.empty()) out.request_id = std::move(id);
  return out;
}

}  // namespace audiencesync::http
