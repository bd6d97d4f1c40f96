#include "plugins/membership/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/limit.h"
#include "engine/membership/relation_spec.h"
#include "plugins/membership/compaction.h"
#include "plugins/membership/target_batches.h"

namespace audiencesync {
namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMost)));
  auto text = fmt::format("{}", fmt::join(first, ", "));
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

}  // namespace

std::string with_plural(std::uint64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Finding dropped_rows(const DroppedRows& dropped, const Guard& guard) {
  std::string text = fmt::format(
      "{} of {} exported rows cannot be used: {} without a person id, {} with one longer than {} bytes, {} not UTF-8",
      dropped.total(), dropped.read, dropped.without_person, dropped.over_long, kLongestPersonId, dropped.not_utf8);
  if (dropped.broken > 0) text += fmt::format(", {} no readable record", dropped.broken);
  if (!dropped.samples.empty()) {
    const auto& first = dropped.samples.front();
    text += fmt::format("; the first is {} at {} {} ({})", first.file, first.unit, first.position, first.reason);
  }
  if (dropped.total() >= guard.min_people && !within(guard.max_bad_rows, dropped.total(), dropped.read)) {
    return {Severity::Refuse, "bad-rows",
            fmt::format("{}; more than guard.max_bad_rows ({}) allows: check identity.field, or raise the limit", text,
                        guard.max_bad_rows.text())};
  }
  return {Severity::Warning, "bad-rows", std::move(text)};
}

Finding unknown_statuses(std::uint64_t count) {
  return {Severity::Warning, "unknown-status",
          fmt::format("{} membership{} of an unknown status {} left out; the platform knows realized, existing and "
                      "exited",
                      count, count == 1 ? "" : "s", count == 1 ? "is" : "are")};
}

Finding renamed_audience(const AudienceDelta& audience) {
  return {Severity::Note, "audience-renamed",
          fmt::format("audience '{}' is '{}' now: {} written again", audience.name_before, audience.name,
                      audience.renamed == 1 ? "the record of 1 person is"
                                            : fmt::format("the records of {} people are", audience.renamed))};
}

Finding known_after_export() {
  return {Severity::Wait, "known-after-export",
          "there is no export that can be used; who enters and leaves is known after the export that apply makes"};
}

std::optional<Finding> row_rule_unknown(const Bulk& bulk, const Target& target) {
  const bool someone_leaves = std::any_of(bulk.audiences.begin(), bulk.audiences.end(),
                                          [](const AudienceDelta& audience) { return audience.left > 0; });
  if (!someone_leaves || target.row_rule != RowRule::Unknown) return std::nullopt;
  return Finding{
      Severity::Note, "row-rule-unknown",
      "people who leave get a new record; whether Customer Journey Analytics lets it replace their older "
      "rows is not known here (target.row_rule: unknown), so until it does they may stay visible in reports"};
}

std::vector<BatchRecord> written_into(const std::string& dataset, std::vector<BatchRecord> written) {
  std::erase_if(written, [&](const BatchRecord& record) { return record.dataset != dataset; });
  return written;
}

void add_old_batches(const LedgerInput& input, const std::vector<QuarantineRecord>& quarantine,
                     const ReadContext& context, Observed& observed) {
  auto old = old_batches(written_into(input.dataset, input.written), input.seen, context.server().now());
  if (!quarantine.empty() && !old.removable.empty()) {
    // The last record that the platform took of somebody in quarantine may be in any of them.
    observed.findings.push_back(
        {Severity::Note, "quarantine-keeps-batches",
         fmt::format("{} of earlier generations stay until nobody is in quarantine any more: the people there have "
                     "their last record in them",
                     with_plural(old.removable.size(), "batch", "batches"))});
    old.removable.clear();
  }
  for (const auto& record : old.removable) {
    // The generation in the name puts the oldest first.
    observed.resources.push_back(
        {{kPeopleKey.stage, fmt::format("{}{:012}/{}", kSuperseded, record.generation, record.batch)},
         {{"batch", Value(record.batch)}, {"dataset", Value(record.dataset)}},
         "",
         {}});
  }
  if (old.waits_until) {
    observed.findings.push_back(
        {Severity::Note, "older-generations",
         fmt::format("batches of earlier generations are removed by a run after {}, when Customer Journey Analytics "
                     "has the newest one",
                     to_iso8601(*old.waits_until))});
  }
  if (!old.shared.empty()) {
    observed.findings.push_back(
        {Severity::Note, "shared-batch",
         fmt::format("{} batch{} of earlier generations stay{}, because the platform consolidated {} with rows that "
                     "still count",
                     old.shared.size(), old.shared.size() == 1 ? "" : "es", old.shared.size() == 1 ? "s" : "",
                     old.shared.size() == 1 ? "it" : "them")});
  }
}

Error nothing_proven_by(std::int64_t run) {
  return Error(ErrorCode::NotFound,
               fmt::format("nothing was proven yet when run {} had ended, so going back there would empty every "
                           "audience; name a later run, audiencesync history lists them",
                           run));
}

Finding rollback_kept(const std::vector<std::string>& joined, std::int64_t run) {
  return {Severity::Warning, "rollback-kept",
          fmt::format("{} audience{} joined the sync after run {} and stay{} as {}: {}", joined.size(),
                      joined.size() == 1 ? "" : "s", run, joined.size() == 1 ? "s" : "",
                      joined.size() == 1 ? "it is" : "they are", listed(joined))};
}

Finding rollback_withdrawn(const std::vector<std::string>& withdrawn, std::uint64_t memberships) {
  return {Severity::Warning, "rollback-left-out",
          fmt::format("{} membership{} of audiences that the manifest no longer has do not come back: {}", memberships,
                      memberships == 1 ? "" : "s", listed(withdrawn))};
}

Finding people_left_out(const LeftOut& left_out) {
  return {Severity::Warning, "rollback-left-out",
          fmt::format("{} {} not come back with {} membership{}, because the newest export does not have them",
                      left_out.people, left_out.people == 1 ? "person does" : "people do", left_out.memberships,
                      left_out.memberships == 1 ? "" : "s")};
}

}  // namespace audiencesync
