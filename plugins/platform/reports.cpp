#include "plugins/platform/reports.h"

#include <fmt/format.h>

#include <cmath>

#include "plugins/platform/analytics_list.h"
#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

constexpr int kGatewayCut = 504;
constexpr std::size_t kMostReportPages = 100;

std::uint64_t count_of(const Value& value) {
  if (const auto whole = to_number(value)) return *whole < 0 ? 0 : static_cast<std::uint64_t>(*whole);
  if (const auto* fraction = value.double_if(); fraction != nullptr && std::isfinite(*fraction) && *fraction > 0)
    return static_cast<std::uint64_t>(std::llround(*fraction));
  return 0;
}

std::uint64_t first_count(const Value::Array& values) { return values.empty() ? 0 : count_of(values.front()); }

void take_page(const Value& answer, PeopleReport& report) {
  for (const auto& row : answer.items("rows"))
    report.rows.push_back({row.text("value"), first_count(row.items("data"))});
  if (const auto* summary = answer.find("summaryData")) {
    report.total =
        first_count(summary->items(summary->find("filteredTotals") != nullptr ? "filteredTotals" : "totals"));
  }
  if (const auto* columns = answer.find("columns")) {
    for (const auto& error : columns->items("columnErrors"))
      report.errors.push_back({error.text("errorCode"), error.text("errorDescription")});
  }
}

}  // namespace

Value people_report_body(const PeopleQuestion& question, std::size_t page) {
  Value body;
  // Guides insist on one name of the data view, clients use the other.
  body["rsid"] = question.data_view;
  body["dataId"] = question.data_view;
  if (!question.dimension.empty()) body["dimension"] = question.dimension;
  Value range;
  range["type"] = "DATE_RANGE";
  range["dateRange"] = question.range;
  body["globalFilters"] = Value::Array{std::move(range)};
  Value people;
  people["columnId"] = "0";
  people["id"] = "metrics/visitors";
  people["sort"] = "desc";
  body["metricContainer"]["metrics"] = Value::Array{std::move(people)};
  body["settings"]["countRepeatInstances"] = true;
  body["settings"]["limit"] = static_cast<std::int64_t>(question.limit);
  body["settings"]["page"] = static_cast<std::int64_t>(page);
  body["settings"]["nonesBehavior"] = "exclude-nones";
  return body;
}

Result<PeopleReport> people_report(http::ReadClient& client, const PeopleQuestion& question) {
  PeopleReport report;
  for (std::size_t page = 0; page < kMostReportPages; ++page) {
    auto request =
        analytics_send(http::Method::Post, "/reports", people_report_body(question, page), http::Repeat::Read);
    request.deadline = question.deadline;
    request.expected = {kGatewayCut};
    auto response = client.read(request);
    const bool late = !response.ok() && response.error().code() == ErrorCode::Timeout;
    if (late || (response.ok() && response->status == kGatewayCut)) {
      report.end = ReportEnd::Cut;
      return report;
    }
    const auto raw = TRY(std::move(response).in("report"));
    const auto answer = TRY(raw.json().in("report"));
    take_page(answer, report);
    if (!report.errors.empty() || answer.items("rows").empty() || is_last_page(answer, question.limit)) return report;
  }
  return Error(ErrorCode::Corrupt, fmt::format("the report does not end after {} pages of {} rows; try again later",
                                               kMostReportPages, question.limit));
}

}  // namespace audiencesync::platform
