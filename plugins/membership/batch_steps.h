#pragma once

#include <string>

#include "engine/plugin/context.h"
#include "plugins/platform/batch.h"

namespace audiencesync {

/// What is done with a batch once it is open, each as a step that may be interrupted and repeated. The label, or
/// number, tells the batches of one change apart.
class BatchSteps {
 public:
  BatchSteps(WriteContext& context, int number);
  BatchSteps(WriteContext& context, std::string label);

  /// Hands the batch over for processing.
  Result<void> complete(const std::string& batch);
  /// Waits until the platform has judged it and counted its records. Errors: NotFinished after deadline_batch.
  Result<platform::Batch> outcome(const std::string& batch);
  /// Drops a batch that was not completed.
  Result<void> abort(const std::string& batch);
  /// Leaves nothing of a batch behind, however far it got: aborted before COMPLETE, taken back after it.
  Result<void> withdraw(const std::string& batch);

 private:
  Result<void> revert(const std::string& batch);

  WriteContext& context_;
  std::string label_;
};

}  // namespace audiencesync
