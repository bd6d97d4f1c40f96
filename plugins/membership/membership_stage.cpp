#include "plugins/membership/membership_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/limit.h"
#include "plugins/membership/compaction.h"
#include "plugins/membership/ingest.h"
#include "plugins/membership/ledger.h"
#include "plugins/membership/question.h"
#include "plugins/membership/relation.h"
#include "plugins/membership/superseded.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

const ResourceKey kPeople{"membership", "people"};
constexpr std::string_view kLeftover = "leftover/";
constexpr std::string_view kSuperseded = "superseded/";

Finding dropped_rows(const DroppedRows& dropped, const Guard& guard) {
  std::string text = fmt::format(
      "{} of {} exported rows cannot be used: {} without a person id, {} with one longer than {} bytes, {} not UTF-8",
      dropped.total(), dropped.read, dropped.without_person, dropped.over_long, kLongestPersonId, dropped.not_utf8);
  if (dropped.broken > 0) text += fmt::format(", {} no readable record", dropped.broken);
  if (!dropped.samples.empty()) {
    const auto& first = dropped.samples.front();
    text += fmt::format("; the first is {} at {} {} ({})", first.file, first.unit, first.position, first.reason);
  }
  if (dropped.total() >= guard.min_people && !within(guard.max_bad_rows, dropped.total(), dropped.read)) {
    return {Severity::Refuse, "bad-rows",
            fmt::format("{}; more than guard.max_bad_rows ({}) allows: check identity.field, or raise the limit", text,
                        guard.max_bad_rows.text())};
  }
  return {Severity::Warning, "bad-rows", std::move(text)};
}

Finding unknown_statuses(std::uint64_t count) {
  return {Severity::Warning, "unknown-status",
          fmt::format("{} membership{} of an unknown status {} left out; the platform knows realized, existing and "
                      "exited",
                      count, count == 1 ? "" : "s", count == 1 ? "is" : "are")};
}

class MembershipStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest&, ReadContext& context) override {
    Observed observed;
    const auto& manifest = context.manifest();
    const auto relation = analytics_relation(manifest);
    const auto quarantine = TRY(context.records().quarantine(relation));
    const auto audiences = TRY(context.output({"audiences", "audiences"}));

    Question question;
    question.spec = TRY(relation_spec(manifest, audiences, quarantine));
    question.current = TRY(context.records().current(relation));
    if (const auto dataset = context.output({"dataset", "dataset_id"}); dataset.ok()) {
      if (const auto* id = dataset.value().string_if()) question.spec.dataset = *id;
    }
    const auto& dataset = question.spec.dataset;

    std::optional<std::string> full;  // why everyone is written again
    if (!dataset.empty()) {
      const auto input = TRY(ledger_input(dataset, relation, context));
      const auto verdict = TRY(check_ledger(input));
      observed.findings = verdict.findings;
      for (const auto& batch : verdict.leftovers) {
        observed.resources.push_back(
            {{kPeople.stage, std::string(kLeftover) + batch}, {{"batch", Value(batch)}}, "", {}});
      }
      question.rewrite = verdict.damaged;
      full = full_generation_due(manifest.target, written_into(dataset, input.written), context.server().now());
      if (!verdict.damaged) add_old_batches(input, context, observed);
    }
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
    if (full && question.current && question.current->dataset == dataset) question.rewrite = true;
    auto bulk = TRY(compare_memberships(question, context));
    if (manifest.target.row_rule == RowRule::Accumulate && bulk.people > 0 && question.current && !question.rewrite) {
      full = "everyone is written again: with target.row_rule accumulate a difference alone would leave older rows";
      question.rewrite = true;
      bulk = TRY(compare_memberships(question, context));
    }
    if (question.rewrite && full) observed.guides[kPeople] = {*full, {}};
    if (bulk.dropped.total() > 0) observed.findings.push_back(dropped_rows(bulk.dropped, manifest.guard));
    if (bulk.dropped.unknown_status > 0) observed.findings.push_back(unknown_statuses(bulk.dropped.unknown_status));
    people.fields = {{"relation", Value(relation)},
                     {"uid", Value(manifest.uid)},
                     {"tenant", Value(manifest.tenant)},
                     {"definition", Value(question.spec.definition())},
                     {"rewrite", Value(question.rewrite)}};
    const bool someone_leaves = std::any_of(bulk.audiences.begin(), bulk.audiences.end(),
                                            [](const AudienceDelta& audience) { return audience.left > 0; });
    if (someone_leaves && manifest.target.row_rule == RowRule::Unknown) {
      observed.findings.push_back(
          {Severity::Note, "row-rule-unknown",
           "people who leave get a new record; whether Customer Journey Analytics lets it replace their older rows is "
           "not known here (target.row_rule: unknown), so until it does they may stay visible in reports"});
    }
    people.pending = std::move(bulk);
    observed.resources.push_back(std::move(people));
    return observed;
  }

  Result<Applied> apply(const Change& change, WriteContext& context) override {
    if (change.action == Action::Ingest) return ingest(change, context);
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
  static Result<LedgerInput> ledger_input(const std::string& dataset, const std::string& relation,
                                          ReadContext& context) {
    LedgerInput input;
    input.dataset = dataset;
    input.written = TRY(context.records().batches(relation));
    input.seen = TRY(platform::batches_of(context.http(), dataset));
    input.uid_tag = "uid:" + context.manifest().uid;
    input.state_tag = "state:" + context.state_id();
    for (const auto& open : TRY(context.records().open_changes(context.manifest().uid))) {
      if (open.change.key != kPeople || !open.change.bulk) continue;
      for (const auto& batch : input.seen) {
        if (is_attempt_of(batch.external_id, *open.change.bulk)) input.in_flight.insert(batch.external_id);
      }
    }
    input.lookup = [&context](const std::string& id) { return platform::get_batch(context.http(), id); };
    return input;
  }

  static std::vector<BatchRecord> written_into(const std::string& dataset, std::vector<BatchRecord> written) {
    std::erase_if(written, [&](const BatchRecord& record) { return record.dataset != dataset; });
    return written;
  }

  // Older generations go once Customer Journey Analytics has had the time to take up the newest one.
  static void add_old_batches(const LedgerInput& input, const ReadContext& context, Observed& observed) {
    const auto old = old_batches(written_into(input.dataset, input.written), input.seen, context.server().now());
    for (const auto& record : old.removable) {
      // The generation in the name puts the oldest first.
      observed.resources.push_back(
          {{kPeople.stage, fmt::format("{}{:012}/{}", kSuperseded, record.generation, record.batch)},
           {{"batch", Value(record.batch)}, {"dataset", Value(record.dataset)}},
           "",
           {}});
    }
    if (old.waits_until) {
      observed.findings.push_back(
          {Severity::Note, "older-generations",
           fmt::format("batches of earlier generations are removed by a run after {}, when Customer Journey Analytics "
                       "has the newest one",
                       to_iso8601(*old.waits_until))});
    }
    if (!old.shared.empty()) {
      observed.findings.push_back(
          {Severity::Note, "shared-batch",
           fmt::format("{} batch{} of earlier generations stay{}, because the platform consolidated {} with rows that "
                       "still count",
                       old.shared.size(), old.shared.size() == 1 ? "" : "es", old.shared.size() == 1 ? "s" : "",
                       old.shared.size() == 1 ? "it" : "them")});
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
                    {.prefix = std::string(kLeftover), .prune = true, .fields = {}},
                    {.prefix = std::string(kSuperseded), .prune = true, .fields = {}}},
          .desire =
              [](const Manifest&) {
                return std::vector<Resource>{{kPeople, {{"dataset", Ref{"dataset", "dataset_id"}}}, "", {}}};
              },
          .make = [] { return std::make_unique<MembershipStage>(); }};
}

}  // namespace audiencesync
