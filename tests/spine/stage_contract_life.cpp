#include "tests/spine/stage_contract_life.h"

#include <algorithm>
#include <stdexcept>

#include "daemon/query_login.h"
#include "engine/manifest/credentials.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/duckdb/duckdb_record_converter.h"
#include "engine/membership/duckdb/duckdb_target_source.h"
#include "engine/membership/local_memberships.h"
#include "engine/sql/libpq/libpq_session.h"
#include "engine/store/sqlite/sqlite_store.h"
#include "plugins/platform/sandboxes.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

template <class T>
T required(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().text());
  return std::move(result).take();
}

template <class T>
T required_file(Loaded<T> loaded) {
  if (!loaded.ok()) throw std::runtime_error(loaded.problems.front().text());
  return std::move(*loaded.value);
}

Error dead() { return Error(ErrorCode::Interrupted, "the process died"); }

std::string identity_of(Store& store) {
  constexpr const char* kKey = "state_id";
  const auto known = required(store.remembered("", kKey));
  if (const auto* id = known.string_if()) return *id;
  if (!store.remember("", kKey, "5747e").ok()) throw std::runtime_error("the state takes no id");
  return "5747e";
}

}  // namespace

std::vector<DeathAt> those_to_try(const std::vector<DeathAt>& deaths) {
  const int step = std::max(1, number_from_environment("AUDIENCESYNC_KILL_STEP", 1) / 10);
  std::vector<DeathAt> chosen;
  for (std::size_t i = 0; i < deaths.size(); i += static_cast<std::size_t>(step)) chosen.push_back(deaths[i]);
  return chosen;
}

template <class Work>
auto MortalStore::write(Work work) -> decltype(work()) {
  ++writes_;
  if (at_ == 0 || writes_ < at_) return work();
  if (writes_ == at_ && death_ == Death::AfterWriting) {
    if (auto done = work(); !done.ok()) return done;
  }
  return dead();
}

Result<std::optional<SnapshotRecord>> MortalStore::current(const std::string& relation) const {
  return store_->current(relation);
}

Result<std::vector<BatchRecord>> MortalStore::batches(const std::string& relation) const {
  return store_->batches(relation);
}

Result<std::vector<QuarantineRecord>> MortalStore::quarantine(const std::string& relation) const {
  return store_->quarantine(relation);
}

Result<Value> MortalStore::remembered(const std::string& uid, const std::string& key) const {
  return store_->remembered(uid, key);
}

Result<std::vector<ChangeRecord>> MortalStore::open_changes(const std::string& uid) const {
  return store_->open_changes(uid);
}

Result<std::optional<RunRecord>> MortalStore::last_run(const std::string& uid) const { return store_->last_run(uid); }

Result<std::vector<RunRecord>> MortalStore::runs(const std::string& uid, std::size_t most) const {
  return store_->runs(uid, most);
}

Result<std::vector<std::string>> MortalStore::syncs() const { return store_->syncs(); }
Result<std::vector<HeldPlan>> MortalStore::held_plans(const std::string& uid, std::size_t most) const {
  return store_->held_plans(uid, most);
}

Result<std::vector<HeldPlan>> MortalStore::plans_to_approve(const std::string& digest_prefix) const {
  return store_->plans_to_approve(digest_prefix);
}

Result<std::vector<PastSnapshot>> MortalStore::past_snapshots(const std::string& relation, std::size_t most) const {
  return store_->past_snapshots(relation, most);
}

Result<std::vector<Suspension>> MortalStore::suspensions(const std::string& uid, std::size_t most) const {
  return store_->suspensions(uid, most);
}

Result<void> MortalStore::drop_deltas(const std::string& relation, std::int64_t through) {
  return write([&] { return store_->drop_deltas(relation, through); });
}

Result<void> MortalStore::replace_deltas(const std::string& relation, const std::map<Digest, Digest>& deltas) {
  return write([&] { return store_->replace_deltas(relation, deltas); });
}

Result<Suspension> MortalStore::suspend(const Suspension& suspension) {
  return write([&] { return store_->suspend(suspension); });
}

Result<void> MortalStore::resume(std::int64_t suspension, const std::string& by, const std::string& reason, Time now) {
  return write([&] { return store_->resume(suspension, by, reason, now); });
}

Result<HeldPlan> MortalStore::hold_plan(const HeldPlan& plan) {
  return write([&] { return store_->hold_plan(plan); });
}

Result<void> MortalStore::decide_plan(std::int64_t plan, HoldState state, const std::string& by,
                                      const std::string& reason, Time now) {
  return write([&] { return store_->decide_plan(plan, state, by, reason, now); });
}

Result<RunRecord> MortalStore::begin_run(const std::string& uid, const Digest& definition, const Value& manifest,
                                         Time now) {
  return write([&] { return store_->begin_run(uid, definition, manifest, now); });
}

Result<void> MortalStore::end_run(std::int64_t run, const std::string& verdict, const Value& summary, Time now) {
  return write([&] { return store_->end_run(run, verdict, summary, now); });
}

Result<ChangeRecord> MortalStore::open_change(std::int64_t run, const Change& change, Time now) {
  if (first_change_ == 0) first_change_ = writes_ + 1;
  return write([&] { return store_->open_change(run, change, now); });
}

Result<void> MortalStore::close_change(std::int64_t change, const std::string& state, const Value& note, Time now) {
  last_change_ = writes_ + 1;
  return write([&] { return store_->close_change(change, state, note, now); });
}

Result<Intent> MortalStore::open_intent(std::int64_t change, const std::string& step, const std::string& sequence,
                                        Time now) {
  intents_.insert(writes_ + 1);
  return write([&] { return store_->open_intent(change, step, sequence, now); });
}

Result<void> MortalStore::close_intent(std::int64_t intent, const Value& result, Time now) {
  return write([&] { return store_->close_intent(intent, result, now); });
}

Result<void> MortalStore::raise_sequence(const std::string& sequence, std::int64_t least) {
  return write([&] { return store_->raise_sequence(sequence, least); });
}

Result<void> MortalStore::commit(std::int64_t intent, const SnapshotRecord& snapshot, const BatchRecord& batch,
                                 const std::vector<QuarantineRecord>& people, Time now) {
  return write([&] { return store_->commit(intent, snapshot, batch, people, now); });
}

Result<void> MortalStore::replace_quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) {
  return write([&] { return store_->replace_quarantine(relation, people); });
}

Result<void> MortalStore::adopt(std::int64_t intent, const Adoption& adoption, Time now) {
  return write([&] { return store_->adopt(intent, adoption, now); });
}

Result<void> MortalStore::remember(const std::string& uid, const std::string& key, const Value& value) {
  return write([&] { return store_->remember(uid, key, value); });
}

Life::Life(World& world, std::uint64_t dies_at, MortalStore::Death death) {
  write_file(world.manifest(), world.manifest_text());
  settings_ = required_file(load_settings(files_, world.emulator().config()));
  manifest_ = required_file(load_manifest(files_, world.manifest(), manifest_rules(settings_, process_environment())));
  const auto& organization = settings_.organizations.at(manifest_.organization);
  const auto credential =
      required(find_credential(files_, process_environment(), settings_.folder, organization.credential));
  const Path folder = settings_.state / "syncs" / manifest_.uid;
  for (const auto* each : {"work", "memberships"}) {
    if (!files_.make_folder(folder / each).ok()) throw std::runtime_error("the state takes no folder");
  }
  auto store = required(open_sqlite_store(settings_.state / "state.db", OpenMode::ReadWrite));
  auto state_id = identity_of(*store);
  store_ = std::make_unique<MortalStore>(std::move(store), dies_at, death);

  http::RateLimits unlimited;
  unlimited.platform.clear();
  unlimited.analytics.clear();
  http::RetryPolicy retry;
  retry.base = Duration(20);
  limiter_ = std::make_unique<http::RateLimiter>(unlimited, clock_);
  http::TokenOptions token_options;
  token_options.retry = retry;
  tokens_ = std::make_unique<http::TokenSource>(
      transport_, clock_, organization.endpoints.ims,
      http::Credentials{credential.client_id, credential.client_secret, {"openid"}}, token_options);
  http::CoreOptions core_options;
  core_options.retry = retry;
  core_ =
      std::make_unique<http::Core>(http::CoreParts{transport_, *tokens_, *limiter_, clock_, server_time_, nullptr},
                                   http::Endpoints{organization.endpoints.platform, organization.endpoints.analytics},
                                   http::Account{organization.organization_id, manifest_.sandbox}, core_options);
  reader_ = std::make_unique<http::Reader>(*core_, files_, std::stop_token{});
  writer_ = std::make_unique<http::Writer>(*core_, std::stop_token{});
  source_ = std::make_unique<DuckdbPersonSource>(DuckdbOptions{.work_folder = folder / "work"});
  targets_ = std::make_unique<DuckdbTargetSource>(DuckdbOptions{.work_folder = folder / "work"});
  auto memberships = std::make_unique<LocalMemberships>(files_, *source_, folder / "memberships");
  memberships->read_targets_with(*targets_);
  converter_ = std::make_unique<DuckdbRecordConverter>(files_, DuckdbOptions{.work_folder = folder / "work"});
  memberships->use_converter(*converter_);
  memberships_ = std::move(memberships);
  query_login_ = std::make_unique<QueryLogin>(*reader_, files_, process_environment(), settings_, organization);
  queries_ = std::make_unique<sql::LibpqSession>(*query_login_, sql::LibpqOptions{.ca_file = organization.ca_file},
                                                 std::stop_token{});
  services_ = std::unique_ptr<RunServices>(
      new RunServices{*reader_, *memberships_, *store_, files_, clock_, server_time_, events_, manifest_, settings_,
                      std::move(state_id), folder / "work", std::stop_token{}, nullptr, queries_.get()});
  // The platform's clock must be known before anything is written into the log.
  required(platform::list_sandboxes(*reader_));
}

RunResult Life::run(const Registry& stages, Refresh refresh) {
  SyncRun run(stages, *services_, *store_, *writer_);
  RunOptions options;
  options.mode = Mode::Apply;
  options.refresh = refresh;
  options.approve = [](const Plan&) { return Consent::Given; };
  return run.execute(options);
}

}  // namespace audiencesync::testing
