#include "plugins/export/export_judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace audiencesync {
namespace {

ExportJudgement judged(ExportVerdict verdict, std::uint64_t rows, Severity severity, const char* code,
                       std::string text) {
  return {verdict, rows, Finding{severity, code, std::move(text)}};
}

/// Rows of all batches; each holder counts once, because a consolidation may put several batches into one.
struct BatchRows {
  std::optional<std::uint64_t> rows = 0;  // nullopt when a batch does not count
  std::uint64_t refused = 0;
};

BatchRows rows_of(const std::vector<ExportBatch>& batches) {
  BatchRows sum;
  std::set<std::string> counted;
  for (const auto& batch : batches) {
    if (!batch.holder || !counted.insert(batch.holder->id).second) continue;
    if (!batch.holder->records) sum.rows.reset();
    if (sum.rows) *sum.rows += batch.holder->records.value_or(0);
    sum.refused += batch.holder->failed_records.value_or(0);
  }
  return sum;
}

/// A consolidation across several exports: reading it would mix people of different days.
bool mixes_exports(const std::vector<ExportBatch>& batches) {
  std::set<std::string> ours;
  for (const auto& batch : batches) ours.insert(batch.id);
  return std::any_of(batches.begin(), batches.end(), [&](const ExportBatch& batch) {
    if (!batch.holder || batch.holder->id == batch.id) return false;
    const auto& predecessors = batch.holder->predecessors;
    return std::any_of(predecessors.begin(), predecessors.end(),
                       [&](const std::string& predecessor) { return !ours.contains(predecessor); });
  });
}

}  // namespace

ExportJudgement judge_export(const platform::ExportJob& job, const std::vector<ExportBatch>& batches,
                             const ExportExpectation& expectation) {
  for (const auto& batch : batches) {
    if (!batch.holder) return {ExportVerdict::NotYet, 0, {}};
    if (platform::is_failed(*batch.holder))
      return judged(ExportVerdict::Useless, 0, Severity::Note, "export-batch-failed",
                    fmt::format("batch {} of export job {} is {}: {}; the export cannot be used", batch.id, job.id,
                                batch.holder->status, platform::reasons_of(*batch.holder)));
    if (platform::is_gone(*batch.holder)) return {ExportVerdict::Useless, 0, {}};
    if (!platform::is_live(*batch.holder)) return {ExportVerdict::NotYet, 0, {}};
  }
  if (mixes_exports(batches)) return {ExportVerdict::Useless, 0, {}};

  const auto sum = rows_of(batches);
  const auto rows = sum.rows ? *sum.rows : job.profiles.value_or(0);
  if (sum.refused > 0)
    return judged(ExportVerdict::Suspect, rows, Severity::Refuse, "export-partial",
                  fmt::format("export job {} lost {} rows that its batch refused; nothing is computed from a partial "
                              "export, run apply for a new one",
                              job.id, sum.refused));
  if (job.profiles && sum.rows && *sum.rows < *job.profiles)
    return judged(ExportVerdict::Suspect, rows, Severity::Refuse, "export-partial",
                  fmt::format("export job {} counted {} profiles, but its batches hold {} rows; nothing is computed "
                              "from a partial export, run apply for a new one",
                              job.id, *job.profiles, *sum.rows));
  const bool nobody = (sum.rows || job.profiles) && (rows == 0 || job.profiles.value_or(1) == 0);
  if (nobody && expectation.current_people > 0)
    return judged(
        ExportVerdict::Suspect, 0, Severity::Refuse, "export-empty",
        fmt::format("export job {} holds nobody, although at least {} people are in the target dataset; nothing is "
                    "removed because of it, check the audiences and the nightly evaluation, then run apply",
                    job.id, expectation.current_people));
  if (nobody && expectation.expected_people > 0)
    return judged(
        ExportVerdict::Suspect, 0, Severity::Refuse, "export-empty",
        fmt::format("export job {} holds nobody, although the latest evaluation counted {} memberships; check "
                    "the audiences and the merge policy, then run apply",
                    job.id, expectation.expected_people));
  return {ExportVerdict::Usable, rows, {}};
}

}  // namespace audiencesync
