#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/value.h"

namespace audiencesync {

/// Canonical JSON: no blanks, keys sorted by their bytes, shortest round-trip numbers, UTF-8 kept as it is.
/// Equal values give equal bytes whatever the locale, so digests are taken over this form.
std::string to_json(const Value& value);

/// The same value for people: two blanks of indentation, one member a line.
std::string to_json_pretty(const Value& value);

/// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Parses one JSON text. Errors: Corrupt with what the parser met; integers beyond 64 bits become doubles.
Result<Value> parse_json(std::string_view text);

}  // namespace audiencesync
