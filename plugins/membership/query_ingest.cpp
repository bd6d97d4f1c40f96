#include "plugins/membership/query_ingest.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/membership/query/refresh_sql.h"
#include "engine/model/change_fields.h"
#include "plugins/membership/batch_steps.h"
#include "plugins/membership/query_changeset.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/dataset_end.h"

namespace audiencesync {
namespace {

constexpr int kMostInserts = 3;  // of one change: what fails for reasons of the platform's own may pass next time
constexpr std::size_t kMarkLetters = 16;

class QueryIngest {
 public:
  QueryIngest(const Change& change, WriteContext& context) : change_(change), context_(context), bulk_(*change.bulk) {
    spec_.relation = field_text(change_, "relation");
    spec_.uid = field_text(change_, "uid");
    spec_.tenant = field_text(change_, "tenant");
    spec_.dataset = field_text(change_, "dataset");
  }

  Result<Applied> run() {
    if (spec_.dataset.empty() || spec_.relation.empty())
      return Error(ErrorCode::Internal, "an ingest without dataset or relation was planned");
    std::string last;
    for (int number = 1; number <= kMostInserts; ++number) {
      const auto started = TRY(start(number));
      const auto query = TRY(outcome(started.text("query")));
      if (platform::has_succeeded(query)) return prove(query, started.number("generation").value_or(0));
      last = fmt::format("query {}, which writes the changeset, is {}: {}", query.id, query.state, query.reasons);
      if (!query.own_fault && query.state == "FAILED") {
        last += "; the target stays as it was; if the platform rejects single records, engine: local writes the others";
        break;
      }
      context_.events().warn("query.failed", {{"query", query.id}, {"state", query.state}, {"reason", query.reasons}});
    }
    return Error(ErrorCode::Rejected, last);
  }

 private:
  std::int64_t number(std::string_view name) const {
    const auto* value = field_of(change_, name);
    return value == nullptr ? 0 : to_number(*value).value_or(0);
  }

  std::string marker(const std::string& rest) const { return query_marker(spec_.uid, context_.state_id(), rest); }

  // No repeat is safe while an earlier one runs: two would both write everything.
  Result<void> check_alone() {
    for (const auto& query : TRY(platform::queries_with(context_.http(), marker("insert ")))) {
      if (platform::is_over(query)) continue;
      return Error(ErrorCode::NotFinished,
                   fmt::format("query {} of this sync still writes into the target; run apply again later", query.id));
    }
    return {};
  }

  // A generation below one that is there would lose against it.
  Result<void> check_generation(std::int64_t generation) const {
    const auto above = number("above");
    if (generation > above) return {};
    return Error(
        ErrorCode::Rejected,
        fmt::format("the target holds records of generation {}, and this state folder counts only to {}: it is "
                    "older, or was copied; run audiencesync state rebuild once with engine: local",
                    above, generation));
  }

  Result<void> check_base() {
    std::vector<std::string> live;
    for (const auto& batch : TRY(platform::batches_of(context_.http(), spec_.dataset))) {
      if (platform::is_live(batch)) live.push_back(batch.id);
    }
    std::sort(live.begin(), live.end());
    const auto* base = field_of(change_, "base");
    if (base != nullptr && *base == Value(Value::Array(live.begin(), live.end()))) return {};
    return Error(ErrorCode::Conflict,
                 "the batches of the target dataset have changed since the changeset was computed");
  }

  Result<Value> start(int attempt_number) {
    const auto found_as = [&](const Attempt& attempt) {
      return marker(fmt::format("insert {} {} ", bulk_.content.substr(0, kMarkLetters), attempt.number));
    };
    return context_.once(
        {fmt::format("insert-{}", attempt_number), "generation/" + spec_.relation},
        [&](const Attempt& attempt) -> Result<std::optional<Value>> {
          const auto queries = TRY(platform::queries_with(context_.http(), found_as(attempt)));
          if (queries.empty()) return std::nullopt;
          return std::optional<Value>(started(queries.back().id, attempt.number));
        },
        [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
          TRY(check_alone());
          TRY(check_generation(attempt.number));
          TRY(check_base());
          const auto changeset = TRY(find_changeset(context_, field_text(change_, "changeset")));
          const auto table = TRY(table_of(context_.http(), spec_.dataset));
          if (!changeset || !table) {
            return Error(ErrorCode::Conflict,
                         changeset ? "the target dataset has no table any more" : "the changeset is no longer there");
          }
          const auto made =
              TRY(platform::post_query(client, context_.manifest().sandbox,
                                       insert_changeset(spec_, spark_name(*table), spark_name(changeset->table),
                                                        attempt.number, found_as(attempt))));
          return started(made.id, attempt.number);
        });
  }

  static Value started(const std::string& query, std::int64_t generation) {
    return Value::Object{{"query", query}, {"generation", generation}};
  }

  Result<platform::BatchQuery> outcome(const std::string& id) {
    std::optional<platform::BatchQuery> last;
    const auto& timing = context_.settings().timing;
    TRY(context_.wait(fmt::format("query {}", id), timing.poll_batch, timing.deadline_batch,
                      [&]() -> Result<std::optional<Value>> {
                        last = TRY(platform::get_query(context_.http(), id));
                        if (!last || !platform::is_over(*last)) return std::nullopt;
                        return std::optional(Value(last->state));
                      }));
    return *last;
  }

  Result<Applied> prove(const platform::BatchQuery& query, std::int64_t generation) {
    const auto& timing = context_.settings().timing;
    std::vector<platform::Batch> written;
    TRY(context_.wait(fmt::format("the batch of query {}", query.id), timing.poll_batch, timing.deadline_batch,
                      [&]() -> Result<std::optional<Value>> {
                        written = TRY(platform::batches_of_query(context_.http(), spec_.dataset, query.id));
                        const bool settled =
                            !written.empty() && std::all_of(written.begin(), written.end(), [](const auto& batch) {
                              return platform::is_terminal(batch) && (!platform::is_live(batch) || batch.records);
                            });
                        if (!settled) return std::nullopt;
                        return std::optional(Value(true));
                      }));
    const auto& batch = written.front();
    const bool exact = written.size() == 1 && platform::is_live(batch) && batch.records == bulk_.records &&
                       batch.failed_records.value_or(0) == 0;
    if (!exact) {
      for (std::size_t i = 0; i < written.size(); ++i)
        TRY(BatchSteps(context_, fmt::format("wrong-{}", i)).withdraw(written[i].id));
      return Error(
          ErrorCode::Rejected,
          fmt::format("query {} wrote {} batches, the first is {} with {} records and {} failed; {} records in "
                      "one were expected, so what it wrote was taken back",
                      query.id, written.size(), batch.status, batch.records.value_or(0),
                      batch.failed_records.value_or(0), bulk_.records));
    }
    TRY(commit(batch, generation));
    TRY(drop_changeset());
    Applied applied;
    applied.proof.batch = batch.id;
    applied.proof.generation = generation;
    applied.proof.records = bulk_.records;
    applied.outputs["generation"] = generation;
    return applied;
  }

  Result<void> commit(const platform::Batch& batch, std::int64_t generation) {
    const Time now = context_.server().now();
    SnapshotRecord snapshot;
    snapshot.relation = spec_.relation;
    snapshot.content = bulk_.candidate;
    snapshot.dataset = spec_.dataset;
    snapshot.generation = generation;
    snapshot.batch = batch.id;
    snapshot.definition = field_text(change_, "definition");
    snapshot.source = bulk_.source;
    snapshot.people = static_cast<std::uint64_t>(number("people"));
    snapshot.proven = now;
    BatchRecord record;
    record.batch = batch.id;
    record.dataset = spec_.dataset;
    record.relation = spec_.relation;
    record.generation = generation;
    record.records = bulk_.records;
    record.proven = now;
    const auto* rewrite = field_of(change_, "rewrite");
    if (rewrite != nullptr && *rewrite == Value(true)) record.supersedes_below = generation;
    TRY(context_.commit({"commit", ""}, snapshot, record, {}));
    context_.events().emit("batch.proven",
                           {{"batch", batch.id}, {"generation", generation}, {"records", bulk_.records}});
    return {};
  }

  Result<void> drop_changeset() {
    const auto changeset = TRY(find_changeset(context_, field_text(change_, "changeset")));
    if (!changeset) return {};
    TRY(context_.once({"drop", ""}, {}, [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
      TRY(platform::delete_dataset(client, changeset->dataset));
      return Value(true);
    }));
    return {};
  }

  const Change& change_;
  WriteContext& context_;
  const Bulk& bulk_;
  RelationSpec spec_;
};

}  // namespace

bool is_by_query(const Change& change) { return field_text(change, "engine") == to_string(Engine::QueryService); }

Result<Applied> ingest_by_query(const Change& change, WriteContext& context) {
  if (!change.bulk) return Error(ErrorCode::Internal, "an ingest without memberships was planned");
  return QueryIngest(change, context).run();
}

}  // namespace audiencesync
