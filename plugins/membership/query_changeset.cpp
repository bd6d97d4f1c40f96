#include "plugins/membership/query_changeset.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/membership/query/refresh_sql.h"
#include "engine/model/change_fields.h"
#include "plugins/membership/findings.h"
#include "plugins/membership/relation.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/dataset_end.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {
namespace {

/// A held plan lapses before that, and the platform takes no less than a day.
constexpr Duration kScratchLife = std::chrono::hours(72);

Result<std::set<std::string>> live_ids(const ReadContext& context, const std::string& dataset) {
  std::set<std::string> ids;
  for (const auto& batch : TRY(platform::batches_of(context.http(), dataset))) {
    if (platform::is_live(batch)) ids.insert(batch.id);
  }
  return ids;
}

bool is_true(const sql::Cell& cell) { return cell && (*cell == "t" || *cell == "true"); }

// A table and the newest snapshot of it, as it stands behind FROM.
Result<std::string> pinned(const ReadContext& context, const std::string& table) {
  const auto history = TRY(ask_queries(
      context,
      {fmt::format("SELECT * FROM (SELECT history_meta({}))", spark_text(table)), "the snapshots of a table", {}}));
  const auto current = TRY(history.column("is_current"));
  const auto id = TRY(history.column("snapshot_id"));
  for (const auto& row : history.rows) {
    if (is_true(row[current]) && row[id]) return fmt::format("{} SNAPSHOT AS OF {}", spark_name(table), *row[id]);
  }
  return Error(ErrorCode::NotFinished,
               fmt::format("Query Service shows no snapshot of table {} yet; run apply again later", table));
}

class Computation {
 public:
  Computation(const Change& change, WriteContext& context)
      : change_(change),
        context_(context),
        key_(field_text(change, "key")),
        marker_(query_marker(context.manifest().uid, context.state_id(), "changeset " + key_)) {}

  Result<Applied> run() {
    const auto source = TRY(await_table(field_text(change_, "staging")));
    const auto target =
        field_ids(change_, "base").empty() ? std::string() : TRY(await_table(field_text(change_, "target")));
    const auto started = TRY(context_.once(
        {"query", "changeset/" + analytics_relation(context_.manifest())},
        [&](const Attempt& attempt) { return started_before(attempt.opened); },
        [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
          if (auto running = TRY(already_running())) return std::move(*running);
          const auto select = TRY(statement(source, target));
          const auto made = TRY(platform::post_query(client, context_.manifest().sandbox,
                                                     create_changeset(table_name(attempt.number), select, marker_)));
          return Value(made.id);
        }));
    const auto query = TRY(outcome(*started.string_if()));
    TRY(keep_tidy(query.made));
    Applied applied;
    applied.proof.version = query.made;
    return applied;
  }

 private:
  Result<std::string> await_table(const std::string& dataset) {
    const auto& timing = context_.settings().timing;
    const auto table = TRY(context_.wait(fmt::format("the table of dataset {}", dataset), timing.poll_batch,
                                         timing.deadline_batch, [&]() -> Result<std::optional<Value>> {
                                           auto known = TRY(table_of(context_.http(), dataset));
                                           if (!known) return std::nullopt;
                                           return std::optional(Value(std::move(*known)));
                                         }));
    return *table.string_if();
  }

  // One that is running, or has succeeded.
  Result<std::optional<Value>> started_before(std::optional<Time> not_before) {
    for (const auto& query : TRY(platform::queries_with(context_.http(), marker_))) {
      if (not_before && query.created && *query.created + std::chrono::seconds(2) < *not_before) continue;
      const bool usable = !platform::is_over(query) || (not_before && platform::has_succeeded(query));
      if (usable) return std::optional(Value(query.id));
    }
    return std::nullopt;
  }

  // Of an earlier change that ended without its query: never two of this sync in flight.
  Result<std::optional<Value>> already_running() {
    const auto ours = query_marker(context_.manifest().uid, context_.state_id(), "");
    for (const auto& query : TRY(platform::queries_with(context_.http(), ours))) {
      if (platform::is_over(query)) continue;
      if (query.sql.find(marker_) != std::string::npos) return std::optional(Value(query.id));
      return Error(ErrorCode::NotFinished,
                   fmt::format("query {} of this sync still runs; run apply again later", query.id));
    }
    return std::optional<Value>();
  }

  std::string table_name(std::int64_t number) const {
    std::string uid = context_.manifest().uid;
    std::replace_if(
        uid.begin(), uid.end(), [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); }, '_');
    return fmt::format("audiencesync_changes_{}_{}_{}", uid, key_, number);
  }

  Result<std::string> statement(const std::string& source, const std::string& target) {
    const auto& staging = field_text(change_, "staging");
    const auto holders = field_ids(change_, "holders");
    auto beside = TRY(live_ids(context_, staging));
    for (const auto& holder : holders) {
      if (beside.erase(holder) == 0)
        return Error(ErrorCode::Conflict, fmt::format("batch {} of the export is no longer there", holder));
    }
    if (!beside.empty()) return Error(ErrorCode::Refused, beside_the_export(staging, {beside.begin(), beside.end()}));
    RefreshRelations relations;
    relations.source = TRY(pinned(context_, source));
    if (!target.empty()) {
      if (TRY(live_ids(context_, field_text(change_, "target"))) != field_ids(change_, "base"))
        return Error(ErrorCode::Conflict, "the batches of the target dataset have changed since they were looked at");
      relations.target = TRY(pinned(context_, target));
    }
    const auto* audiences = field_of(change_, "audiences");
    const auto spec = TRY(relation_spec(context_.manifest(), audiences == nullptr ? Value() : *audiences, {}));
    if (spec.definition() != field_text(change_, "definition"))
      return Error(ErrorCode::Conflict, "the manifest has changed since the comparison was planned");
    const auto extent = field_text(change_, "extent") == "everyone" ? Extent::Everyone : Extent::Changes;
    const auto past = TRY(restore(relations));
    return changeset_select(spec, relations, extent, past);
  }

  // Of a rollback: what of the target's past is wanted.
  Result<std::optional<Restore>> restore(const RefreshRelations& relations) const {
    const auto* generation = field_of(change_, "restore");
    if (generation == nullptr) return std::optional<Restore>();
    if (relations.target.empty())
      return Error(ErrorCode::Conflict, "the target dataset, which a past state was to be read from, is empty now");
    Restore restore;
    restore.generation = to_number(*generation).value_or(0);
    restore.audiences = field_ids(change_, "restored_audiences");
    return std::optional(std::move(restore));
  }

  Result<platform::BatchQuery> outcome(const std::string& id) {
    std::optional<platform::BatchQuery> last;
    const auto& timing = context_.settings().timing;
    TRY(context_.wait(fmt::format("query {}", id), timing.poll_export, timing.deadline_export,
                      [&]() -> Result<std::optional<Value>> {
                        last = TRY(platform::get_query(context_.http(), id));
                        if (!last || !platform::is_over(*last)) return std::nullopt;
                        return std::optional(Value(last->state));
                      }));
    if (!platform::has_succeeded(*last)) {
      if (platform::denies_batch_queries(last->reasons)) return platform::no_batch_queries(last->reasons);
      return Error(ErrorCode::Rejected,
                   fmt::format("query {}, which compares the memberships, is {}: {}", id, last->state, last->reasons));
    }
    if (last->made.empty())
      return Error(ErrorCode::Rejected, fmt::format("query {} has succeeded and names no dataset that it made", id));
    return *last;
  }

  // The scratch dataset becomes recognisable as ours and ends by itself; earlier ones end now.
  Result<void> keep_tidy(const std::string& made) {
    const auto& uid = context_.manifest().uid;
    TRY(context_.once({"tags", ""}, {}, [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
      const auto dataset = TRY(platform::get_dataset(context_.http(), made));
      if (!dataset) return Value(false);
      platform::DatasetPatch patch;
      patch.tags = platform::tags_with_ours(dataset->tags, uid, kChangesetRole, context_.state_id());
      TRY(platform::patch_dataset(client, made, patch));
      return Value(true);
    }));
    const auto expires = [&](const Attempt&) -> Result<std::optional<Value>> {
      const auto dataset = TRY(platform::get_dataset(context_.http(), made));
      if (dataset && !platform::expiry_of(*dataset)) return std::nullopt;
      return std::optional(Value(true));
    };
    TRY(context_.once({"expire", ""}, expires, [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
      if (TRY(expires(attempt))) return Value(true);
      const auto dataset = TRY(platform::get_dataset(context_.http(), made));
      const auto asked = platform::expire_dataset(client, *dataset, context_.server().now() + kScratchLife,
                                                  "scratch of audiencesync, sync " + uid);
      // It is dropped after use as well, so a quota that is used up is no reason to stop.
      if (asked.ok() || asked.error().code() == ErrorCode::Rejected) return Value(asked.ok());
      return asked.error();
    }));
    for (const auto& dataset : TRY(platform::datasets_of(context_.http(), uid, kChangesetRole))) {
      if (dataset.id == made || platform::our_tag(dataset, "state") != context_.state_id()) continue;
      TRY(context_.once({"drop-" + dataset.id, ""}, {},
                        [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
                          TRY(platform::delete_dataset(client, dataset.id));
                          return Value(true);
                        }));
    }
    return {};
  }

  const Change& change_;
  WriteContext& context_;
  std::string key_;
  std::string marker_;
};

}  // namespace

std::string query_marker(const std::string& uid, const std::string& state_id, const std::string& rest) {
  return fmt::format("audiencesync uid:{} state:{} {}", uid, state_id, rest);
}

std::string beside_the_export(const std::string& staging, const std::vector<std::string>& batches) {
  constexpr std::size_t kMost = 3;
  const auto shown = std::min(batches.size(), kMost);
  return fmt::format(
      "staging dataset {} holds {} beside the export ({}{}), and Query Service reads a dataset as a whole; run apply "
      "for a new export, which ends older ones of ours; if that does not help, remove what is there beside it, or "
      "delete the dataset: the next apply makes another",
      staging, with_plural(batches.size(), "batch", "batches"),
      fmt::join(batches.begin(), batches.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      batches.size() > shown ? ", ..." : "");
}

Result<std::optional<std::string>> table_of(http::ReadClient& client, const std::string& dataset) {
  const auto known = TRY(platform::get_dataset(client, dataset));
  if (!known) return std::optional<std::string>();
  const auto tag = known->tags.find("adobe/pqs/table");
  if (tag == known->tags.end() || tag->second.empty()) return std::optional<std::string>();
  return std::optional(tag->second.front());
}

Result<std::optional<Changeset>> find_changeset(const ReadContext& context, const std::string& key) {
  const auto marker = query_marker(context.manifest().uid, context.state_id(), "changeset " + key);
  for (const auto& query : TRY(platform::queries_with(context.http(), marker))) {
    if (!platform::has_succeeded(query) || query.made.empty()) continue;
    auto table = TRY(table_of(context.http(), query.made));
    if (table) return std::optional(Changeset{query.id, query.made, std::move(*table)});
  }
  return std::optional<Changeset>();
}

Result<sql::Rows> ask_queries(const ReadContext& context, const sql::Query& query) {
  if (context.sql() == nullptr) {
    return Error(ErrorCode::Unsupported,
                 "there is no session of Query Service in this program's settings; write engine: local");
  }
  return context.sql()->select(query);
}

Result<Applied> make_changeset(const Change& change, WriteContext& context) {
  return Computation(change, context).run();
}

}  // namespace audiencesync
