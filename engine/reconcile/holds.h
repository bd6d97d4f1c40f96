#pragma once

#include <optional>
#include <string>

#include "engine/model/plan.h"
#include "engine/report/event_sink.h"
#include "engine/store/store.h"

namespace audiencesync {

/// The key under which a sync remembers the canonical manifest that was last made real.
inline constexpr const char* kAppliedDefinition = "applied_definition";

/// The plan of one sync that waits for an approval, or has one.
class Holds {
 public:
  Holds(Store& store, EventSink& events, std::string uid) : store_(store), events_(events), uid_(std::move(uid)) {}

  /// Reads the live plan, if any, as `now` and `definition` leave it: one that is past its time, or of another
  /// definition, is not live for this run. `Record::Yes` writes that down.
  enum class Record { No, Yes };
  Result<void> read(const Digest& definition, Time now, Record record);

  const std::optional<HeldPlan>& live() const { return live_; }
  /// Why the last one no longer counts: a sentence for the plan.
  const std::optional<Finding>& lost() const { return lost_; }
  bool approves(const Plan& plan) const;
  Hold shown() const;

  /// Holds this plan, unless it is held already.
  Result<void> hold(const Plan& plan, Time now, Duration ttl);
  /// Keeps a plan that was only shown, so that it can be approved; unless it is held, or doubtful anyway.
  Result<void> offer(const Plan& plan, Time now, Duration ttl);
  /// The live one no longer counts, and a finding says why.
  Result<void> lose(HoldState state, const std::string& why, Time now, Record record);
  /// The live one has become this; afterwards there is none.
  Result<void> release(HoldState state, const std::string& by, const std::string& reason, Time now);

 private:
  Store& store_;
  EventSink& events_;
  std::string uid_;
  std::optional<HeldPlan> live_;
  std::optional<Finding> lost_;
};

}  // namespace audiencesync
