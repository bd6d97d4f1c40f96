#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/finding.h"
#include "plugins/platform/batch.h"
#include "plugins/platform/export_jobs.h"

namespace audiencesync {

/// A batch of an export as the job named it, and the batch that holds its rows today (the same one, mostly).
struct ExportBatch {
  std::string id;
  std::optional<platform::Batch> holder;  // nullopt while the catalog does not know it
};

enum class ExportVerdict {
  Usable,
  NotYet,   // its batches are still being processed
  Useless,  // its batches failed or are gone: another export must serve
  Suspect,  // it may be taken for something it is not: nothing may be computed from it
};

struct ExportJudgement {
  ExportVerdict verdict = ExportVerdict::NotYet;
  std::uint64_t rows = 0;  // in its batches, or as the job counted when the catalog does not count
  std::optional<Finding> finding;
};

/// What the platform itself says that there should be in an export.
struct ExportExpectation {
  std::uint64_t expected_people = 0;  // of the declared audiences by the latest evaluation, 0 when unknown
  std::uint64_t current_people = 0;   // in the snapshot last proven
};

/// Decides whether the rows of a SUCCEEDED job may be compared with anything. Pure.
///
/// A removal is computed from people who are absent, so an export that lacks people without saying so is the worst that
/// can happen: fewer rows in the batches than the job counted, refused rows, or nobody where somebody is expected.
ExportJudgement judge_export(const platform::ExportJob& job, const std::vector<ExportBatch>& batches,
                             const ExportExpectation& expectation);

}  // namespace audiencesync
