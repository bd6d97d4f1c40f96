#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace audiencesync {

/// Bytes of the valid UTF-8 character at `at`, 0 when there is none.
std::size_t utf8_length(std::string_view text, std::size_t at);

/// Number of characters; a byte that is not UTF-8 counts as one.
std::size_t count_characters(std::string_view text);

/// Whether a character below U+0020, DEL, or a C1 control is in the text.
bool has_control_character(std::string_view text);

/// The text as it may appear in a message: in single quotes, at most 60 characters, control characters as '?', and
/// nothing but a remark when it looks like a credential.
std::string shown(std::string_view text);

}  // namespace audiencesync
