#include "engine/base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace audiencesync {
namespace {

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";  // JSON has no other word for it
    return;
  }
  if (number == 0) number = 0;  // "-0" would come back as the integer 0, whose text differs
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

// Length of the valid UTF-8 sequence that starts at `at`, 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  if (lead >= 0xC2 && lead <= 0xDF) return continues(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned second = byte(at + 1);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return continues(at + 1) && continues(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned second = byte(at + 1);
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
    return continues(at + 1) && continues(at + 2) && continues(at + 3) ? 4 : 0;
  }
  return 0;
}

void append(std::string& out, const Value& value, int depth, bool pretty) {
  const auto line = [&](int level) {
    if (pretty) out.append(1, '\n').append(static_cast<std::size_t>(level) * 2, ' ');
  };
  if (const auto* flag = value.bool_if()) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = value.integer_if()) {
    out += std::to_string(*integer);
  } else if (const auto* real = value.double_if()) {
    append_number(out, *real);
  } else if (const auto* text = value.string_if()) {
    append_json_string(out, *text);
  } else if (const auto* array = value.array_if()) {
    out += '[';
    bool first = true;
    for (const auto& item : *array) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      append(out, item, depth + 1, pretty);
    }
    if (!first) line(depth);
    out += ']';
  } else if (const auto* object = value.object_if()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      append_json_string(out, key);
      out += pretty ? ": " : ":";
      append(out, member, depth + 1, pretty);
    }
    if (!first) line(depth);
    out += '}';
  } else {
    out += "null";
  }
}

Value convert(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      Value::Array array;
      for (const auto item : simdjson::dom::array(element)) array.push_back(convert(item));
      return array;
    }
    case element_type::OBJECT: {
      Value::Object object;
      for (const auto [key, member] : simdjson::dom::object(element)) object[std::string(key)] = convert(member);
      return object;
    }
    case element_type::INT64:
      return std::int64_t(element);
    case element_type::UINT64:
      return static_cast<double>(std::uint64_t(element));
    case element_type::DOUBLE:
      return double(element);
    case element_type::STRING:
      return std::string(std::string_view(element));
    case element_type::BOOL:
      return bool(element);
    case element_type::NULL_VALUE:
      return nullptr;
  }
  return nullptr;
}

bool fits_64_bits(std::string_view digits) {
  std::uint64_t number = 0;
  const auto* const end = digits.data() + digits.size();
  if (digits.front() != '-') return std::from_chars(digits.data(), end, number).ec == std::errc{};
  std::int64_t negative = 0;
  return std::from_chars(digits.data(), end, negative).ec == std::errc{};
}

// The same JSON with integers beyond 64 bits written as decimals, which the parser does take.
std::string widen_integers(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  bool quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    const char character = text[at];
    if (quoted || (character != '-' && (character < '0' || character > '9'))) {
      if (character == '"') quoted = !quoted;
      const std::size_t length = quoted && character == '\\' ? 2 : 1;
      out += text.substr(at, length);
      at += length;
      continue;
    }
    const auto end = std::min(text.find_first_not_of("+-.0123456789eE", at), text.size());
    const auto number = text.substr(at, end - at);
    out += number;
    const bool integer = number.find_first_of(".eE") == std::string_view::npos;
    if (integer && !fits_64_bits(number)) out += ".0";
    at = end;
  }
  return out;
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  append(out, value, 0, false);
  return out;
}

std::string to_json_pretty(const Value& value) {
  std::string out;
  append(out, value, 0, true);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto length = sequence_length(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (length > 1) {
      out.append(text.substr(at, length));
      at += length;
      continue;
    }
    const char character = text[at++];
    switch (character) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(character) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(character));
        } else {
          out += character;
        }
    }
  }
  out += '"';
}

Result<Value> parse_json(std::string_view text) {
  // One parser for each call: bodies are small, and the function stays safe for threads.
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  simdjson::padded_string padded(text);
  auto failure = parser.parse(padded).get(element);
  if (failure == simdjson::NUMBER_ERROR) {
    padded = simdjson::padded_string(widen_integers(text));
    failure = parser.parse(padded).get(element);
  }
  if (failure != simdjson::SUCCESS) {
    return Error(ErrorCode::Corrupt, fmt::format("not JSON: {}", simdjson::error_message(failure)));
  }
  try {
    return convert(element);
  } catch (const simdjson::simdjson_error& thrown) {
    return Error(ErrorCode::Corrupt, fmt::format("not JSON: {}", thrown.what()));
  }
}

}  // namespace audiencesync
