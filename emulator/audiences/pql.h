#pragma once

#include <functional>
#include <string>

namespace emulator {

/// Why an expression cannot be evaluated, in words for the answer.
struct PqlFailure {
  std::string message;
};

/// What the names in an expression stand for. Both give SQL over one person, or throw PqlFailure.
struct PqlNames {
  std::function<std::string(const std::string& path)> field;          // a text
  std::function<std::string(const std::string& audience)> is_member;  // a condition
};

/// The SQL condition of a `pql/text` expression: comparisons of fields with literals, `in [..]`, `isNull(..)`,
/// `isNotNull(..)`, `inSegment("id")`, the text functions equals, notEqualTo, startsWith, endsWith and contains (with
/// an optional second argument, false for "whatever the case"), and, or, not and brackets. Keywords in any case.
///
/// Throws PqlFailure that names the first word it did not understand.
std::string pql_condition(const std::string& expression, const PqlNames& names);

}  // namespace emulator
