#include "emulator/emulator.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <stdexcept>

#include "emulator/analytics/analytics.h"
#include "emulator/auth/gateway.h"
#include "emulator/control/front_door.h"
#include "emulator/control/settings_calls.h"
#include "emulator/data/data_plane.h"
#include "emulator/organization/merge_policies.h"
#include "emulator/organization/namespaces.h"
#include "emulator/organization/sandboxes.h"
#include "emulator/query/query_service.h"
#include "emulator/registry/registry.h"
#include "emulator/registry/resources.h"

namespace emulator {
namespace {

/// The seed is the one thing that cannot change: every id was derived from it.
std::uint64_t seed_of(const EmulatorOptions& options) {
  std::filesystem::create_directories(options.data);
  const std::filesystem::path file = options.data / "seed";
  std::uint64_t kept = 0;
  if (std::ifstream in(file); in >> kept) {
    if (options.seed && *options.seed != kept)
      throw std::runtime_error(options.data.string() + " was made with seed " + std::to_string(kept) + ", not " +
                               std::to_string(*options.seed) + "; give that one or another folder");
    return kept;
  }
  const std::uint64_t seed = options.seed.value_or(1);
  std::ofstream out(file);
  out << seed << '\n';
  out.close();
  if (!out) throw std::runtime_error(file.string() + ": cannot be written");
  return seed;
}

Identity identity_of(std::uint64_t seed) {
  Identity who;
  who.seed = seed;
  who.organization = derived_hex(seed, "organization", 1).substr(0, 24);
  std::transform(who.organization.begin(), who.organization.end(), who.organization.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  who.organization += "@AdobeOrg";
  who.client_id = derived_hex(seed, "client id", 1).substr(0, 32);
  who.client_secret = "p8e-" + derived_hex(seed, "client secret", 1).substr(0, 32);
  who.tenant = "_demoemea";
  who.identity_field = who.tenant + ".identification.core.email";
  return who;
}

std::set<std::string> datasets_of(const Platform& platform, const std::string& schema_id) {
  std::set<std::string> ids;
  for (const auto& [id, dataset] : platform.objects.all("dataset")) {
    const std::string reference = dataset.value("schemaRef", Json::object()).value("id", "");
    if (reference == schema_id || reference == alt_id_of(schema_id)) ids.insert(id);
  }
  return ids;
}

/// Data were promised to somebody as soon as one batch of them succeeded, also when it was reverted later.
bool has_data(const Platform& platform, const std::string& schema_id) {
  const std::set<std::string> datasets = datasets_of(platform, schema_id);
  if (datasets.empty()) return false;
  for (const auto& [id, batch] : platform.objects.all("batch")) {
    const std::string status = batch.value("status", "");
    if (status != "success" && status != "active" && status != "inactive") continue;
    for (const Json& related : batch.value("relatedObjects", Json::array()))
      if (related.value("type", "") == "dataSet" && datasets.contains(related.value("id", ""))) return true;
  }
  return false;
}

}  // namespace

// Members in the order in which they need each other; the server last, so that it is gone before what it serves.
struct Emulator::Parts {
  Platform platform;
  Router router;
  Tokens tokens{platform};
  Gateway gateway{platform, tokens};
  Faults faults;
  CallLog calls;
  std::optional<Recorder> recorder;
  std::optional<Registry> registry;
  std::optional<DataPlane> data;
  std::optional<Analytics> analytics;
  std::optional<TlsIdentity> tls;  // of HTTPS and of PostgreSQL
  bool https = false;
  std::optional<QueryService> queries;
  std::optional<FrontDoor> door;
  std::optional<Server> server;
  std::string address;

  explicit Parts(const EmulatorOptions& options) : platform(options.data, identity_of(seed_of(options))) {}
};

Emulator::Emulator(const EmulatorOptions& options) : parts_(std::make_unique<Parts>(options)) {
  Parts& parts = *parts_;
  // What somebody set in this folder before is his choice.
  if (options.latency == Latency::Real) parts.platform.settings = with_real_latency(parts.platform.settings);
  restore_settings(parts.platform);
  seed_merge_policies(parts.platform);
  parts.registry.emplace(parts.platform);
  parts.registry->schema_has_dataset = [&parts](const std::string& id) {
    return !datasets_of(parts.platform, id).empty();
  };
  parts.registry->schema_has_data = [&parts](const std::string& id) { return has_data(parts.platform, id); };
  parts.data.emplace(
      parts.platform,
      WorldOptions{.profiles = options.profiles, .audiences = options.audiences, .seed = parts.platform.identity.seed});

  parts.analytics.emplace(parts.platform, *parts.data, options.events);

  parts.queries.emplace(parts.platform, parts.data->lake(), parts.tokens, parts.router);

  parts.tokens.add_routes(parts.router);
  add_sandbox_routes(parts.router, parts.platform);
  add_namespace_routes(parts.router, parts.platform);
  add_merge_policy_routes(parts.router, parts.platform);
  parts.registry->add_routes(parts.router);
  parts.data->add_routes(parts.router);
  parts.analytics->add_routes(parts.router);
  parts.queries->add_routes(parts.router);
  parts.faults.add_routes(parts.router);
  parts.calls.add_routes(parts.router);
  add_settings_routes(parts.router, parts.platform);

  if (options.record) parts.recorder.emplace(*options.record);
  parts.door.emplace(parts.platform, parts.router, parts.gateway, parts.faults, parts.calls,
                     parts.recorder ? &*parts.recorder : nullptr, options.latency);
  parts.address = options.listen.address;
  if (options.tls || options.pg_listen) parts.tls.emplace(options.data / "tls");
  ServerOptions listen = options.listen;
  parts.https = options.tls;
  if (options.tls) listen.tls = &*parts.tls;
  parts.server.emplace(listen, *parts.door);
  if (options.pg_listen) parts.queries->listen(*options.pg_listen, *parts.tls);
}

Emulator::~Emulator() = default;

Platform& Emulator::platform() { return parts_->platform; }

std::string Emulator::url() const {
  return (parts_->https ? "https://" : "http://") + parts_->address + ":" + std::to_string(parts_->server->port());
}

Json Emulator::ready() const {
  const Identity& who = parts_->platform.identity;
  const Json analytics = parts_->analytics->seeded();
  return {{"http", url()},
          {"ca_file", parts_->tls ? Json(parts_->tls->authority().string()) : Json(nullptr)},
          {"pg", parts_->queries->connection()},
          {"organization", who.organization},
          {"client_id", who.client_id},
          {"client_secret", who.client_secret},
          {"sandbox", who.sandbox},
          {"tenant", who.tenant},
          {"identity_field", who.identity_field},
          {"audiences", parts_->data->audiences()},
          {"event_dataset", analytics["event_dataset"]},
          {"connection", analytics["connection"]},
          {"data_view", analytics["data_view"]}};
}

Server::Stopped Emulator::stop() {
  parts_->queries->stop();
  return parts_->server->stop();
}

}  // namespace emulator
