#include "engine/report/membership_table.h"

#include <algorithm>
#include <array>

#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kEnoughForAName = 16;
constexpr std::size_t kWidestName = 40;
constexpr std::size_t kRunsInSparkline = 8;
constexpr std::size_t kColumns = 8;
using Cells = std::array<std::string, kColumns>;  // name, before, after, entered, left, change, runs, verdict
using CountText = std::string (*)(std::uint64_t);

Cells heading(const Plan& plan) {
  return {"audience", "before", "after", "+entered", "−left", "Δ%", plan.history.empty() ? "" : "runs", "verdict"};
}

Cells cells_of(const Plan& plan, const AudienceDelta& audience, CountText count) {
  const auto past = plan.history.find(audience.id);
  return {audience.name,
          count(audience.before),
          count(audience.after),
          "+" + count(audience.entered),
          "−" + count(audience.left),
          change_text(audience.before, audience.after),
          past == plan.history.end() ? "" : sparkline(past->second, kRunsInSparkline),
          to_string(audience_verdict(plan, audience))};
}

std::vector<Cells> all_cells(const Plan& plan, CountText count) {
  std::vector<Cells> rows{heading(plan)};
  for (const auto& audience : plan.audiences) rows.push_back(cells_of(plan, audience, count));
  return rows;
}

using Widths = std::array<std::size_t, kColumns>;

// Of every column but the name's.
Widths widths_of(const std::vector<Cells>& rows) {
  Widths widths{};
  for (const auto& row : rows) {
    for (std::size_t column = 1; column < kColumns; ++column)
      widths[column] = std::max(widths[column], columns_of(row[column]));
  }
  return widths;
}

// What is left for names: separators are " → " between before and after, else one blank; an empty column has none.
std::size_t name_width(const Widths& widths) {
  std::size_t taken = kIndent + 2;
  for (std::size_t column = 1; column < kColumns; ++column) taken += widths[column] == 0 ? 0 : widths[column] + 1;
  return kTextWidth - std::min(kTextWidth, taken);
}

std::string line_of(const Cells& cells, const Widths& widths, bool is_heading) {
  std::string out(kIndent, ' ');
  out += fit_left(cells[0], widths[0]);
  out += " " + fit_right(cells[1], widths[1]) + (is_heading ? "   " : " → ") + fit_right(cells[2], widths[2]);
  for (std::size_t column = 3; column < 6; ++column) out += " " + fit_right(cells[column], widths[column]);
  if (widths[6] > 0) out += " " + fit_left(cells[6], widths[6]);
  out += " " + cells[7];
  return out;
}

}  // namespace

std::vector<MembershipLine> membership_table(const Plan& plan) {
  auto rows = all_cells(plan, count_text);
  auto widths = widths_of(rows);
  if (name_width(widths) < kEnoughForAName) {
    rows = all_cells(plan, short_count_text);
    widths = widths_of(rows);
  }
  std::size_t widest = 0;
  for (const auto& row : rows) widest = std::max(widest, columns_of(printable(row[0])));
  widths[0] = std::min({name_width(widths), widest, kWidestName});
  std::vector<MembershipLine> lines;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto verdict = row == 0 ? AudienceVerdict::Ok : audience_verdict(plan, plan.audiences[row - 1]);
    lines.push_back({line_of(rows[row], widths, row == 0), verdict});
  }
  return lines;
}

}  // namespace audiencesync
