#include "daemon/status_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

constexpr std::size_t kDigestInStatus = 16;

const char* phrase_of(Condition condition) {
  switch (condition) {
    case Condition::Interrupted:
      return "at work, or interrupted";
    case Condition::Suspended:
      return "suspended; apply refuses until it is resumed";
    case Condition::Paused:
      return "paused; the daemon has no manifest of it";
    case Condition::NeverRan:
      return "never ran";
    case Condition::WaitsForApproval:
      return "waits for an approval";
    case Condition::Approved:
      return "approved; the next apply executes the plan";
    case Condition::WaitsForPerson:
      return "waits for a person; all else is in sync";
    case Condition::InSync:
      return "in sync";
    case Condition::Drifted:
      return "drifted; audiencesync plan shows how";
    case Condition::NotFinished:
      return "not finished; the next apply continues";
    case Condition::Refused:
      return "refused; audiencesync plan shows why";
    case Condition::Failed:
      return "failed";
  }
  return "failed";
}

// `connection/dataset: why` names the same step as long as the part before the colon is the same.
std::string step_name(const std::string& waiting) { return waiting.substr(0, waiting.find(": ")); }

std::vector<std::string> waiting_of(const RunRecord& run) {
  std::vector<std::string> texts;
  for (const auto& item : run.summary.items("waiting")) {
    if (const auto* text = item.string_if()) texts.push_back(*text);
  }
  return texts;
}

bool waits_for(const RunRecord& run, const std::string& step) {
  const auto texts = waiting_of(run);
  return std::any_of(texts.begin(), texts.end(), [&](const auto& text) { return step_name(text) == step; });
}

Time end_of(const RunRecord& run) { return run.ended.value_or(run.started); }

}  // namespace

Condition condition_of(const SyncRecords& records, Time now) {
  const auto* run = records.last_run();
  if (!records.open.empty() || (run != nullptr && !run->ended)) return Condition::Interrupted;
  if (records.suspension(now) != nullptr) return Condition::Suspended;
  if (records.without_manifest) return Condition::Paused;
  if (const auto* plan = records.live_plan(now)) {
    return plan->state == HoldState::Approved ? Condition::Approved : Condition::WaitsForApproval;
  }
  if (run == nullptr) return Condition::NeverRan;
  if (run->verdict == to_string(Verdict::Converged)) return Condition::InSync;
  if (run->verdict == to_string(Verdict::Pending)) return Condition::Drifted;
  if (run->verdict == to_string(Verdict::NotFinished)) return Condition::NotFinished;
  if (run->verdict == to_string(Verdict::Refused)) return Condition::Refused;
  if (run->verdict != to_string(Verdict::Waiting)) return Condition::Failed;
  // It waited for an approval that no longer stands: its changes are still to be made.
  return waiting_of(*run).empty() ? Condition::Drifted : Condition::WaitsForPerson;
}

const char* word_of(Condition condition) {
  switch (condition) {
    case Condition::Interrupted:
      return "interrupted";
    case Condition::Suspended:
      return "suspended";
    case Condition::Paused:
      return "paused";
    case Condition::NeverRan:
      return "never_ran";
    case Condition::WaitsForApproval:
      return "waits_for_approval";
    case Condition::Approved:
      return "approved";
    case Condition::WaitsForPerson:
      return "waits_for_person";
    case Condition::InSync:
      return "in_sync";
    case Condition::Drifted:
      return "drifted";
    case Condition::NotFinished:
      return "not_finished";
    case Condition::Refused:
      return "refused";
    case Condition::Failed:
      return "failed";
  }
  return "failed";
}

std::vector<Waiting> waiting_for_person(const SyncRecords& records) {
  std::vector<Waiting> waiting;
  // A run that failed says nothing about steps; what the last one with something to say saw still stands.
  const auto last = std::find_if(records.runs.begin(), records.runs.end(), [](const RunRecord& run) {
    return run.ended && run.verdict != to_string(Verdict::Failed) && run.verdict != to_string(Verdict::NotFinished);
  });
  if (last == records.runs.end()) return waiting;
  for (const auto& what : waiting_of(*last)) {
    Time since = end_of(*last);
    for (auto run = last; run != records.runs.end(); ++run) {
      if (waits_for(*run, step_name(what))) {
        since = end_of(*run);
      } else if (run->verdict == to_string(Verdict::Converged) || run->verdict == to_string(Verdict::Waiting)) {
        break;
      }
    }
    waiting.push_back({what, since});
  }
  return waiting;
}

std::string waiting_steps(const RunRecord& run) {
  std::string names;
  for (const auto& text : waiting_of(run)) names += (names.empty() ? "" : ", ") + step_name(text);
  return names;
}

std::string last_report(const SyncRecords& records) {
  for (const auto& run : records.runs) {
    if (auto report = run.summary.text("report"); !report.empty()) return report;
  }
  return {};
}

std::optional<Time> last_success(const SyncRecords& records) {
  for (const auto& run : records.runs) {
    if (run.ended && run.verdict == to_string(Verdict::Converged)) return run.ended;
  }
  return std::nullopt;
}

std::string verified_rows_text(const SyncRecords& records, Time now) {
  const auto& value = records.verified_rows;
  const auto at = value.number("at");
  if (!at) return {};
  const auto* share = value.find("share");
  const double read = share != nullptr && share->double_if() != nullptr ? *share->double_if() : 1.0;
  const auto people = counted(static_cast<std::uint64_t>(value.number("people").value_or(0)), "person", "people");
  const auto when = ago_text(from_epoch_ms(*at), now);
  if (value.flag("equal")) {
    return fmt::format("{}: {} of the records read back, {} as proven", when, share_text(read), people);
  }
  return fmt::format("{}: {} of the records read back, {} of {} differ", when, share_text(read),
                     count_text(static_cast<std::uint64_t>(value.number("differing").value_or(0))), people);
}

std::string status_text(const SyncRecords& records, Time now) {
  const auto condition = condition_of(records, now);
  std::string title = records.name;
  if (records.name != records.uid) title += fmt::format(" (uid {})", records.uid);
  std::string out = paragraph("", fmt::format("{}: {}", title, phrase_of(condition)));
  const auto line = [&](const char* name, const std::string& text) {
    out += paragraph(fmt::format("  {:<10} ", name), text);
  };
  if (const auto* suspension = records.suspension(now)) {
    const auto until = suspension->until ? "until " + second_text(*suspension->until) : "until resumed";
    line("suspended",
         fmt::format("{}, {}, by {}: {}", ago_text(suspension->since, now), until, suspension->by, suspension->reason));
    out += fmt::format("             audiencesync resume {}\n", records.name);
  }
  if (records.without_manifest) {
    line("manifest", "none; it does not run, and nothing of it is deleted. Put back under its uid, it goes on");
  }
  if (const auto* run = records.last_run()) {
    if (run->ended) {
      line("last run", fmt::format("{}, run {}: {}", ago_text(*run->ended, now), run->id, run->verdict));
    } else {
      line("last run", fmt::format("run {} began {} and has no end yet", run->id, ago_text(run->started, now)));
    }
    if (const auto error = run->summary.text("error"); !error.empty()) line("error", error);
  }
  const auto success = last_success(records);
  line("converged", success ? ago_text(*success, now) : "none yet");
  if (records.snapshot) {
    const auto& snapshot = *records.snapshot;
    line("proven", fmt::format("{}: generation {} in batch {} of dataset {}", ago_text(snapshot.proven, now),
                               snapshot.generation, snapshot.batch, snapshot.dataset));
  } else {
    line("proven", "nothing yet");
  }
  if (const auto rows = verified_rows_text(records, now); !rows.empty()) line("rows", rows);
  if (const auto report = last_report(records); !report.empty()) line("report", report);
  if (const auto* plan = records.live_plan(now)) {
    const auto digest = plan->digest.substr(0, kDigestInStatus);
    if (plan->state == HoldState::Approved) {
      line("approved",
           fmt::format("plan {} by {}: {}; lapses {}", digest, plan->by, plan->reason, second_text(plan->until)));
    } else {
      line("approval", fmt::format("plan {} is held since {} and lapses {}:", digest, ago_text(plan->since, now),
                                   second_text(plan->until)));
      out += fmt::format("             audiencesync approve {} --reason \"...\"\n", digest);
    }
  }
  for (const auto& waiting : waiting_for_person(records)) {
    line("person", fmt::format("{} (waiting {})", waiting.what, age_text(now - waiting.since)));
  }
  for (const auto& change : records.open) {
    line("open",
         fmt::format("{} {}; the next apply continues it", to_string(change.change.action), change.change.key.text()));
  }
  if (records.forgotten > 0) {
    line("forgotten", counted(records.forgotten, "person is kept out", "people are kept out"));
  }
  if (records.quarantined > 0) line("quarantine", counted(records.quarantined, "person", "people"));
  return out;
}

Value status_value(const SyncRecords& records, Time now) {
  Value value = Value::Object{{"sync", records.uid},
                              {"name", records.name},
                              {"condition", word_of(condition_of(records, now))},
                              {"quarantined", static_cast<std::uint64_t>(records.quarantined)}};
  if (records.forgotten > 0) value["forgotten"] = static_cast<std::uint64_t>(records.forgotten);
  if (!records.verified_rows.is_null()) value["verified_rows"] = records.verified_rows;
  if (const auto* run = records.last_run()) {
    value["last_run"] = Value::Object{
        {"id", run->id}, {"started", to_iso8601(run->started)}, {"verdict", run->verdict}, {"summary", run->summary}};
    if (run->ended) value["last_run"]["ended"] = to_iso8601(*run->ended);
  }
  if (const auto report = last_report(records); !report.empty()) value["report"] = report;
  if (const auto success = last_success(records)) value["last_success"] = to_iso8601(*success);
  if (records.snapshot) {
    value["proven"] = Value::Object{{"generation", records.snapshot->generation},
                                    {"batch", records.snapshot->batch},
                                    {"dataset", records.snapshot->dataset},
                                    {"source", records.snapshot->source},
                                    {"at", to_iso8601(records.snapshot->proven)}};
  }
  if (const auto* plan = records.live_plan(now)) {
    value["held_plan"] = Value::Object{{"digest", plan->digest},
                                       {"state", to_string(plan->state)},
                                       {"since", to_iso8601(plan->since)},
                                       {"until", to_iso8601(plan->until)},
                                       {"by", plan->by},
                                       {"reason", plan->reason}};
  }
  if (const auto* suspension = records.suspension(now)) value["suspended"] = suspension_value(*suspension);
  Value::Array waiting;
  for (const auto& each : waiting_for_person(records))
    waiting.push_back(Value::Object{{"what", each.what}, {"since", to_iso8601(each.since)}});
  value["waiting"] = std::move(waiting);
  Value::Array open;
  for (const auto& change : records.open) open.push_back(change.change.key.text());
  value["open_changes"] = std::move(open);
  return value;
}

}  // namespace audiencesync
