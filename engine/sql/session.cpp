#include "engine/sql/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace audiencesync::sql {
namespace {

char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

}  // namespace

Result<std::size_t> Rows::column(std::string_view name) const {
  const auto is_it = [&](const std::string& column) { return same_name(column, name); };
  const auto found = std::find_if(columns.begin(), columns.end(), is_it);
  if (found != columns.end() && std::find_if(found + 1, columns.end(), is_it) == columns.end())
    return static_cast<std::size_t>(found - columns.begin());
  return Error(ErrorCode::Corrupt, fmt::format("the answer has {} column '{}' among its {}",
                                               found == columns.end() ? "no" : "more than one", name, columns.size()));
}

Result<std::int64_t> Rows::number(std::size_t row, std::string_view name) const {
  const auto at = TRY(column(name));
  if (row >= rows.size()) {
    return Error(ErrorCode::Corrupt, fmt::format("the answer has {} rows, and row {} was expected to hold '{}'",
                                                 rows.size(), row + 1, name));
  }
  const auto& cell = rows[row].at(at);
  std::int64_t value = 0;
  if (cell) {
    const auto* end = cell->data() + cell->size();
    const auto read = std::from_chars(cell->data(), end, value);
    if (read.ec == std::errc() && read.ptr == end && !cell->empty()) return value;
  }
  // Not the value: what stands where a number should be may be a person's id.
  return Error(ErrorCode::Corrupt, fmt::format("'{}' of row {} of the answer is {} and not a number", name, row + 1,
                                               cell ? "text" : "NULL"));
}

Result<void> check_whole(const Query& query, std::uint64_t rows) {
  if (query.expected && *query.expected != rows) {
    return Error(ErrorCode::Corrupt,
                 fmt::format("{}: {} rows came and {} were counted{}", query.what, rows, *query.expected,
                             rows == kSilentCap ? "; the platform cuts interactive answers there" : ""));
  }
  if (!query.expected && rows == kSilentCap) {
    return Error(ErrorCode::Corrupt, fmt::format("{}: exactly {} rows came, where the platform cuts answers without a "
                                                 "word; ask in smaller parts, or count first",
                                                 query.what, rows));
  }
  return {};
}

}  // namespace audiencesync::sql
