#include "plugins/export/batch_queries.h"

#include <fmt/format.h>

#include "engine/base/digest.h"
#include "plugins/platform/dataset_end.h"
#include "plugins/platform/queries.h"

namespace audiencesync {
namespace {

constexpr const char* kMemory = "batch_queries";
constexpr std::size_t kShort = 8;  // letters of a digest or id that tell it apart from others

// Who asks. Not the secret itself, and nothing it could be guessed from.
std::string asker(const ReadContext& context) {
  const auto& organizations = context.settings().organizations;
  const auto found = organizations.find(context.manifest().organization);
  if (found == organizations.end()) return "nobody";
  return digest_of(Value::Array{found->second.organization_id, found->second.credential, context.manifest().sandbox})
      .substr(0, kShort);
}

std::string marker(const ReadContext& context) {
  return fmt::format("audiencesync state:{} may-query {}", context.state_id(), asker(context));
}

void add_seen(const std::string& who, Time since, Observed& observed) {
  observed.resources.push_back({kBatchQueriesKey, {}, "", {}});
  observed.remember[kMemory] = Value::Object{{"credential", who}, {"since", to_epoch_ms(since)}};
}

// One that is running, or has succeeded.
Result<std::optional<Value>> tried_since(WriteContext& context, Time opened) {
  for (const auto& query : TRY(platform::queries_with(context.http(), marker(context)))) {
    if (query.created && *query.created + std::chrono::seconds(2) < opened) continue;
    if (!platform::is_over(query) || platform::has_succeeded(query)) return std::optional(Value(query.id));
  }
  return std::optional<Value>();
}

}  // namespace

Result<void> observe_batch_queries(const ReadContext& context, Observed& observed) {
  const auto who = asker(context);
  const auto known = TRY(context.records().remembered(context.manifest().uid, kMemory));
  if (known.text("credential") == who) {
    observed.resources.push_back({kBatchQueriesKey, {}, "", {}});
    return {};
  }
  // Another sync of this state folder may have asked, or this one before it was killed.
  for (const auto& query : TRY(platform::queries_with(context.http(), marker(context)))) {
    if (!platform::has_succeeded(query)) continue;
    add_seen(who, query.created.value_or(context.server().now()), observed);
    break;
  }
  return {};
}

Result<Applied> try_batch_queries(WriteContext& context) {
  const auto started = TRY(context.once(
      {"query", "probe/batch-queries"}, [&](const Attempt& attempt) { return tried_since(context, attempt.opened); },
      [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
        const auto sql = fmt::format("-- {}\nCREATE TABLE audiencesync_probe_{}_{} AS SELECT 1 AS one", marker(context),
                                     context.state_id().substr(0, kShort), attempt.number);
        const auto query = platform::post_query(client, context.manifest().sandbox, sql);
        if (query.ok()) return Value(query->id);
        // Nothing is to be continued after that: it may be another engine that runs next.
        if (query.error().code() == ErrorCode::Permission) return platform::no_batch_queries(query.error().text());
        return query.error();
      }));
  const auto id = started.string_if() != nullptr ? *started.string_if() : std::string();
  std::optional<platform::BatchQuery> last;
  const auto& timing = context.settings().timing;
  TRY(context.wait(fmt::format("query {}, which tries whether batch queries may run", id), timing.poll_export,
                   timing.deadline_export, [&]() -> Result<std::optional<Value>> {
                     last = TRY(platform::get_query(context.http(), id));
                     if (!last || !platform::is_over(*last)) return std::nullopt;
                     return std::optional(Value(last->state));
                   }));
  if (!platform::has_succeeded(*last)) {
    if (platform::denies_batch_queries(last->reasons)) return platform::no_batch_queries(last->reasons);
    return Error(ErrorCode::Rejected, fmt::format("query {}, which tries whether batch queries may run, is {}: {}", id,
                                                  last->state, last->reasons));
  }
  if (!last->made.empty()) {
    TRY(context.once({"drop", ""}, {}, [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
      TRY(platform::delete_dataset(client, last->made));
      return Value(true);
    }));
  }
  Applied applied;
  applied.proof.version = id;
  return applied;
}

}  // namespace audiencesync
