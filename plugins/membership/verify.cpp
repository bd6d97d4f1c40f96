#include "plugins/membership/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/base/digest.h"
#include "plugins/membership/read_back.h"
#include "plugins/membership/relation.h"
#include "plugins/membership/target_batches.h"

namespace audiencesync {
namespace {

// A batch with at least this share of the records of the largest one counts as large.
constexpr double kLarge = 0.5;

std::uint64_t records_of(const platform::Batch& batch) { return batch.records.value_or(0); }

// From the newest large batch on: what is older, newer records may have replaced.
std::vector<platform::Batch> newest_large_and_newer(const std::vector<platform::Batch>& batches) {
  std::uint64_t most = 0;
  for (const auto& batch : batches) most = std::max(most, records_of(batch));
  auto first = batches.begin();
  for (auto each = batches.begin(); each != batches.end(); ++each) {
    if (static_cast<double>(records_of(*each)) >= kLarge * static_cast<double>(most)) first = each;
  }
  return {first, batches.end()};
}

// A seeded choice: the same files for the same seed, whatever their order.
std::vector<platform::DataFile> some_of(std::vector<platform::DataFile> files, const VerifyOptions& options) {
  if (files.empty()) return files;
  const auto lot = [&](const platform::DataFile& file) {
    return sha256(fmt::format("{}\n{}\n{}", options.seed, file.id, file.name));
  };
  std::sort(files.begin(), files.end(), [&](const auto& left, const auto& right) { return lot(left) < lot(right); });
  const auto wanted = static_cast<std::size_t>(std::ceil(options.of_files * static_cast<double>(files.size())));
  files.resize(std::clamp<std::size_t>(wanted, 1, files.size()));
  return files;
}

}  // namespace

Result<RowVerification> verify_rows(ReadContext& context, const VerifyOptions& options) {
  RelationSpec spec;
  spec.relation = analytics_relation(context.manifest());
  spec.uid = context.manifest().uid;
  spec.tenant = context.manifest().tenant;
  spec.forgotten = Forgotten::from_value(TRY(context.records().remembered(spec.uid, kForgotten)));
  const auto current = TRY(context.records().current(spec.relation));
  if (!current) {
    return Error(ErrorCode::NotFound,
                 fmt::format("nothing of sync {} has been proven yet, so there is nothing to compare its dataset with; "
                             "run apply first",
                             context.manifest().name));
  }
  spec.dataset = current->dataset;
  if (const auto shape = context.memberships().shape(current->content); shape.ok()) {
    const auto form = record_form(*shape);
    spec.layout = form.layout;
    spec.names = form.names;
  }
  for (const auto& record : TRY(context.records().quarantine(spec.relation))) {
    spec.quarantined.insert(PersonId(record.person));
  }
  auto whole = context.memberships().check(current->content);
  if (!whole.ok()) {
    return Error(whole.error().code(),
                 fmt::format("{}; the next apply reads it back from the dataset", whole.error().text()));
  }
  const auto input = TRY(ledger_input(spec.dataset, spec.relation, false, context));
  const auto verdict = TRY(check_ledger(input));
  if (!verdict.unsettled.empty()) {
    return Error(ErrorCode::NotFinished,
                 fmt::format("batch {} is still being promoted, so its rows cannot be read yet; run again later",
                             verdict.unsettled));
  }
  const auto all = in_reading_order(verdict.live);
  const bool sampled = options.share == RowShare::Sample;
  const auto batches = sampled ? newest_large_and_newer(all) : all;

  RowVerification answer;
  answer.dataset = spec.dataset;
  answer.snapshot = current->content;
  answer.findings = verdict.findings;
  for (const auto& batch : verdict.unrecorded) {
    answer.findings.push_back({Severity::Warning, "outdated-records",
                               fmt::format("batch {} was written by this sync, but the records of this state folder do "
                                           "not know it; the next apply reads the dataset back",
                                           batch.id)});
  }
  for (const auto& batch : all) answer.records += records_of(batch);
  answer.batches = batches.size();
  const auto choose = [&](const platform::Batch& batch, std::vector<platform::DataFile> files) {
    return sampled && batch.id == batches.front().id ? some_of(std::move(files), options) : files;
  };
  const Path folder = context.work() / "verify";
  RowCheckOptions check;
  check.oldest_generation = oldest_counting(input);
  check.sampled = sampled;
  check.samples = options.samples;
  auto checked = context.memberships().check_rows(spec, target_files(context, batches, folder, choose),
                                                  current->content, check, context.stop());
  // The files hold person ids.
  TRY(context.files().remove(folder));
  answer.rows = TRY(std::move(checked));
  auto read_whole = batches;
  if (sampled && !read_whole.empty()) read_whole.erase(read_whole.begin());
  TRY(expect_all_records(read_whole, answer.rows.counts));
  return answer;
}

}  // namespace audiencesync
