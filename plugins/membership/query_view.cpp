#include "plugins/membership/query_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/base/json.h"
#include "engine/membership/query/refresh_sql.h"
#include "plugins/membership/compaction.h"
#include "plugins/membership/findings.h"
#include "plugins/membership/query_changeset.h"
#include "plugins/membership/query_ingest.h"
#include "plugins/membership/query_past.h"
#include "plugins/membership/query_samples.h"
#include "plugins/membership/relation.h"
#include "plugins/membership/target_batches.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

constexpr std::size_t kKeyLetters = 16;

Path kept_counts(const Path& work) { return work / "query-comparison.json"; }

/// Counts of a changeset, and what they were counted for.
struct Counted {
  Digest wanted;                // what the desired side depends on
  Digest key;                   // ... and the base
  std::uint64_t people = 0;     // in any audience afterwards
  std::int64_t generation = 0;  // the highest in the target
  Bulk bulk;
  std::vector<AudiencePeople> past = {};  // of a rollback: who was in what then
  std::uint64_t past_people = 0;          // ... in anything
  std::optional<ShownSamples> samples = {};

  Value to_value() const {
    Value value = Value::Object{
        {"wanted", wanted}, {"key", key}, {"people", people}, {"generation", generation}, {"bulk", bulk.to_value()}};
    Value::Array then;
    for (const auto& audience : past)
      then.push_back(Value::Object{{"id", audience.id}, {"name", audience.name}, {"people", audience.people}});
    if (!then.empty()) value["past"] = std::move(then);
    if (samples) value["samples"] = samples->to_value();
    return value;
  }
};

// A damaged file only costs the counts again.
std::optional<Counted> read_counted(const Files& files, const Path& work) {
  const auto text = files.read(kept_counts(work));
  if (!text.ok()) return std::nullopt;
  const auto value = parse_json(*text);
  if (!value.ok() || value->find("bulk") == nullptr) return std::nullopt;
  auto bulk = Bulk::from_value(*value->find("bulk"));
  if (!bulk.ok()) return std::nullopt;
  Counted counted{value->text("wanted"), value->text("key"),
                  static_cast<std::uint64_t>(value->number("people").value_or(0)),
                  value->number("generation").value_or(0), std::move(bulk).take()};
  for (const auto& one : value->items("past")) {
    const auto people = static_cast<std::uint64_t>(one.number("people").value_or(0));
    counted.past.push_back({one.text("id"), one.text("name"), people});
  }
  if (const auto* samples = value->find("samples")) counted.samples = ShownSamples::from_value(*samples);
  return counted;
}

// What comparing the same export with its own result gives.
Bulk without_changes(Bulk bulk) {
  bulk.base = bulk.candidate;
  bulk.people = bulk.added = bulk.removed = bulk.records = 0;
  for (auto& audience : bulk.audiences) {
    audience.before = audience.after;
    audience.entered = audience.left = audience.renamed = 0;
    audience.name_before.clear();
  }
  return bulk;
}

Result<void> write_counted(ReadContext& context, const Counted& counted) {
  return context.files().write_atomic(kept_counts(context.work()), to_json(counted.to_value()));
}

class QueryView {
 public:
  explicit QueryView(ReadContext& context) : context_(context), manifest_(context.manifest()) {}

  Result<Observed> observe(const ObserveRequest& request) {
    TRY(check_possible(request));
    const auto relation = analytics_relation(manifest_);
    current_ = TRY(context_.records().current(relation));
    if (const auto id = context_.output({"dataset", "dataset_id"}); id.ok() && id->string_if() != nullptr)
      dataset_ = *id->string_if();
    if (!dataset_.empty()) {
      TRY(look_at_target(relation));
      if (request.back_to) past_ = TRY(past_state(*request.back_to, relation, ledger_, context_));
    } else if (request.back_to) {
      return nothing_proven_by(*request.back_to);
    }
    const auto audiences = TRY(context_.output({"audiences", "audiences"}));
    spec_ = TRY(relation_spec(manifest_, audiences, {}));
    const auto batches = context_.output({"export", "batches"});
    if (!batches.ok()) {
      observed_.findings.push_back(known_after_export());
      return without_comparison("known after export");
    }
    for (const auto& batch : batches->is_array() ? *batches->array_if() : Value::Array{}) {
      if (const auto* id = batch.string_if()) source_ += (source_.empty() ? "" : ",") + *id;
    }
    auto counted = TRY(compare(audiences));
    if (!counted) return std::move(observed_);
    if (request.back_to) tell_past(*request.back_to, *counted);
    TRY(show_samples(request.samples, *counted));
    show(relation, *counted);
    return std::move(observed_);
  }

 private:
  Result<void> check_possible(const ObserveRequest& request) const {
    if (request.read_back != ReadBackWish::IfNeeded) {
      return Error(ErrorCode::Unsupported,
                   "engine query-service compares with the target itself and keeps nothing that could be rebuilt; to "
                   "take a dataset over, do it once with engine: local");
    }
    const auto forgotten = Forgotten::from_value(TRY(context_.records().remembered(manifest_.uid, kForgotten)));
    if (!forgotten.empty()) {
      return Error(ErrorCode::Unsupported,
                   "people of this sync were forgotten, and engine query-service cannot leave them out; write engine: "
                   "local");
    }
    const auto quarantine = TRY(context_.records().quarantine(analytics_relation(manifest_)));
    if (!quarantine.empty()) {
      return Error(ErrorCode::Unsupported,
                   fmt::format("{} in quarantine, which engine query-service does not have; audiencesync quarantine "
                               "replay {}, or write engine: local",
                               with_plural(quarantine.size(), "person is", "people are"), manifest_.name));
    }
    return {};
  }

  Result<void> look_at_target(const std::string& relation) {
    ledger_ = TRY(ledger_input(dataset_, relation, false, context_));
    auto& input = ledger_;
    TRY(sign_batches(input));
    const auto verdict = TRY(check_ledger(input));
    observed_.findings.insert(observed_.findings.end(), verdict.findings.begin(), verdict.findings.end());
    damaged_ = verdict.damaged;
    for (const auto& batch : verdict.live) live_.push_back(batch.id);
    std::sort(live_.begin(), live_.end());
    if (damaged_) {
      full_ = "everyone is written again: a batch of this sync is no longer in the dataset";
    } else {
      full_ = full_generation_due(manifest_.target, written_into(dataset_, input.written), context_.server().now());
      add_old_batches(input, {}, context_, observed_);
    }
    return {};
  }

  // Query Service puts no tags of ours on a batch: whose it is says the statement that wrote it.
  Result<void> sign_batches(LedgerInput& input) const {
    const auto open = TRY(context_.records().open_changes(manifest_.uid));
    const bool writing = std::any_of(open.begin(), open.end(), [](const ChangeRecord& record) {
      return record.change.key == kPeopleKey && is_by_query(record.change);
    });
    for (auto& batch : input.seen) {
      const auto& ids = batch.tag("queryId");
      const bool recorded = std::any_of(input.written.begin(), input.written.end(),
                                        [&](const BatchRecord& record) { return record.batch == batch.id; });
      if (ids.empty() || recorded || !platform::is_live(batch)) continue;
      const auto query = TRY(platform::get_query(context_.http(), ids.front()));
      if (!query || query->sql.find("audiencesync " + input.uid_tag + " ") == std::string::npos) continue;
      batch.tags["audiencesync"] = {input.uid_tag};
      if (query->sql.find(" " + input.state_tag + " ") == std::string::npos) continue;
      batch.tags["audiencesync"].push_back(input.state_tag);
      if (!writing) continue;
      batch.external_id = "query:" + query->id;
      input.in_flight.insert(batch.external_id);
    }
    return {};
  }

  Observed without_comparison(const char* condition) {
    observed_.resources.push_back({kChangesetKey, {{"condition", Value(kChangesetReady)}}, "", {}});
    observed_.resources.push_back({kPeopleKey, {}, base(), {}});
    observed_.state = condition;
    return std::move(observed_);
  }

  Digest base() const {
    if (live_.empty()) return {};
    Value::Array ids(live_.begin(), live_.end());
    return digest_of(Value::Object{{"dataset", dataset_}, {"batches", std::move(ids)}});
  }

  Digest wanted() const {
    Value::Array held;
    for (const auto& audience : spec_.audiences) {
      if (audience.held) held.push_back(audience.id);
    }
    Value::Object wants{{"definition", spec_.definition()}, {"held", std::move(held)}, {"source", source_}};
    if (past_) wants["restore"] = Value::Object{{"generation", past_->restore.generation}, {"audiences", then()}};
    return digest_of(std::move(wants));
  }

  Value::Array then() const {
    return past_ ? Value::Array(past_->restore.audiences.begin(), past_->restore.audiences.end()) : Value::Array();
  }

  // nullopt while there is nothing to count: then the changeset is to be made first.
  Result<std::optional<Counted>> compare(const Value& audiences) {
    const auto wants = wanted();
    auto kept = read_counted(context_.files(), context_.work());
    if (kept && kept->wanted == wants && !full_ && current_ && current_->dataset == dataset_ &&
        current_->content == kept->bulk.candidate) {
      kept->bulk = without_changes(std::move(kept->bulk));
      observed_.resources.push_back({kChangesetKey, {{"condition", Value(kChangesetReady)}}, "", {}});
      return kept;
    }
    auto counted = TRY(counted_at(audiences, wants, std::move(kept)));
    if (counted && counted->bulk.people > 0 && accumulates() && !full_)
      full_ = "everyone is written again: with target.row_rule accumulate a difference alone would leave older rows";
    return counted;
  }

  // A difference is no way to write then, but it says whether anything is to be written.
  bool accumulates() const { return !live_.empty() && manifest_.target.row_rule == RowRule::Accumulate; }

  static bool nothing_differs(const Bulk& bulk) {
    return std::all_of(bulk.audiences.begin(), bulk.audiences.end(), [](const AudienceDelta& audience) {
      return audience.entered == 0 && audience.left == 0 && audience.renamed == 0;
    });
  }

  const char* extent() const { return full_ || accumulates() ? "everyone" : "changes"; }

  Result<std::optional<Counted>> counted_at(const Value& audiences, const Digest& wants, std::optional<Counted> kept) {
    const Digest key = digest_of(Value::Object{{"wanted", wants}, {"base", base()}, {"extent", extent()}});
    const auto short_key = key.substr(0, kKeyLetters);
    if (kept && kept->key == key && kept->bulk.people == 0) {
      observed_.resources.push_back({kChangesetKey, {{"condition", Value(kChangesetReady)}}, "", {}});
      return kept;
    }
    const auto made = TRY(find_changeset(context_, short_key));
    observed_.resources.push_back(changeset_resource(short_key, audiences, made.has_value()));
    if (!made) {
      TRY(look_at_staging());
      observed_.guides[kChangesetKey] = {"Query Service compares the export with the target, in a scratch dataset", {}};
      observed_.findings.push_back({Severity::Wait, "known-after-query",
                                    "who enters and leaves is known after Query Service has compared the export with "
                                    "the target, which apply and plan --fresh have it do"});
      observed_.resources.push_back({kPeopleKey, {}, base(), {}});
      return std::optional<Counted>();
    }
    key_ = short_key;
    table_ = made->table;
    if (kept && kept->key == key) return kept;
    Counted counted = TRY(count(*made));
    if (accumulates() && !full_ && nothing_differs(counted.bulk))
      counted.bulk.people = counted.bulk.added = counted.bulk.removed = counted.bulk.records = 0;
    counted.wanted = wants;
    counted.key = key;
    counted.bulk.content = digest_of(Value::Object{{"key", key}, {"counts", counted.bulk.to_value()}});
    counted.bulk.candidate = digest_of(Value::Object{{"base", base()}, {"content", counted.bulk.content}});
    TRY(write_counted(context_, counted));
    return std::optional(std::move(counted));
  }

  // What the export stage does not take back by itself would be read as part of the export.
  Result<void> look_at_staging() {
    const auto staging = context_.output({"export", "dataset"});
    const auto holders = context_.output({"export", "holders"});
    if (!staging.ok() || !holders.ok() || staging->string_if() == nullptr) return {};
    const auto superseded = context_.output({"export", "superseded"});
    const auto among = [](const Result<Value>& list, const std::string& id) {
      if (!list.ok() || !list->is_array()) return false;
      const auto& ids = *list->array_if();
      return std::find(ids.begin(), ids.end(), Value(id)) != ids.end();
    };
    std::vector<std::string> beside;
    for (const auto& batch : TRY(platform::batches_of(context_.http(), *staging->string_if()))) {
      if (platform::is_live(batch) && !among(holders, batch.id) && !among(superseded, batch.id))
        beside.push_back(batch.id);
    }
    if (!beside.empty()) {
      observed_.findings.push_back(
          {Severity::Refuse, "staging-shared", beside_the_export(*staging->string_if(), beside)});
    }
    return {};
  }

  Resource changeset_resource(const std::string& key, const Value& audiences, bool ready) const {
    if (ready) return {kChangesetKey, {{"condition", Value(kChangesetReady)}}, "", {}};
    Fields fields{{"condition", Value("to be computed")},
                  {"key", Value(key)},
                  {"audiences", audiences},
                  {"definition", Value(spec_.definition())},
                  {"target", Value(dataset_)},
                  {"base", Value(Value::Array(live_.begin(), live_.end()))},
                  {"extent", Value(extent())}};
    if (past_) {
      fields["restore"] = Value(past_->restore.generation);
      fields["restored_audiences"] = Value(then());
    }
    if (auto staging = context_.output({"export", "dataset"}); staging.ok()) fields["staging"] = *staging;
    if (auto holders = context_.output({"export", "holders"}); holders.ok()) fields["holders"] = *holders;
    return {kChangesetKey, std::move(fields), "", {}};
  }

  Result<Counted> count(const Changeset& changeset) const {
    const auto rows =
        TRY(ask_queries(context_, {count_changeset(spark_name(changeset.table)), "the counts of the changeset", {}}));
    const auto part = TRY(rows.column("part"));
    const auto id = TRY(rows.column("audience"));
    const auto name = TRY(rows.column("name"));
    const auto name_before = TRY(rows.column("name_before"));
    Counted counted;
    Bulk& bulk = counted.bulk;
    bulk.relation = spec_.relation;
    bulk.source = source_;
    bulk.base = base();
    std::map<AudienceId, AudienceDelta> audiences;
    for (const auto& audience : spec_.audiences) {
      audiences[audience.id].id = audience.id;
      audiences[audience.id].name = audience.name;
    }
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
      const auto number = [&](const char* column) -> Result<std::uint64_t> {
        const auto value = TRY(rows.number(i, column));
        return static_cast<std::uint64_t>(value);
      };
      const auto was = TRY(number("was"));
      const auto will_be = TRY(number("will_be"));
      const auto came = TRY(number("came"));
      const auto went = TRY(number("went"));
      const auto& what = rows.rows[i][part].value_or("");
      if (what == "people") {
        bulk.people = bulk.records = was;
        bulk.added = will_be;
        bulk.removed = came;
      } else if (what == "everyone") {
        counted.people = will_be;
        counted.generation = static_cast<std::int64_t>(came);
      } else if (what == "rows") {
        bulk.dropped.read = was;
        bulk.dropped.without_person = will_be;
        bulk.dropped.over_long = came;
        bulk.dropped.unknown_status = went;
        bulk.dropped.broken = TRY(number("renamed"));
      } else if (what == "past") {
        counted.past.push_back({rows.rows[i][id].value_or(""), rows.rows[i][name].value_or(""), was});
      } else if (what == "left_out") {
        bulk.left_out = {was, will_be};
        counted.past_people = came;
      } else if (what == "audience") {
        auto& audience = audiences[rows.rows[i][id].value_or("")];
        audience.id = rows.rows[i][id].value_or("");
        // Of an audience that is held or withdrawn, the name it was written with.
        if (const auto& written = rows.rows[i][name]) audience.name = *written;
        if (audience.name.empty()) audience.name = audience.id;
        audience.name_before = rows.rows[i][name_before].value_or("");
        audience.before = was;
        audience.after = will_be;
        audience.entered = came;
        audience.left = went;
        audience.renamed = TRY(number("renamed"));
      }
    }
    for (auto& [key, audience] : audiences) bulk.audiences.push_back(std::move(audience));
    TRY(check_whole_export(bulk));
    if (past_ && counted.past_people != past_->people) {
      return Error(ErrorCode::Corrupt,
                   fmt::format("{} people were in some audience at generation {}, the target dataset names {} of that "
                               "time; nothing is restored from a past that is not whole",
                               past_->people, past_->restore.generation, counted.past_people));
    }
    return counted;
  }

  // The statement reads the dataset at a snapshot, so this says whether that was the export and nothing else.
  Result<void> check_whole_export(const Bulk& bulk) const {
    const auto profiles = context_.output({"export", "profiles"});
    if (!profiles.ok()) return {};
    const auto expected = to_number(*profiles);
    if (!expected || bulk.dropped.read == static_cast<std::uint64_t>(*expected)) return {};
    return Error(ErrorCode::Corrupt,
                 fmt::format("the export counted {} profiles, Query Service read {} rows of it; nothing is planned on "
                             "another input: run apply again for a new export",
                             *expected, bulk.dropped.read));
  }

  // In the words of the local engine.
  void tell_past(std::int64_t run, const Counted& counted) {
    std::map<AudienceId, AudiencePeople> past;
    for (const auto& audience : counted.past) past[audience.id] = audience;
    std::vector<std::string> joined;
    for (const auto& audience : spec_.audiences) {
      if (past.erase(audience.id) == 0 && !past_->restore.audiences.contains(audience.id))
        joined.push_back(audience.name);
    }
    if (!joined.empty()) observed_.findings.push_back(rollback_kept(joined, run));
    std::vector<std::string> withdrawn;
    std::uint64_t memberships = 0;
    for (const auto& [id, audience] : past) {
      withdrawn.push_back(audience.name.empty() ? id : audience.name);
      memberships += audience.people;
    }
    if (!withdrawn.empty()) observed_.findings.push_back(rollback_withdrawn(withdrawn, memberships));
    if (counted.bulk.left_out.people > 0) observed_.findings.push_back(people_left_out(counted.bulk.left_out));
  }

  // Kept beside the counts, so that they are asked for once; they only illustrate, so nothing depends on them.
  Result<void> show_samples(std::size_t most, Counted& counted) {
    if (most == 0 || table_.empty() || counted.bulk.people == 0) return {};
    if (!counted.samples || counted.samples->most != most) {
      auto asked = changeset_samples(context_, table_, counted.bulk.audiences, most);
      if (!asked.ok()) {
        if (asked.error().code() == ErrorCode::Interrupted) return std::move(asked).error();
        context_.events().warn("plan.no_samples", {{"sync", manifest_.name}, {"error", asked.error().text()}});
        return {};
      }
      counted.samples = ShownSamples{most, std::move(asked).take()};
      TRY(write_counted(context_, counted));
    }
    observed_.samples = counted.samples->people;
    return {};
  }

  void show(const std::string& relation, const Counted& counted) {
    const Bulk& bulk = counted.bulk;
    if (full_ && bulk.people > 0) observed_.guides[kPeopleKey] = {*full_, {}};
    for (const auto& audience : bulk.audiences) {
      if (audience.renamed > 0) observed_.findings.push_back(renamed_audience(audience));
    }
    if (bulk.dropped.total() > 0) observed_.findings.push_back(dropped_rows(bulk.dropped, manifest_.guard));
    if (bulk.dropped.unknown_status > 0) observed_.findings.push_back(unknown_statuses(bulk.dropped.unknown_status));
    if (auto finding = row_rule_unknown(bulk, manifest_.target)) observed_.findings.push_back(*finding);
    if (bulk.people == 0 && current_) {
      Value::Array sizes;
      for (const auto& audience : bulk.audiences)
        sizes.push_back(Value::Object{{"id", audience.id}, {"name", audience.name}, {"people", audience.after}});
      observed_.remember[kCountedPeople] =
          Value::Object{{"content", current_->content}, {"audiences", std::move(sizes)}};
    }
    Resource people{kPeopleKey, {}, bulk.base, {}};
    people.fields = {{"engine", Value(to_string(Engine::QueryService))},
                     {"relation", Value(relation)},
                     {"uid", Value(manifest_.uid)},
                     {"tenant", Value(manifest_.tenant)},
                     {"definition", Value(spec_.definition())},
                     {"changeset", Value(key_)},
                     {"people", Value(counted.people)},
                     {"above", Value(counted.generation)},
                     {"base", Value(Value::Array(live_.begin(), live_.end()))},
                     {"rewrite", Value(full_.has_value())}};
    people.pending = bulk;
    observed_.resources.push_back(std::move(people));
  }

  ReadContext& context_;
  const Manifest& manifest_;
  std::optional<SnapshotRecord> current_;
  std::string dataset_;
  LedgerInput ledger_;
  std::vector<std::string> live_;  // batches of the target
  std::optional<PastState> past_;  // of a rollback
  std::string source_;
  RelationSpec spec_;
  bool damaged_ = false;
  std::optional<std::string> full_;  // why everyone is written again
  std::string key_;
  std::string table_;  // of the changeset; "" while none is to be read
  Observed observed_;
};

}  // namespace

Result<Observed> observe_by_query(const ObserveRequest& request, ReadContext& context) {
  return QueryView(context).observe(request);
}

}  // namespace audiencesync
