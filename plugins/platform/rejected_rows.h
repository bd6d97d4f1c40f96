#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/person_id.h"
#include "engine/http/client.h"
#include "plugins/platform/batch.h"

namespace audiencesync::platform {

/// A row that the platform refused. `person` is personal data; `message` holds none.
struct RejectedRow {
  std::optional<PersonId> person;    // when the diagnostics show the record
  std::optional<std::uint64_t> row;  // counted from 1 within its file, when they show only that
  std::string file;                  // of the upload, "" when unknown
  std::string code;
  std::string message;
};

/// Why rows of a failed batch were refused, from its diagnostics (`meta`), its refused input (`failed`) and its own
/// errors, in this order; a later source is read only when the earlier ones name nobody. At most `most` rows.
/// Empty when the platform tells nothing. Missing diagnostics are no error.
Result<std::vector<RejectedRow>> rejected_rows(http::ReadClient& client, const Batch& batch, std::size_t most);

/// One line of a diagnostics file; nullopt when it names no error.
std::optional<RejectedRow> rejected_row_from(std::string_view line);
/// Row numbers of "3" and "1-3"; empty for anything else. At most `most`.
std::vector<std::uint64_t> row_numbers(std::string_view range, std::size_t most);

}  // namespace audiencesync::platform
