#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "engine/http/curl/curl_transport.h"
#include "engine/http/gateway.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/settings.h"
#include "engine/membership/memberships.h"
#include "engine/membership/person_source.h"
#include "engine/plugin/registry.h"
#include "engine/reconcile/run.h"
#include "engine/report/memory_events.h"
#include "engine/sql/logins.h"
#include "engine/sql/session.h"
#include "engine/store/store.h"
#include "tests/support/world.h"

namespace audiencesync::testing {

/// A store that lets a process die: from the `at`-th durable write on, nothing is written any more.
class MortalStore final : public Store {
 public:
  /// Whether the write at which it dies is still on the disk.
  enum class Death { BeforeWriting, AfterWriting };

  /// `at` counts from 1; 0 never dies.
  MortalStore(std::unique_ptr<Store> store, std::uint64_t at, Death death)
      : store_(std::move(store)), at_(at), death_(death) {}

  std::uint64_t writes() const { return writes_; }
  /// Which of the writes opened an intent: a call to the platform comes next.
  const std::set<std::uint64_t>& intents() const { return intents_; }
  /// First and last write of the changes themselves: what is around them is of the run, whatever its stages.
  std::pair<std::uint64_t, std::uint64_t> changes() const { return {first_change_, last_change_}; }

  Result<std::optional<SnapshotRecord>> current(const std::string& relation) const override;
  Result<std::vector<BatchRecord>> batches(const std::string& relation) const override;
  Result<std::vector<QuarantineRecord>> quarantine(const std::string& relation) const override;
  Result<Value> remembered(const std::string& uid, const std::string& key) const override;
  Result<std::vector<ChangeRecord>> open_changes(const std::string& uid) const override;
  Result<std::optional<RunRecord>> last_run(const std::string& uid) const override;
  Result<std::vector<RunRecord>> runs(const std::string& uid, std::size_t most) const override;
  Result<std::vector<std::string>> syncs() const override;
  Result<std::vector<HeldPlan>> held_plans(const std::string& uid, std::size_t most) const override;
  Result<std::vector<HeldPlan>> plans_to_approve(const std::string& digest_prefix) const override;
  Result<std::vector<PastSnapshot>> past_snapshots(const std::string& relation, std::size_t most) const override;
  Result<std::vector<Suspension>> suspensions(const std::string& uid, std::size_t most) const override;
  Result<void> drop_deltas(const std::string& relation, std::int64_t through) override;
  Result<void> replace_deltas(const std::string& relation, const std::map<Digest, Digest>& deltas) override;
  Result<Suspension> suspend(const Suspension& suspension) override;
  Result<void> resume(std::int64_t suspension, const std::string& by, const std::string& reason, Time now) override;
  Result<std::int64_t> begin_audit(const AuditRecord& record) override { return store_->begin_audit(record); }
  Result<void> end_audit(std::int64_t id, int code, Time now) override { return store_->end_audit(id, code, now); }
  Result<std::vector<AuditRecord>> audit(std::size_t most) const override { return store_->audit(most); }
  Result<HeldPlan> hold_plan(const HeldPlan& plan) override;
  Result<void> decide_plan(std::int64_t plan, HoldState state, const std::string& by, const std::string& reason,
                           Time now) override;
  Result<RunRecord> begin_run(const std::string& uid, const Digest& definition, const Value& manifest,
                              Time now) override;
  Result<void> end_run(std::int64_t run, const std::string& verdict, const Value& summary, Time now) override;
  Result<ChangeRecord> open_change(std::int64_t run, const Change& change, Time now) override;
  Result<void> close_change(std::int64_t change, const std::string& state, const Value& note, Time now) override;
  Result<Intent> open_intent(std::int64_t change, const std::string& step, const std::string& sequence,
                             Time now) override;
  Result<void> close_intent(std::int64_t intent, const Value& result, Time now) override;
  Result<void> raise_sequence(const std::string& sequence, std::int64_t least) override;
  Result<void> commit(std::int64_t intent, const SnapshotRecord& snapshot, const BatchRecord& batch,
                      const std::vector<QuarantineRecord>& people, Time now) override;
  Result<void> adopt(std::int64_t intent, const Adoption& adoption, Time now) override;
  Result<void> replace_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) override;
  Result<void> remember(const std::string& uid, const std::string& key, const Value& value) override;

 private:
  template <class Work>
  auto write(Work work) -> decltype(work());

  std::unique_ptr<Store> store_;
  std::uint64_t at_;
  Death death_;
  std::uint64_t writes_ = 0;
  std::set<std::uint64_t> intents_;
  std::uint64_t first_change_ = 0;
  std::uint64_t last_change_ = 0;
};

/// A durable write, counted from 1, and on which side of it the process dies.
using DeathAt = std::pair<std::uint64_t, MortalStore::Death>;

/// All of them, or with AUDIENCESYNC_KILL_STEP=n every n/10th: a condition has a tenth of the writes of a whole run.
std::vector<DeathAt> those_to_try(const std::vector<DeathAt>& deaths);

/// What one process of the program has in its memory, built on the files and the platform of a world. Throwing it away
/// and building another one is what a kill and a start are.
class Life {
 public:
  explicit Life(World& world, std::uint64_t dies_at = 0, MortalStore::Death death = MortalStore::Death::BeforeWriting);

  const RunServices& services() const { return *services_; }
  MortalStore& store() { return *store_; }
  http::WriteClient& writer() { return *writer_; }
  /// The engine's loop over these stages only.
  RunResult run(const Registry& stages, Refresh refresh);

 private:
  PosixFiles files_;
  SystemClock clock_;
  http::CurlTransport transport_;
  MemoryEvents events_;
  Manifest manifest_;
  Settings settings_;
  std::unique_ptr<MortalStore> store_;
  ServerTime server_time_{clock_};
  std::unique_ptr<http::RateLimiter> limiter_;
  std::unique_ptr<http::TokenSource> tokens_;
  std::unique_ptr<http::Core> core_;
  std::unique_ptr<http::Reader> reader_;
  std::unique_ptr<http::Writer> writer_;
  std::unique_ptr<PersonSource> source_;
  std::unique_ptr<TargetSource> targets_;
  std::unique_ptr<RecordConverter> converter_;
  std::unique_ptr<Memberships> memberships_;
  std::unique_ptr<sql::Logins> query_login_;
  std::unique_ptr<sql::Session> queries_;
  std::unique_ptr<RunServices> services_;
};

}  // namespace audiencesync::testing
