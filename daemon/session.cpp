#include "daemon/session.h"

#include <fmt/format.h>

#include <random>
#include <sstream>

#include "daemon/call_ledger.h"
#include "daemon/export_ledger.h"
#include "daemon/platform_calls.h"
#include "daemon/query_login.h"
#include "daemon/token_file.h"
#include "daemon/version.h"
#include "engine/base/capped_files.h"
#include "engine/base/json.h"
#include "engine/http/gateway.h"
#include "engine/http/token.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/duckdb/duckdb_record_converter.h"
#include "engine/membership/duckdb/duckdb_target_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/local_memberships.h"
#include "engine/sql/libpq/libpq_session.h"
#include "plugins/audiences/audiences_stage.h"
#include "plugins/connection/connection_stage.h"
#include "plugins/data_view/data_view_stage.h"
#include "plugins/dataset/dataset_stage.h"
#include "plugins/export/export_stage.h"
#include "plugins/membership/forgetting.h"
#include "plugins/membership/membership_stage.h"
#include "plugins/membership/past.h"
#include "plugins/membership/question.h"
#include "plugins/membership/relation.h"
#include "plugins/platform/sandboxes.h"
#include "plugins/report/report_stage.h"
#include "plugins/schema/schema_stage.h"

namespace audiencesync {
namespace {

constexpr const char* kStateId = "state_id";

std::vector<std::string> scope_list(const std::string& scopes) {
  std::vector<std::string> list;
  std::stringstream stream(scopes);
  for (std::string scope; std::getline(stream, scope, ',');) {
    const auto begin = scope.find_first_not_of(' ');
    if (begin != std::string::npos) list.push_back(scope.substr(begin, scope.find_last_not_of(' ') - begin + 1));
  }
  return list;
}

// Written into the tags of what we make, so that two state folders never take each other's objects for their own.
Result<std::string> state_identity(Store& store) {
  const auto known = TRY(store.remembered("", kStateId));
  if (const auto* id = known.string_if()) return *id;
  std::random_device random;
  std::string id;
  for (int word = 0; word < 4; ++word) id += fmt::format("{:08x}", random());
  TRY(store.remember("", kStateId, id));
  return id;
}

// Parquet is seldom larger than its lines; of a few records it is, by what every file has.
constexpr std::uint64_t kParquetBeside = 64 << 10;

/// Converts like another one, and has what it writes by itself counted on the capped disk.
class CountedConverter final : public RecordConverter {
 public:
  CountedConverter(CappedFiles& files, RecordConverter& converter) : files_(files), converter_(converter) {}

  Result<std::uint64_t> to_parquet(const Path& lines, const RelationSpec& spec, const Path& to) override {
    const auto most = TRY(files_.size(lines)) + kParquetBeside;
    std::uint64_t records = 0;
    TRY(files_.count_foreign(to, most, [&]() -> Result<void> {
      records = TRY(converter_.to_parquet(lines, spec, to));
      return {};
    }));
    return records;
  }

 private:
  CappedFiles& files_;
  RecordConverter& converter_;
};

}  // namespace

Result<Registry> program_stages() {
  // What analysts need comes after the memberships: it waits for people, and nothing may wait for it.
  return Registry::of({audiences_stage(), export_stage(), schema_stage(), dataset_stage(), membership_stage(),
                       connection_stage(), data_view_stage(), report_stage()});
}

struct Session::Parts {
  Parts(const Adapters& adapters_in, const Settings& settings_in, const Manifest& manifest_in, Store& store_in,
        const Organization& organization, const Credential& credential, std::string state_id_in, Registry registry_in,
        std::stop_token stop_in)
      : adapters(adapters_in),
        settings(settings_in),
        manifest(manifest_in),
        store(store_in),
        registry(std::move(registry_in)),
        transport(adapters, organization),
        server_time(adapters.clock),
        calls(settings.state / "calls" / shared_name(organization)),
        token_shelf(settings.state / "tokens" / shared_name(organization),
                    {organization.endpoints.ims, credential.client_id, credential.scopes}, credential.client_secret),
        limiter(limits_of(organization), adapters.clock, &calls),
        tokens(transport.get(), adapters.clock, organization.endpoints.ims,
               {credential.client_id, credential.client_secret, scope_list(credential.scopes)}, token_options()),
        core({transport.get(), tokens, limiter, adapters.clock, server_time, nullptr},
             {organization.endpoints.platform, organization.endpoints.analytics},
             {organization.organization_id, manifest.sandbox}, core_options()),
        files(adapters.files, settings.state, settings.limits.disk, "limits.disk"),
        reader(core, files, stop_in),
        writer(core, stop_in),
        folder(settings.state / "syncs" / manifest.uid),
        other_parquet(DuckdbOptions{.work_folder = folder / "work"}),
        source(files, other_parquet),
        targets(DuckdbOptions{.work_folder = folder / "work"}),
        memberships(files, source, folder / "memberships", MemoryBudget::within(settings.limits.memory)),
        parquet_records(files, DuckdbOptions{.work_folder = folder / "work", .memory_limit = "80MB", .threads = 1}),
        counted_records(files, parquet_records),
        export_slots(settings.state / "exports", fmt::format("{}-{}", organization.organization_id, manifest.sandbox),
                     stop_in),
        query_login(reader, adapters.files, adapters.environment, settings, organization),
        queries(query_login, {.ca_file = organization.ca_file}, stop_in),
        services{reader,          memberships,     store,         files,    adapters.clock,
                 server_time,     adapters.events, manifest,      settings, std::move(state_id_in),
                 folder / "work", stop_in,         &export_slots, &queries} {
    memberships.read_targets_with(targets);
    memberships.use_converter(counted_records);
  }

  // Of files that all processes share which use one organisation by one credential.
  static std::string shared_name(const Organization& organization) {
    const auto digest =
        digest_of(Value::Array{organization.organization_id, organization.credential, organization.endpoints.ims});
    return digest.substr(0, 16);
  }

  // Tests that give no limits of the platform want none.
  http::RateLimits limits_of(const Organization& organization) const {
    auto limits = adapters.rate_limits;
    constexpr std::uint64_t kSeconds = 2;  // of a burst
    if (!limits.platform.empty()) {
      limits.platform = {{static_cast<int>(organization.rate * kSeconds), std::chrono::seconds(kSeconds)}};
    }
    if (!limits.analytics.empty()) {
      // The documented form: a minute's calls, and at most a fifth of them in a tenth of it.
      const auto minute = static_cast<int>(organization.analytics_rate);
      limits.analytics = {{std::max(minute / 5, 1), std::chrono::seconds(6)}, {minute, std::chrono::minutes(1)}};
    }
    return limits;
  }

  http::TokenOptions token_options() {
    http::TokenOptions options;
    options.retry = retry_policy(adapters, settings);
    options.shelf = &token_shelf;
    options.user_agent = fmt::format("audiencesync/{}", kVersion);
    return options;
  }

  http::CoreOptions core_options() const {
    http::CoreOptions options;
    options.retry = retry_policy(adapters, settings);
    options.deadline = settings.timing.deadline_request;
    options.version = kVersion;
    return options;
  }

  const Adapters& adapters;
  const Settings& settings;
  const Manifest& manifest;
  Store& store;
  Registry registry;
  OrganizationTransport transport;
  ServerTime server_time;
  CallLedger calls;
  TokenFile token_shelf;
  http::RateLimiter limiter;
  http::TokenSource tokens;
  http::Core core;
  CappedFiles files;
  http::Reader reader;
  http::Writer writer;
  Path folder;
  DuckdbPersonSource other_parquet;
  FilePersonSource source;
  DuckdbTargetSource targets;
  LocalMemberships memberships;
  DuckdbRecordConverter parquet_records;
  CountedConverter counted_records;
  ExportLedger export_slots;
  QueryLogin query_login;
  sql::LibpqSession queries;
  RunServices services;
};

Session::Session(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::open(const Adapters& adapters, const Settings& settings,
                                               const Manifest& manifest, Store& store, std::stop_token stop,
                                               std::optional<Registry> stages) {
  const auto organization = settings.organizations.find(manifest.organization);
  if (organization == settings.organizations.end()) {
    return Error(ErrorCode::Invalid, fmt::format("{}: organization '{}' is not in the settings ({})", manifest.file,
                                                 manifest.organization, settings.file));
  }
  TRY(check_ca_file(adapters.files, settings, organization->second));
  const auto credential =
      TRY(find_credential(adapters.files, adapters.environment, settings.folder, organization->second.credential));
  const Path folder = settings.state / "syncs" / manifest.uid;
  TRY(adapters.files.make_folder(folder / "work"));
  TRY(adapters.files.make_folder(folder / "memberships"));
  auto registry = stages ? std::move(*stages) : TRY(program_stages());
  auto state_id = TRY(state_identity(store));
  auto parts = std::make_unique<Parts>(adapters, settings, manifest, store, organization->second, credential,
                                       std::move(state_id), std::move(registry), stop);
  // Times in the intent log are the platform's, so its clock must be known before the first entry is written.
  TRY(platform::list_sandboxes(parts->reader));
  return std::unique_ptr<Session>(new Session(std::move(parts)));
}

RunResult Session::run(const RunOptions& options) {
  SyncRun run(parts_->registry, parts_->services, parts_->store, parts_->writer);
  auto result = run.execute(options);
  finish_forgetting();
  clean_up();
  return result;
}

Result<RowVerification> Session::verify(const VerifyOptions& options) {
  const OutputTable outputs;
  ReadContext context(parts_->services, outputs);
  return verify_rows(context, options);
}

Time Session::now() const { return parts_->server_time.now(); }

// What audiencesync forget could not finish: it was killed, or an interrupted run still needed its files.
void Session::finish_forgetting() {
  const SyncPlace place{parts_->manifest.uid, analytics_relation(parts_->manifest), parts_->services.work};
  const auto due = must_erase(parts_->store, place);
  if (due.ok() && !*due) return;
  const auto erased =
      due.ok() ? erase_forgotten(parts_->memberships, parts_->store, parts_->adapters.files, place, {}) : due.error();
  if (erased.ok()) return;
  parts_->adapters.events.warn("cleanup.failed",
                               {{"error", erased.error().text()}, {"next", "the next run tries again"}});
}

// Old candidates and changesets hold person ids: what nothing can need any more goes at the end of every run.
void Session::clean_up() {
  const auto relation = analytics_relation(parts_->manifest);
  const auto current = parts_->store.current(relation);
  const auto open = parts_->store.open_changes(parts_->manifest.uid);
  if (!current.ok() || !open.ok()) return;
  std::set<Digest> keep;
  const auto keep_bulk = [&](const Bulk& bulk) { keep.insert({bulk.base, bulk.content, bulk.candidate}); };
  if (current->has_value()) keep.insert((*current)->content);
  for (const auto& record : *open) {
    if (record.change.bulk) keep_bulk(*record.change.bulk);
  }
  const auto history = keep_history(relation);
  if (!history.ok()) return;
  keep.insert(history->begin(), history->end());
  // Of a comparison that was applied its figures are enough: the people in its files have a newer snapshot.
  const auto kept = kept_comparison(parts_->services.files, parts_->services.work);
  const bool applied = kept && current->has_value() && kept->candidate == (*current)->content;
  if (kept && !applied) keep_bulk(*kept);
  keep.erase("");
  if (auto cleaned = parts_->memberships.clean(keep); !cleaned.ok()) {
    parts_->adapters.events.warn("cleanup.failed",
                                 {{"error", cleaned.error().text()}, {"next", "the next run tries again"}});
  }
}

// Deltas that are within the retention; the records of the others are told first, so that a kill in between leaves a
// file that nobody asks for, not one that is missing.
Result<std::set<Digest>> Session::keep_history(const std::string& relation) {
  auto& store = parts_->store;
  const auto& adapters = parts_->adapters;
  auto snapshots = store.past_snapshots(relation, kAllSnapshots);
  if (!snapshots.ok()) return std::move(snapshots).error();
  auto kept = kept_history(*snapshots, parts_->manifest.retention, now(),
                           [&](const Digest& delta) { return parts_->memberships.delta_bytes(delta); });
  if (kept.missing) {
    adapters.events.warn("history.shortened", {{"sync", parts_->manifest.name},
                                               {"missing", "delta-" + *kept.missing},
                                               {"next", "memberships before it cannot be asked for any more"}});
  }
  if (kept.drop_through == 0) return std::move(kept.deltas);
  if (auto dropped = store.drop_deltas(relation, kept.drop_through); !dropped.ok()) {
    for (const auto& snapshot : *snapshots) kept.deltas.insert(snapshot.record.delta);
    adapters.events.warn("cleanup.failed", {{"error", dropped.error().text()}, {"next", "the next run tries again"}});
  }
  return std::move(kept.deltas);
}

}  // namespace audiencesync
