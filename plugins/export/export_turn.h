#pragma once

#include <string>

#include "engine/plugin/context.h"

namespace audiencesync {

/// Waits until this sync may start an export job into `dataset`: one job at a time runs in a sandbox.
///
/// While the holder of the slot lives, it is waited for. Of one that is gone the platform is asked what became of its
/// job: one that has ended leaves the slot, one that runs longer than `deadline_export` is cancelled with `client`.
/// Errors: NotFinished when the wait is long, with who holds the slot; the place in the queue is kept then.
Result<void> await_export_turn(http::WriteClient& client, const std::string& dataset, WriteContext& context);

/// Says which job the slot is for, so that others know when it is free.
Result<void> name_export_job(const std::string& job, const WriteContext& context);

/// Leaves the slot to the next one: our job has ended, or never began.
Result<void> end_export_turn(const WriteContext& context);

}  // namespace audiencesync
