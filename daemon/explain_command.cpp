#include <fmt/format.h>

#include <ostream>

#include "daemon/commands.h"
#include "daemon/explanation.h"
#include "daemon/person_input.h"
#include "daemon/person_lookup.h"
#include "engine/base/json.h"
#include "engine/membership/forgotten.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"

namespace audiencesync {
namespace {

constexpr std::size_t kRunsToExplain = 100;

void normalize(PersonFacts& facts, PersonRule rule) {
  std::string space;
  std::string_view out;
  switch (apply_person_rule(rule, facts.person.reveal(), space, out)) {
    case PersonProblem::None:
      facts.normalized = PersonId(std::string(out));
      break;
    case PersonProblem::Missing:
      facts.unusable = "empty once it is normalised";
      break;
    case PersonProblem::OverLong:
      facts.unusable = fmt::format("longer than {} bytes", kLongestPersonId);
      break;
    case PersonProblem::NotUtf8:
      facts.unusable = "not UTF-8";
      break;
  }
}

// A held plan pins its export; else the newest one that a run planned from.
std::string export_of(const SyncRecords& records, Time now) {
  if (const auto* plan = records.live_plan(now)) return plan->source;
  for (const auto& run : records.runs) {
    if (auto source = run.summary.text("source"); !source.empty()) return source;
  }
  return records.snapshot ? records.snapshot->source : std::string{};
}

Result<std::string> quarantine_reason(const Adapters& adapters, const Settings& settings, const SyncRecords& records,
                                      const PersonId& person) {
  if (records.quarantined == 0) return std::string{};
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly));
  const auto people = TRY(store->quarantine(records.uid + "/analytics"));
  for (const auto& record : people) {
    if (record.person == person.reveal()) return record.reason;
  }
  return std::string{};
}

Result<PersonFacts> collect(const Adapters& adapters, const Settings& settings, const SyncRecords& records,
                            PersonId person, std::stop_token stop) {
  TRY(need_rows_here(records, "explain"));
  const Value manifest = records.runs.empty() ? Value() : records.runs.front().manifest;
  PersonFacts facts;
  facts.person = std::move(person);
  if (const auto* identity = manifest.find("identity")) facts.normalize = identity->text("normalize");
  normalize(facts, person_rule_of(manifest));
  const Path folder = settings.state / "syncs" / records.uid;
  if (records.snapshot) {
    if (facts.unusable.empty()) {
      const auto path = snapshot_path(folder / "memberships", records.snapshot->content);
      facts.snapshot = TRY(find_in_snapshot(adapters.files, path, facts.normalized));
    } else {
      facts.snapshot = PersonInSnapshot{};
    }
  }
  facts.quarantined = TRY(quarantine_reason(adapters, settings, records, facts.normalized));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly));
  const auto forgotten = Forgotten::from_value(TRY(store->remembered(records.uid, kForgotten)));
  facts.forgotten = forgotten.contains(facts.normalized.reveal());
  facts.batches = export_of(records, adapters.clock.now());
  if (facts.batches.empty()) {
    facts.not_read = "no run has used one yet; run plan --fresh or apply first";
  } else if (!facts.unusable.empty()) {
    facts.not_read = "such an id cannot be in it";
  } else {
    auto found = find_in_export(adapters, settings,
                                {manifest, facts.batches, facts.normalized, folder / "work/explain"}, std::move(stop));
    if (found.ok()) {
      facts.exported = std::move(found).take();
    } else if (found.error().code() == ErrorCode::Interrupted) {
      return std::move(found).error();
    } else {
      // What is known without it is still worth telling.
      facts.not_read = found.error().text();
    }
  }
  return facts;
}

}  // namespace

ExitCode explain_command(const Options& options, const Adapters& adapters, const Console& console,
                         std::stop_token stop) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto syncs = read_syncs(options, *settings, adapters, kRunsToExplain);
  if (!syncs.ok()) return fail(syncs.error());
  auto person = ask_person(options.person, console);
  if (!person.ok()) return fail(person.error());
  const auto& records = syncs->front();
  const auto facts = collect(adapters, *settings, records, std::move(person).take(), std::move(stop));
  if (!facts.ok()) return fail(facts.error());
  const Time now = adapters.clock.now();
  if (options.format == Format::Json) {
    console.out << to_json_pretty(explanation_value(records, *facts, now)) << "\n";
  } else {
    console.out << explanation_text(records, *facts, now);
  }
  return ExitCode::Converged;
}

}  // namespace audiencesync
