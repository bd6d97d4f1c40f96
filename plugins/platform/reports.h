#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// People per value of a dimension over whole days.
struct PeopleQuestion {
  std::string data_view;
  std::string dimension;     // "" asks for the total only
  std::string range;         // "2026-05-01T00:00:00.000/2026-05-31T00:00:00.000", in the view's time zone
  std::size_t limit = 1000;  // rows a call
  Duration deadline{0};      // of one call; 0: the client's
};

struct PeopleRow {
  std::string value;  // of the dimension
  std::uint64_t people = 0;
};

/// Why a column of a report has no figures, although the call succeeded.
struct ColumnError {
  std::string code;         // unauthorized_metric, ...
  std::string description;  // the platform's words
};

enum class ReportEnd {
  Complete,
  Cut,  // the gateway ended it before it was done: ask for less
};

struct PeopleReport {
  ReportEnd end = ReportEnd::Complete;
  std::vector<PeopleRow> rows;      // of all pages
  std::uint64_t total = 0;          // people of the whole report, as far as it tells
  std::vector<ColumnError> errors;  // then `rows` is not to be trusted
};

/// Asks for a report, page by page. A report that the gateway cuts off (504, or our deadline) is an answer, never
/// asked again as it is. Errors: those of the client.
Result<PeopleReport> people_report(http::ReadClient& client, const PeopleQuestion& question);

/// Body of the call for one page.
Value people_report_body(const PeopleQuestion& question, std::size_t page);

}  // namespace audiencesync::platform
