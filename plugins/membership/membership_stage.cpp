#include "plugins/membership/membership_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/manifest/limit.h"
#include "plugins/membership/compaction.h"
#include "plugins/membership/findings.h"
#include "plugins/membership/ingest.h"
#include "plugins/membership/ledger.h"
#include "plugins/membership/names.h"
#include "plugins/membership/past.h"
#include "plugins/membership/query_changeset.h"
#include "plugins/membership/query_ingest.h"
#include "plugins/membership/query_view.h"
#include "plugins/membership/question.h"
#include "plugins/membership/read_back.h"
#include "plugins/membership/relation.h"
#include "plugins/membership/superseded.h"
#include "plugins/membership/target_batches.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

const ResourceKey& kPeople = kPeopleKey;
constexpr const char* kSound = "sound";
constexpr std::string_view kLeftover = "leftover/";

// The memberships of a past run become what is wanted: of audiences that were in the sync then and are declared now.
Result<void> go_back(std::int64_t run, Question& question, ReadContext& context, Observed& observed) {
  const auto snapshots = TRY(context.records().past_snapshots(question.spec.relation, kAllSnapshots));
  const auto way = TRY(way_back(snapshots, run));
  if (!way) return nothing_proven_by(run);
  question.restore = TRY(context.memberships().recall(way->ref, context.stop()));
  std::map<AudienceId, AudiencePeople> then;
  for (auto& audience : TRY(context.memberships().people(*question.restore))) {
    auto& one = then[audience.id];
    one.name = audience.name;
    one.people += audience.people;
  }
  std::vector<std::string> joined;
  for (auto& audience : question.spec.audiences) {
    const auto known = then.find(audience.id);
    if (known == then.end()) {
      audience.held = true;  // what was not there cannot come back, and nobody asked for its end
      joined.push_back(audience.name);
    } else {
      then.erase(known);
    }
  }
  if (!joined.empty()) observed.findings.push_back(rollback_kept(joined, run));
  std::vector<std::string> withdrawn;
  std::uint64_t memberships = 0;
  for (const auto& [id, audience] : then) {
    if (audience.people == 0) continue;
    withdrawn.push_back(audience.name);
    memberships += audience.people;
  }
  if (!withdrawn.empty()) observed.findings.push_back(rollback_withdrawn(withdrawn, memberships));
  return {};
}

// The one finding that stays a note whatever the number: somebody asked for it, by id. The guards count them like all
// others (docs/adr/0014).
Finding forgotten_people(const ForgottenPeople& forgotten) {
  const bool one = forgotten.people == 1;
  return {
      Severity::Note, "forgotten",
      fmt::format("{} on request: {} end{}, and then nothing here names {} any more",
                  one ? "1 person is forgotten" : fmt::format("{} people are forgotten", forgotten.people),
                  forgotten.memberships == 1 ? "1 membership" : fmt::format("{} memberships", forgotten.memberships),
                  forgotten.memberships == 1 ? "s" : "", one ? "that person" : "them")};
}

// What the records of this layout would not tell analysts.
std::optional<Finding> crowded_people(const RelationSpec& spec, const Bulk& bulk, const Target& target) {
  if (bulk.crowded == 0) return std::nullopt;
  if (spec.layout == RecordLayout::Delimited) {
    return Finding{Severity::Refuse, "too-many-audiences",
                   fmt::format("{} in more than {} audiences, and analytics split no more than that out of one string; "
                               "declare fewer audiences, or use target.layout: person",
                               with_plural(bulk.crowded, "person is", "people are"), kMostDelimitedIds)};
  }
  const auto several = fmt::format(
      "{} in more than one audience, and Customer Journey Analytics may keep one row of "
      "each, so one audience",
      with_plural(bulk.crowded, "person is", "people are"));
  if (target.accept_one_row_per_person)
    return Finding{Severity::Note, "one-row-per-person", several + " (accepted: target.accept_one_row_per_person)"};
  return Finding{Severity::Refuse, "one-row-per-person",
                 several + "; use target.layout: person, or write target.accept_one_row_per_person: true"};
}

// Layout membership has no record that says "in nothing", and a batch without records proves nothing.
bool leaves_nobody(const RelationSpec& spec, const Bulk& bulk) {
  return spec.layout == RecordLayout::Membership && bulk.people > 0 && bulk.records == 0;
}

// Why a difference alone would not do.
std::optional<std::string> no_difference(const RelationSpec& spec, const Target& target) {
  if (spec.layout == RecordLayout::Membership)
    return "everyone is written again: layout membership has no record for a membership that ends";
  if (target.row_rule == RowRule::Accumulate)
    return "everyone is written again: with target.row_rule accumulate a difference alone would leave older rows";
  return std::nullopt;
}

class MembershipStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override {
    if (context.manifest().engine == Engine::QueryService) return observe_by_query(request, context);
    Observed observed;
    const auto& manifest = context.manifest();
    const auto relation = analytics_relation(manifest);
    const auto quarantine = TRY(context.records().quarantine(relation));

    Question question;
    question.current = TRY(context.records().current(relation));
    if (const auto id = context.output({"dataset", "dataset_id"}); id.ok()) {
      if (const auto* text = id.value().string_if()) question.spec.dataset = *text;
    }
    const std::string dataset = question.spec.dataset;
    const auto mark = RebuildMark::from_value(TRY(context.records().remembered(manifest.uid, kRebuilt)));
    const bool asked = request.read_back != ReadBackWish::IfNeeded;
    if (asked && dataset.empty()) {
      return Error(
          ErrorCode::NotFound,
          fmt::format("sync {} has no target dataset in sandbox {}: none carries its tags, so there is nothing "
                      "to read back",
                      manifest.name, manifest.sandbox));
    }

    std::optional<std::string> full;  // why everyone is written again
    if (!dataset.empty()) {
      const bool take_over = request.read_back == ReadBackWish::TakeOver;
      const auto input = TRY(ledger_input(dataset, relation, take_over, context));
      const auto verdict = TRY(check_ledger(input));
      observed.findings.insert(observed.findings.end(), verdict.findings.begin(), verdict.findings.end());
      for (const auto& batch : verdict.leftovers) {
        observed.resources.push_back(
            {{kPeople.stage, std::string(kLeftover) + batch}, {{"batch", Value(batch)}}, "", {}});
      }
      question.rewrite = verdict.damaged;
      const auto knowledge = TRY(judge_knowledge(request.read_back, question, verdict, mark, context));
      if (knowledge.condition != kSound) return before_repair(knowledge, question, std::move(observed));
      full = full_generation_due(manifest.target, written_into(dataset, input.written), context.server().now());
      if (!verdict.damaged) add_old_batches(input, quarantine, context, observed);
      if (!full && question.current && is_unfinished(*question.current))
        full = "everyone is written again: the newest full generation was not written to its end";
    }
    const auto audiences = TRY(context.output({"audiences", "audiences"}));
    if (manifest.target.name_lookup) TRY(observe_names(audiences, context, observed));
    question.spec = TRY(relation_spec(manifest, audiences, quarantine));
    question.spec.dataset = dataset;
    question.spec.forgotten = Forgotten::from_value(TRY(context.records().remembered(manifest.uid, kForgotten)));
    if (question.current && question.current->dataset != dataset) {
      observed.findings.push_back(
          {Severity::Warning, "new-target",
           fmt::format("memberships were written to dataset {} until now; everyone is written into the new target, and "
                       "the old dataset stays as it is",
                       question.current->dataset)});
      question.current.reset();
      question.rewrite = false;
    }
    const auto waiting = std::count_if(quarantine.begin(), quarantine.end(),
                                       [](const QuarantineRecord& record) { return !record.given_up; });
    if (waiting > 0) {
      observed.findings.push_back(
          {Severity::Warning, "quarantine",
           fmt::format("{} in quarantine because the platform rejected their record; they "
                       "stay as they were: audiencesync quarantine list {}",
                       waiting == 1 ? "1 person is" : fmt::format("{} people are", waiting), manifest.name)});
    }

    observed.resources.push_back(snapshot_resource({}, question.spec));
    Resource people{kPeople, {}, question.current ? question.current->content : "", {}};
    const auto batches = context.output({"export", "batches"});
    if (!batches.ok()) {
      if (manifest.source.from == SourceFrom::ExportJob) {
        observed.findings.push_back(
            {Severity::Wait, "known-after-export",
             "there is no export that can be used; who enters and leaves is known after the export that apply makes"});
      }
      observed.resources.push_back(std::move(people));
      return observed;
    }
    for (const auto& batch : batches.value().is_array() ? *batches.value().array_if() : Value::Array{}) {
      if (const auto* id = batch.string_if()) question.batches.push_back(*id);
    }
    if (const auto files = context.output({"export", "files"}); files.ok() && files.value().is_array()) {
      for (const auto& file : *files.value().array_if()) {
        if (const auto* path = file.string_if()) question.files.emplace_back(*path);
      }
    }
    if (const auto profiles = context.output({"export", "profiles"}); profiles.ok()) {
      if (const auto count = to_number(profiles.value())) question.profiles = static_cast<std::uint64_t>(*count);
    }
    if (request.back_to) TRY(go_back(*request.back_to, question, context, observed));
    if (question.current) {
      // A snapshot that cannot be read is the comparison's business.
      const auto shape = context.memberships().shape(question.current->content);
      if (shape.ok() && *shape != question.spec.shape())
        full = fmt::format("everyone is written again: records are of layout {} now, {} until now",
                           question.spec.shape(), *shape);
    }
    if (full && question.current && question.current->dataset == dataset) question.rewrite = true;
    auto compared = compare_memberships(question, context);
    if (!compared.ok() && compared.error().code() == ErrorCode::Corrupt && question.current) {
      // Damaged may be the export or the snapshot; the first has to be made again, the other one is in the dataset.
      const auto whole = context.memberships().check(question.current->content);
      const auto lost = whole.ok() ? std::nullopt : lost_snapshot(whole.error());
      if (lost) return before_repair(*lost, question, std::move(observed));
    }
    auto bulk = TRY(std::move(compared));
    if (const auto why = no_difference(question.spec, manifest.target);
        why && bulk.people > 0 && question.current && !question.rewrite) {
      full = why;
      question.rewrite = true;
      bulk = TRY(compare_memberships(question, context));
    }
    if (question.rewrite && full) observed.guides[kPeople] = {*full, {}};
    if (bulk.forgotten.people > 0) observed.findings.push_back(forgotten_people(bulk.forgotten));
    if (bulk.left_out.people > 0) observed.findings.push_back(people_left_out(bulk.left_out));
    if (auto finding = crowded_people(question.spec, bulk, manifest.target)) observed.findings.push_back(*finding);
    for (const auto& audience : bulk.audiences) {
      if (audience.renamed > 0) observed.findings.push_back(renamed_audience(audience));
    }
    if (leaves_nobody(question.spec, bulk)) {
      observed.findings.push_back(
          {Severity::Refuse, "nobody-left",
           "nobody would be in any audience, which layout membership has no record for; use target.layout: person, or "
           "retire the sync"});
    }
    if (bulk.dropped.total() > 0) observed.findings.push_back(dropped_rows(bulk.dropped, manifest.guard));
    if (bulk.dropped.unknown_status > 0) observed.findings.push_back(unknown_statuses(bulk.dropped.unknown_status));
    people.fields = {{"relation", Value(relation)},
                     {"uid", Value(manifest.uid)},
                     {"tenant", Value(manifest.tenant)},
                     {"definition", Value(question.spec.definition())},
                     {"rewrite", Value(question.rewrite || question.spec.layout == RecordLayout::Membership)}};
    // Only what is not the default, so that plans of earlier versions keep their digest.
    if (const auto shape = question.spec.shape(); shape != RelationSpec{}.shape()) people.fields["shape"] = shape;
    if (auto finding = row_rule_unknown(bulk, manifest.target)) observed.findings.push_back(*finding);
    tell_rebuilt(mark, question, &bulk, observed);
    people.pending = std::move(bulk);
    observed.resources.push_back(std::move(people));
    return observed;
  }

  Result<Applied> apply(const Change& change, WriteContext& context) override {
    if (change.key == kChangesetKey) return make_changeset(change, context);
    if (change.action == Action::Ingest)
      return is_by_query(change) ? ingest_by_query(change, context) : ingest(change, context);
    if (change.key == kSnapshotKey) return rebuild_snapshot(change, context);
    if (change.key == kNames) return write_names(change, context);
    if (change.key.name.starts_with(kSuperseded)) return remove_superseded(change, context);
    const std::string batch = change.key.name.substr(kLeftover.size());
    TRY(context.once(
        {"abort", ""},
        [&](const Attempt&) -> Result<std::optional<Value>> {
          const auto seen = TRY(platform::get_batch(context.http(), batch));
          if (seen && platform::is_loading(*seen)) return std::nullopt;
          return std::optional(Value(true));
        },
        [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
          TRY(platform::abort_batch(client, batch));
          return Value(true);
        }));
    return Applied{};
  }

 private:
  // What we know of the target, and what is wrong with it. `condition` is a word for the resource.
  struct Knowledge {
    const char* condition = kSound;
    std::string reason;
    bool take_over = false;
  };

  // Looks as far as it costs nothing: a snapshot that is damaged in its middle shows when it is compared with.
  static Result<Knowledge> judge_knowledge(ReadBackWish wish, const Question& question, const LedgerVerdict& verdict,
                                           const std::optional<RebuildMark>& mark, const ReadContext& context) {
    const auto& current = question.current;
    const bool of_this_dataset = current && current->dataset == question.spec.dataset;
    if (wish == ReadBackWish::TakeOver)
      return Knowledge{"taken over", "this state folder takes the dataset over", true};
    if (wish == ReadBackWish::Asked) return Knowledge{"asked for", "somebody asked for it"};
    if (of_this_dataset) {
      const auto people = context.memberships().people(current->content);
      if (!people.ok()) {
        if (auto lost = lost_snapshot(people.error())) return std::move(*lost);
      }
    }
    if (!verdict.unrecorded.empty()) {
      return Knowledge{"outdated",
                       fmt::format("batch {} was written by this sync, but the records of this state folder "
                                   "do not know it: they are older, or were copied",
                                   verdict.unrecorded.front().id)};
    }
    if (of_this_dataset) {
      for (const auto& batch : verdict.missing) {
        if (mark && std::find(mark->missing.begin(), mark->missing.end(), batch) != mark->missing.end()) continue;
        return Knowledge{"drifted", fmt::format("batch {} of this sync is no longer in the dataset", batch)};
      }
    }
    return Knowledge{};
  }

  static std::optional<Knowledge> lost_snapshot(const Error& error) {
    if (error.code() == ErrorCode::NotFound) return Knowledge{"missing", "the snapshot is missing"};
    if (error.code() == ErrorCode::Corrupt) return Knowledge{"damaged", "the snapshot is damaged"};
    return std::nullopt;
  }

  // Nothing is compared with what is not true: the people are known after the repair.
  static Observed before_repair(const Knowledge& knowledge, const Question& question, Observed observed) {
    observed.resources.push_back(snapshot_resource(knowledge, question.spec));
    observed.guides[kSnapshotKey] = {
        fmt::format("{}; it is read back from dataset {}", knowledge.reason, question.spec.dataset), {}};
    observed.findings.push_back(
        {Severity::Wait, "known-after-read-back",
         fmt::format("{}: apply first reads the memberships back from dataset {} (nothing is taken for empty); who "
                     "enters and leaves is known then",
                     knowledge.reason, question.spec.dataset)});
    observed.resources.push_back({kPeople, {}, question.current ? question.current->content : "", {}});
    return observed;
  }

  static Resource snapshot_resource(const Knowledge& knowledge, const RelationSpec& spec) {
    return {kSnapshotKey,
            {{"condition", Value(knowledge.condition)},
             {"dataset", Value(spec.dataset)},
             {"take_over", Value(knowledge.take_over)}},
            "",
            {}};
  }

  // What a rebuild has found is told until a run has finished with it; who it was that leaves after one, a person
  // should look at.
  static void tell_rebuilt(const std::optional<RebuildMark>& mark, const Question& question, const Bulk* bulk,
                           Observed& observed) {
    const bool newest = mark && question.current && question.current->content == mark->content &&
                        question.current->generation == mark->generation;
    if (!newest) return;
    if (!mark->told) {
      observed.findings.push_back({Severity::Warning, "rebuilt",
                                   fmt::format("what is proven to be in the dataset was read back from it ({}): {}",
                                               mark->why, rebuilt_text(*mark))});
      auto told = *mark;
      told.told = true;
      observed.remember[kRebuilt] = told.to_value();
    }
    std::uint64_t left = 0;
    if (bulk != nullptr) {
      for (const auto& audience : bulk->audiences) left += audience.left;
    }
    if (left > 0) {
      observed.findings.push_back(
          {Severity::Approve, "removals-after-rebuild",
           fmt::format("{} memberships end by comparison with memberships that were read back from the dataset, not "
                       "proven by this sync; so the plan waits for an approval",
                       left)});
    }
  }
};

}  // namespace

StageDescriptor membership_stage() {
  return {.name = kPeople.stage,
          .summary = "Writes the people whose audiences changed into the target dataset and proves it.",
          .phase = Phase::Converge,
          .needs = {"audiences", "export", "dataset"},
          .rules = {{.prefix = "people",
                     .missing = Action::Ingest,
                     .different = Action::Ingest,
                     .prune = false,
                     .fields = {{"dataset", Compare::Given}}},
                    {.prefix = kSnapshotKey.name,
                     .missing = Action::Run,
                     .different = Action::Run,
                     .repair = true,
                     .fields = {{"dataset", Compare::Given}}},
                    {.prefix = kChangesetKey.name,
                     .missing = Action::Run,
                     .different = Action::Run,
                     .repair = true,
                     .scratch = true,
                     .fields = {}},
                    {.prefix = kNames.name, .prune = false, .fields = {{"dataset", Compare::Given}}},
                    {.prefix = std::string(kLeftover), .prune = true, .fields = {}},
                    {.prefix = std::string(kSuperseded), .prune = true, .fields = {}}},
          .desire =
              [](const Manifest& manifest) {
                if (manifest.engine == Engine::QueryService) {
                  return std::vector<Resource>{{kChangesetKey, {{"condition", Value(kChangesetReady)}}, "", {}},
                                               {kPeople, {{"dataset", Ref{"dataset", "dataset_id"}}}, "", {}}};
                }
                std::vector<Resource> desired{
                    {kSnapshotKey, {{"condition", Value(kSound)}, {"dataset", Ref{"dataset", "dataset_id"}}}, "", {}}};
                // Names before people: an id that cannot be looked up yet would be shown as it is.
                if (manifest.target.name_lookup)
                  desired.push_back({kNames, {{"dataset", Ref{"dataset", "names_dataset_id"}}}, "", {}});
                desired.push_back({kPeople, {{"dataset", Ref{"dataset", "dataset_id"}}}, "", {}});
                return desired;
              },
          .make = [] { return std::make_unique<MembershipStage>(); }};
}

}  // namespace audiencesync
