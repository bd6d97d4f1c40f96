#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emulator/http/router.h"
#include "emulator/query/query_session.h"

namespace emulator {

/// Posted queries: /data/foundation/query/queries. SUBMITTED, IN_PROGRESS, then SUCCESS, FAILED or KILLED, when the
/// platform's clock says so; rows are counted and never returned. Queries survive a restart: one that was running is
/// taken for done when its batch is readable, else it runs again.
class Queries {
 public:
  Queries(QueryCore core, Worker& jobs) : core_(core), jobs_(jobs) {}

  void add_routes(Router& router);
  /// Takes up what a stopped process left unfinished. Called once, before the router serves.
  void resume();
  /// Ends what runs.
  void cancel_running();

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response change(const Request& request);

  void start(const std::string& id);
  void run(const std::string& id);
  void finish(const std::string& id, const Json& facts);
  void update(const std::string& id, const std::function<void(Json&)>& change);
  std::string effective_sql(const Json& body) const;

  QueryCore core_;
  Worker& jobs_;
  std::mutex mutex_;
  std::map<std::string, QuerySession*> running_;
};

/// Templates of queries: /data/foundation/query/query-templates.
void add_query_template_routes(Router& router, Platform& platform);

/// What these routes throw.
HttpError query_failure(int status, const std::string& message);
/// One page of a list of Query Service: `orderby`, `start`, `limit`, and `property` filters, all of which must hold.
/// Throws HttpError 400 for what cannot be parsed. `path` is that of the list, for its links.
Json query_page(const Request& request, std::vector<Json> entries, const std::string& name, const std::string& path);

}  // namespace emulator
