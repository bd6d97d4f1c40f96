#include "engine/reconcile/plan_details.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/manifest.h"
#include "engine/model/change_fields.h"

namespace audiencesync {
namespace {

// Platform documentation: data in the lake is in Customer Journey Analytics after 90 minutes, in reports one to two
// hours later.
constexpr Duration kVisibleFrom = std::chrono::minutes(90);
constexpr Duration kVisibleUntil = std::chrono::hours(3);
constexpr std::size_t kRunsShown = 8;
constexpr std::size_t kRowsLookedAt = 5000;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::uint64_t parts_of(std::uint64_t whole, std::uint64_t part) {
  return part == 0 ? 1 : std::max<std::uint64_t>((whole + part - 1) / part, 1);
}

const char* kind_of(const ChangedRow& row) {
  if (row.before.empty()) return "new";
  return row.after.empty() ? "leaves" : "changed";
}

std::vector<std::string> names_only_in(const std::vector<AudienceId>& these, const std::vector<AudienceId>& others,
                                       const std::map<AudienceId, std::string>& names) {
  std::vector<std::string> out;
  for (const auto& id : these) {
    if (std::find(others.begin(), others.end(), id) != others.end()) continue;
    const auto name = names.find(id);
    out.push_back(name == names.end() ? id : name->second);
  }
  return out;
}

}  // namespace

StageState stage_state(const StageView& view) {
  const auto& observed = view.observed;
  StageState line{view.stage->name, observed.state};
  if (observed.unchecked) {
    line.state = *observed.unchecked;
    return line;
  }
  const auto people = static_cast<std::size_t>(std::count_if(
      view.changes.begin(), view.changes.end(), [](const Change& change) { return change.action == Action::Person; }));
  const auto ours = view.changes.size() - people;
  const auto has = [&](Severity severity) {
    return std::any_of(observed.findings.begin(), observed.findings.end(),
                       [&](const Finding& finding) { return finding.severity == severity; });
  };
  if (has(Severity::Refuse)) {
    if (line.state.empty()) line.state = "refused";
  } else if (has(Severity::Wait)) {
    line.state = "known after export";
  } else if (ours > 0 && people > 0) {
    line.state = counted(ours, "change") + ", " + counted(people, "person action");
  } else if (ours > 0) {
    line.state = counted(ours, "change");
  } else if (people > 0) {
    line.state = counted(people, "person action");
  } else if (line.state.empty()) {
    line.state = "in sync";
  }
  return line;
}

std::map<AudienceId, std::vector<std::uint64_t>> membership_history(const std::vector<RunRecord>& runs) {
  std::map<AudienceId, std::vector<std::uint64_t>> history;
  std::size_t shown = 0;
  for (const auto& run : runs) {
    const auto& sizes = run.summary.items("memberships");
    if (sizes.empty()) continue;
    if (++shown > kRunsShown) break;
    for (const auto& audience : sizes) {
      history[audience.text("id")].push_back(static_cast<std::uint64_t>(audience.number("people").value_or(0)));
    }
  }
  for (auto& [id, sizes] : history) std::reverse(sizes.begin(), sizes.end());
  return history;
}

Result<std::vector<Sample>> plan_samples(Memberships& memberships, const Bulk& bulk, const Forgotten& forgotten,
                                         std::size_t most) {
  std::vector<Sample> samples;
  if (most == 0 || bulk.people == 0) return samples;
  std::map<AudienceId, std::string> names;
  for (const auto& audience : bulk.audiences) names[audience.id] = audience.name;
  const auto rows = TRY(memberships.sample(bulk, kRowsLookedAt));
  for (const auto* kind : {"new", "changed", "leaves"}) {
    std::size_t taken = 0;
    for (const auto& row : rows) {
      if (taken == most) break;
      if (std::string_view(kind_of(row)) != kind || forgotten.contains(row.person.reveal())) continue;
      samples.push_back({kind, row.person.masked(), names_only_in(row.after, row.before, names),
                         names_only_in(row.before, row.after, names)});
      ++taken;
    }
  }
  return samples;
}

Cost plan_cost(const std::vector<Change>& changes, const Limits& limits) {
  Cost cost;
  for (const auto& change : changes) {
    if (change.action == Action::Person) continue;
    ++cost.write_calls;
    if (!change.bulk) continue;
    cost.records += change.bulk->records;
    if (field_text(change, "engine") == to_string(Engine::QueryService)) {
      // One statement writes them where they are, and its scratch is dropped.
      ++cost.batches;
      ++cost.write_calls;
      continue;
    }
    cost.bytes += change.bulk->bytes;
    // A batch is opened, filled part by part, and completed.
    const auto files = parts_of(change.bulk->bytes, limits.upload_file);
    const auto batches =
        std::max(parts_of(change.bulk->bytes, limits.largest_batch()), parts_of(files, limits.batch_files));
    cost.batches += batches;
    cost.write_calls += files + 2 * batches - 1;
  }
  if (cost.records > 0) {
    cost.visible_from = kVisibleFrom;
    cost.visible_until = kVisibleUntil;
  }
  if (limits.ingest_per_hour > 0) {
    cost.quota_share = static_cast<double>(cost.bytes) / static_cast<double>(limits.ingest_per_hour);
    // The first hour's share goes at once.
    if (cost.bytes > 0) cost.ingest_hours = parts_of(cost.bytes, limits.ingest_per_hour) - 1;
  }
  return cost;
}

}  // namespace audiencesync
