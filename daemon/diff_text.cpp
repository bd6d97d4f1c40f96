#include "daemon/diff_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/report/figures.h"

namespace audiencesync {
namespace {

constexpr std::size_t kLongestName = 34;  // columns: the numbers beside it fit into 80

std::string side_text(std::string_view word, const DifferenceSide& side, const DifferenceCounts::Side& counts) {
  const auto people = counted(counts.people, "person", "people");
  if (side.snapshot) return fmt::format("{:<8}{} in these audiences, of a snapshot\n", word, people);
  return fmt::format("{:<8}{} in these audiences, of {} in {}\n", word, people, counted(counts.dropped.read, "row"),
                     counted(side.exported.size(), "file"));
}

// Cut at a character, so that what is left is UTF-8.
std::string fitting(const std::string& name) {
  std::size_t columns = 0;
  std::size_t at = 0;
  while (at < name.size()) {
    auto next = at + 1;
    while (next < name.size() && (static_cast<unsigned char>(name[next]) & 0xC0U) == 0x80) ++next;
    if (++columns > kLongestName) return name.substr(0, at) + "…";
    at = next;
  }
  return name + std::string(kLongestName + 1 - columns, ' ');
}

Value side_value(const DifferenceSide& side, const DifferenceCounts::Side& counts) {
  Value value = Value::Object{{"kind", side.snapshot ? "snapshot" : "export"}, {"people", counts.people}};
  if (side.snapshot) return value;
  const auto& dropped = counts.dropped;
  value["files"] = static_cast<std::uint64_t>(side.exported.size());
  value["rows"] = dropped.read;
  value["dropped"] = Value::Object{{"without_person", dropped.without_person},
                                   {"over_long", dropped.over_long},
                                   {"not_utf8", dropped.not_utf8},
                                   {"broken", dropped.broken},
                                   {"unknown_status", dropped.unknown_status}};
  return value;
}

}  // namespace

std::string unusable_text(const DroppedRows& dropped) {
  if (dropped.total() == 0) return {};
  return fmt::format(
      "{} of {} cannot be used: {} without a person id, {} longer than {} bytes, {} not UTF-8, {} no "
      "readable record",
      count_text(dropped.total()), counted(dropped.read, "row"), dropped.without_person, dropped.over_long,
      kLongestPersonId, dropped.not_utf8, dropped.broken);
}

std::string diff_stats_text(const DiffStats& stats) {
  const auto& counts = stats.counts;
  auto text = side_text("from", stats.from, counts.from) + side_text("to", stats.to, counts.to);
  text += fmt::format("{:<8}{}\n\n", "changed", counted(counts.people, "person", "people"));
  text += fmt::format("{:<35} {:>10} {:>10} {:>10} {:>10}\n", "audience", "before", "after", "entered", "left");
  for (const auto& audience : counts.audiences) {
    text += fmt::format("{} {:>10} {:>10} {:>10} {:>10}\n", fitting(audience.name), short_count_text(audience.before),
                        short_count_text(audience.after), short_count_text(audience.entered),
                        short_count_text(audience.left));
  }
  text += fmt::format("\n{:.2f} s, at most {} of memory\n", stats.took.count(),
                      bytes_text(static_cast<double>(stats.peak_memory)));
  return text;
}

Value diff_stats_value(const DiffStats& stats) {
  Value::Array audiences;
  for (const auto& audience : stats.counts.audiences) {
    audiences.emplace_back(Value::Object{{"id", audience.id},
                                         {"name", audience.name},
                                         {"before", audience.before},
                                         {"after", audience.after},
                                         {"entered", audience.entered},
                                         {"left", audience.left}});
  }
  return Value::Object{{"version", 1},
                       {"from", side_value(stats.from, stats.counts.from)},
                       {"to", side_value(stats.to, stats.counts.to)},
                       {"changed", stats.counts.people},
                       {"audiences", std::move(audiences)},
                       {"seconds", stats.took.count()},
                       {"peak_memory", stats.peak_memory}};
}

}  // namespace audiencesync
