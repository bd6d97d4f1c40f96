#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emulator/http/router.h"
#include "emulator/query/query_page.h"
#include "emulator/query/query_session.h"

namespace emulator {

/// Queries, those posted to /data/foundation/query/queries and those of PostgreSQL sessions, which the same list shows.
///
/// Posted ones are SUBMITTED, IN_PROGRESS, then SUCCESS, FAILED, KILLED or TIMEOUT, when the platform's clock says so;
/// rows are counted and never returned. They survive a restart: one that was running is taken for done when its batch
/// is readable, else it runs again; one of a session is over with it. Thread-safe.
class Queries {
 public:
  Queries(QueryCore core, Worker& jobs) : core_(core), jobs_(jobs) {}

  void add_routes(Router& router);
  /// Takes up what a stopped process left unfinished. Called once, before the router serves.
  void resume();
  /// Ends what runs.
  void cancel_running();

  /// Throws HttpError 400 for a body that POST /queries would refuse.
  void check(const Json& body) const { effective_sql(body); }
  /// What POST /queries does; `more` becomes part of the query. The caller holds the objects' lock.
  Json submit(const Json& body, const Json& more);
  /// False when it is over already. The caller holds the objects' lock.
  bool cancel(const std::string& id);
  static bool is_over(const Json& query);
  /// Called with each query that ends, under the objects' lock. Set before `resume`.
  void on_end(std::function<void(const Json& query)> call) { ended_ = std::move(call); }

  /// A statement of a PostgreSQL session begins: answers its id. Until `session_ended` it can be cancelled here.
  std::string session_began(const std::string& sql, const std::string& client, QuerySession& session);
  /// `facts` has "state", and may have "rowCount", "errors", "datasets", "made".
  void session_ended(const std::string& id, const Json& facts);
  /// What a query that was read to its end says; `tag` is its result's.
  Json success_facts(const std::string& id, const SqlStatement& statement, const std::string& tag,
                     const QuerySession& session);
  /// What a query that failed says.
  static Json failure_facts(const SqlFailure& failure, const QuerySession& session);

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response change(const Request& request);

  Json base(const std::string& sql, const Json& request);
  void start(const std::string& id);
  void run(const std::string& id);
  void finish(const std::string& id, const Json& facts);
  void update(const std::string& id, const std::function<void(Json&)>& change);
  std::string effective_sql(const Json& body) const;
  void keep_few(std::deque<std::string>& ids, std::size_t most, const std::string& id);

  QueryCore core_;
  Worker& jobs_;
  std::function<void(const Json&)> ended_;
  std::mutex mutex_;
  std::map<std::string, QuerySession*> running_;
  std::deque<std::string> hidden_;  // of sessions, oldest first; under the objects' lock
  std::deque<std::string> shown_;
};

/// Templates of queries: /data/foundation/query/query-templates.
void add_query_template_routes(Router& router, Platform& platform);

}  // namespace emulator
