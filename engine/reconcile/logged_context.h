#pragma once

#include "engine/plugin/context.h"

namespace audiencesync {

/// The WriteContext of one change: every step goes through the intent log.
class LoggedContext final : public WriteContext {
 public:
  LoggedContext(const RunServices& services, const OutputTable& outputs, Store& store, http::WriteClient& writer,
                std::int64_t change)
      : WriteContext(services, outputs), store_(store), writer_(writer), change_(change) {}

  Result<Value> once(const Step& step, const Find& find, const Make& make) override;
  Result<Value> wait(std::string_view what, Duration poll, Duration deadline,
                     const std::function<Result<std::optional<Value>>()>& look) override;
  Result<void> commit(const Step& step, const SnapshotRecord& snapshot, const BatchRecord& batch,
                      const std::vector<QuarantineRecord>& quarantine) override;
  Result<void> adopt(const Step& step, const Adoption& adoption) override;
  Result<void> quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) override {
    return store_.replace_quarantine(relation, people);
  }

 private:
  Result<std::optional<Value>> look_for(const Step& step, const Find& find, const Attempt& attempt);

  Store& store_;
  http::WriteClient& writer_;
  std::int64_t change_;
};

}  // namespace audiencesync
