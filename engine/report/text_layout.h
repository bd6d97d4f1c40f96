#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace audiencesync {

/// Texts for people keep to this many columns.
inline constexpr std::size_t kTextWidth = 80;

/// How many columns a terminal gives the text: two for a wide character, none for a combining one.
std::size_t columns_of(std::string_view text);

/// The text without anything that commands a terminal, breaks a line or turns the direction of reading: names come from
/// the platform. Each such character becomes a blank.
std::string printable(std::string_view text);

/// Printable, and exactly `width` columns: padded with blanks on the right, or cut at a character and ended with "~".
std::string fit_left(std::string_view text, std::size_t width);
/// The same, padded on the left and never cut.
std::string fit_right(std::string_view text, std::size_t width);
/// Printable, and at most `width` columns; cut as by `fit_left`.
std::string cut(std::string_view text, std::size_t width);

/// `lead`, then the text, broken at blanks so that no line is wider than `kTextWidth`; further lines begin below the
/// text. A word that is wider than a line is cut into lines. Ends with a line break. `lead` must be narrower than 60.
std::string paragraph(std::string_view lead, std::string_view text);

/// What to type stays in one piece, however long: behind `text`, or on a line of its own when it does not fit there.
std::string text_and_command(std::string_view text, std::string_view command);

}  // namespace audiencesync
