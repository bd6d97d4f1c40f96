#include "emulator/query/query_service.h"

#include <cstdio>

#include "emulator/query/pg_server.h"
#include "emulator/query/queries.h"
#include "emulator/query/schedules.h"

namespace emulator {
namespace {

constexpr const char* kTechnicalAccount = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";

void complain(const std::string& what) { std::fprintf(stderr, "query service: %s\n", what.c_str()); }

}  // namespace

struct QueryService::Parts {
  Parts(Platform& shared, Lake& lake, const Tokens& known, Router& router)
      : platform(shared),
        tokens(known),
        engine(shared.folder),
        tables(shared, lake),
        writer(shared, lake, tables, router),
        deadlines(shared.clock, complain),
        jobs(shared.clock, complain),
        queries({shared, engine, tables, writer, deadlines}, jobs),
        schedules({shared, engine, tables, writer, deadlines}, queries, jobs) {
    credential =
        std::string(kTechnicalAccount) + ":" + derived_hex(shared.identity.seed, "query credential", 1).substr(0, 32);
  }

  QueryCore core() { return {platform, engine, tables, writer, deadlines}; }

  Platform& platform;
  const Tokens& tokens;
  SqlEngine engine;
  LakeTables tables;
  LakeWriter writer;
  std::string credential;
  Worker deadlines;
  Worker jobs;
  Queries queries;
  Schedules schedules;
  std::optional<PgServer> server;
  std::string address;
};

QueryService::QueryService(Platform& platform, Lake& lake, const Tokens& tokens, Router& router)
    : parts_(std::make_unique<Parts>(platform, lake, tokens, router)) {}

QueryService::~QueryService() { stop(); }

void QueryService::listen(const ServerOptions& options, const TlsIdentity& identity) {
  parts_->address = options.address;
  parts_->server.emplace(
      options, PgTerms{parts_->core(), parts_->queries, identity,
                       [this](const std::string& token) { return parts_->tokens.valid(token); }, parts_->credential});
}

Json QueryService::connection() const {
  if (!parts_->server) return nullptr;
  const Identity& who = parts_->platform.identity;
  return {{"host", parts_->address},
          {"port", parts_->server->port()},
          {"dbname", who.sandbox + ":all"},
          {"user", who.organization},
          {"password", parts_->credential}};
}

void QueryService::stop() {
  if (parts_->server) parts_->server->stop();
  parts_->queries.cancel_running();
  parts_->jobs.stop();
  parts_->deadlines.stop();
}

void QueryService::add_routes(Router& router) {
  Parts& parts = *parts_;
  parts.queries.resume();
  parts.queries.add_routes(router);
  parts.schedules.resume();
  parts.schedules.add_routes(router);
  add_query_template_routes(router, parts.platform);
  router.add("GET", "/data/foundation/query/connection_parameters", [&parts](const Request& request) {
    const Identity& who = parts.platform.identity;
    std::string token = request.header("authorization");
    token.erase(0, std::min(token.size(), token.find(' ') == std::string::npos ? 0 : token.find(' ') + 1));
    // Where it does not listen the parameters are those of nowhere.
    return Response::json(200, {{"host", parts.server ? parts.address : "localhost"},
                                {"port", parts.server ? parts.server->port() : 80},
                                {"dbName", who.sandbox + ":all"},
                                {"username", who.organization},
                                {"token", token},
                                {"compressedToken", token},
                                {"websocketHost", parts.server ? parts.address : "localhost"},
                                {"version", 1}});
  });
}

}  // namespace emulator
