#include "engine/reconcile/holds.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

std::string short_digest(const Digest& digest) { return digest.substr(0, 16); }

HeldPlan as_held(const Plan& plan, HoldState state, Time now, Duration ttl) {
  HeldPlan held;
  held.uid = plan.uid;
  held.digest = plan.digest();
  held.definition = plan.definition;
  held.source = plan.source;
  held.plan = plan.to_value();
  held.since = now;
  held.until = now + ttl;
  held.state = state;
  return held;
}

}  // namespace

Result<void> Holds::read(const Digest& definition, Time now, Record record) {
  live_.reset();
  lost_.reset();
  const auto newest = TRY(store_.held_plans(uid_, 1));
  if (newest.empty() || !newest.front().live()) return {};
  live_ = newest.front();
  if (live_->definition != definition) return lose(HoldState::Stale, "the manifest has changed since", now, record);
  if (now >= live_->until) {
    return lose(HoldState::Lapsed,
                fmt::format("nobody {} it until {}", live_->state == HoldState::Approved ? "applied" : "approved",
                            to_iso8601(live_->until)),
                now, record);
  }
  return {};
}

Result<void> Holds::lose(HoldState state, const std::string& why, Time now, Record record) {
  if (!live_) return {};
  lost_ = Finding{Severity::Note, std::string("held-plan-") + to_string(state),
                  fmt::format("plan {} was held and no longer counts ({}): {}", short_digest(live_->digest),
                              to_string(state), why)};
  if (record == Record::Yes) return release(state, "", why, now);
  live_.reset();
  return {};
}

bool Holds::approves(const Plan& plan) const {
  return live_ && live_->state == HoldState::Approved && covers(live_->plan, plan);
}

Hold Holds::shown() const {
  Hold hold{live_->since, live_->until, "", live_->reason};
  if (live_->state == HoldState::Approved) hold.approved_by = live_->by;
  return hold;
}

Result<void> Holds::hold(const Plan& plan, Time now, Duration ttl) {
  auto held = as_held(plan, HoldState::Held, now, ttl);
  if (live_ && live_->digest == held.digest) return {};
  live_ = TRY(store_.hold_plan(held));
  events_.emit("plan.held", {{"sync", plan.sync}, {"digest", live_->digest}, {"until", to_iso8601(live_->until)}});
  return {};
}

Result<void> Holds::offer(const Plan& plan, Time now, Duration ttl) {
  if (!plan.known || plan.severest() == Severity::Refuse) return {};
  const auto offered = as_held(plan, HoldState::Offered, now, ttl);
  if (live_ && live_->digest == offered.digest) return {};
  TRY(store_.hold_plan(offered));
  return {};
}

Result<void> Holds::release(HoldState state, const std::string& by, const std::string& reason, Time now) {
  if (!live_) return {};
  TRY(store_.decide_plan(live_->id, state, by, reason, now));
  events_.emit("plan.released",
               {{"uid", uid_}, {"digest", live_->digest}, {"state", to_string(state)}, {"reason", reason}});
  live_.reset();
  return {};
}

}  // namespace audiencesync
