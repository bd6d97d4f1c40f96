#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace audiencesync::sql {

/// What an interactive statement without LIMIT returns at most; the platform cuts there without a word.
inline constexpr std::uint64_t kSilentCap = 50'000;

/// One statement that only reads.
struct Query {
  std::string text;  // SELECT, WITH ... SELECT, or SHOW; one statement (see read_only.h)
  std::string what;  // what it is asked for, for messages: "the counts of the changeset"
  /// Rows that must come, when they were counted before: the only proof that nothing was cut off.
  std::optional<std::uint64_t> expected{};
  /// For the statement itself. The platform ends interactive ones after ten minutes, so a longer one has no sense.
  Duration deadline = std::chrono::minutes{11};
};

using Cell = std::optional<std::string>;  // as text; none is NULL

/// All rows of an answer.
struct Rows {
  std::vector<std::string> columns;  // as the statement names them; a name may stand twice
  std::vector<std::vector<Cell>> rows;

  /// Where a column stands, ASCII case aside. Errors: Corrupt when none or two are called so.
  Result<std::size_t> column(std::string_view name) const;
  /// A cell as a whole number. Errors: Corrupt for NULL, anything that is no number, and a place that is not there.
  Result<std::int64_t> number(std::size_t row, std::string_view column) const;
};

/// Statements of Query Service over the PostgreSQL protocol: read-only by construction, what changes something goes
/// through its REST interface.
///
/// Connects when it is first asked, and anew, once, when the connection or its token ended before an answer was
/// whole: a statement that reads may run twice. Errors name the SQLSTATE, never a value out of the data, and their
/// code says what may help:
/// Internal for a text that does more than read · NotFound 42P01, 42704 · Permission 42501 · Authentication 28* ·
/// Unsupported 0A000 · Unavailable 53*, 57P*, 58*, 08*, and when nothing can be reached · Timeout for the platform's
/// ten minutes or the query's deadline · Interrupted by the run's stop token · Corrupt for an answer that was cut off
/// or is larger than a caller can want (64 MiB) · Rejected any other. Thread-safe: one statement at a time.
class Session {
 public:
  virtual ~Session() = default;
  /// Runs it and returns every row. An answer of exactly `kSilentCap` rows is Corrupt unless `expected` says so: count
  /// first, or ask in parts. Blocks the calling thread.
  virtual Result<Rows> select(const Query& query) = 0;
};

/// Holds an answer against the platform's silent cut. Errors: Corrupt.
Result<void> check_whole(const Query& query, std::uint64_t rows);

}  // namespace audiencesync::sql
