#include "daemon/history_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/status_text.h"
#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

constexpr std::size_t kDigestInHistory = 16;
constexpr const char* kIndent = "        ";  // below the time of a run

/// Something that happened, with its lines.
struct Entry {
  Time at{};
  std::string text;
};

std::string figure(const RunRecord& run, const char* member, std::string (*text)(std::uint64_t)) {
  const auto number = run.summary.number(member);
  return number && *number >= 0 ? text(static_cast<std::uint64_t>(*number)) : std::string{};
}

std::string bytes_figure(std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }
std::string entered_figure(std::uint64_t count) { return "+" + short_count_text(count); }
std::string left_figure(std::uint64_t count) { return "−" + short_count_text(count); }

std::string row(const std::string& id, const std::string& ended, const std::string& verdict, const std::string& changes,
                const std::string& people, const std::string& bytes, const std::string& entered,
                const std::string& left) {
  auto out = fmt::format("  {:<5} {} {} {} {} {} {} {}", id, fit_left(ended, 20), fit_left(verdict, 12),
                         fit_right(changes, 7), fit_right(people, 6), fit_right(bytes, 8), fit_right(entered, 8),
                         left.empty() ? "" : fit_right(left, 5));
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string run_lines(const RunRecord& run, const SyncRecords& records) {
  std::string verdict = run.ended ? run.verdict : "no end yet";
  std::replace(verdict.begin(), verdict.end(), '_', ' ');
  auto out =
      row(std::to_string(run.id), second_text(run.ended.value_or(run.started)), verdict,
          figure(run, "applied", short_count_text), figure(run, "people", short_count_text),
          figure(run, "bytes", bytes_figure), figure(run, "entered", entered_figure), figure(run, "left", left_figure));
  const auto more = [&](const std::string& text) { out += paragraph(kIndent, text); };
  if (const auto by = run.summary.text("approved_by"); !by.empty()) {
    more(fmt::format("approved by {}: {}", by, run.summary.text("reason")));
  } else if (const auto user = run.summary.text("by"); !user.empty()) {
    more("by " + user);
  }
  if (const auto commit = run.summary.text("commit"); !commit.empty()) {
    more("commit " + commit.substr(0, kDigestInHistory));
  }
  if (const auto repaired = run.summary.text("repaired"); !repaired.empty()) more(repaired);
  if (const auto* back = run.summary.find("rollback")) {
    const auto reason = back->text("reason");
    more(fmt::format("rollback to run {}{}{}", back->number("run").value_or(0), reason.empty() ? "" : ": ", reason));
  }
  if (const auto found = records.generations.find(run.id); found != records.generations.end()) {
    more(fmt::format("generation {}", found->second));
  }
  if (const auto error = run.summary.text("error"); !error.empty()) more("error: " + error);
  if (const auto steps = waiting_steps(run); !steps.empty()) more("waits for a person: " + steps);
  if (const auto report = run.summary.text("report"); !report.empty()) more("report: " + report);
  return out;
}

std::string plan_line(Time at, const HeldPlan& plan, const std::string& what) {
  return paragraph(fmt::format("  {:<5} {} ", "plan", second_text(at)),
                   fmt::format("{} {}", plan.digest.substr(0, kDigestInHistory), what));
}

// A plan that was only shown is no news; what somebody decided about it is.
void add_plan(std::vector<Entry>& entries, const HeldPlan& plan) {
  if (plan.state != HoldState::Offered && !(plan.state == HoldState::Stale && plan.by.empty() && plan.reason.empty())) {
    entries.push_back(
        {plan.since, plan_line(plan.since, plan, "held for an approval until " + second_text(plan.until))});
  }
  if (!plan.decided || plan.state == HoldState::Offered || plan.state == HoldState::Held) return;
  std::string what = to_string(plan.state);
  // Who approved it stays with a plan that was applied.
  if (plan.state == HoldState::Applied && !plan.reason.empty()) what += "; approved";
  if (!plan.by.empty()) what += " by " + plan.by;
  if (!plan.reason.empty()) what += ": " + plan.reason;
  entries.push_back({*plan.decided, plan_line(*plan.decided, plan, what)});
}

std::string suspension_line(Time at, const std::string& what) {
  return paragraph(fmt::format("  {:<5} {} ", "sync", second_text(at)), what);
}

void add_suspension(std::vector<Entry>& entries, const Suspension& suspension) {
  auto what = "suspended by " + suspension.by;
  if (suspension.until) what += " until " + second_text(*suspension.until);
  entries.push_back({suspension.since, suspension_line(suspension.since, what + ": " + suspension.reason)});
  if (!suspension.resumed) return;
  what = "resumed";
  if (!suspension.resumed_by.empty()) what += " by " + suspension.resumed_by;
  if (!suspension.resumed_reason.empty()) what += ": " + suspension.resumed_reason;
  entries.push_back({*suspension.resumed, suspension_line(*suspension.resumed, what)});
}

// With fewer runs than there were, older plans would stand below the last run shown as if nothing had come between.
std::vector<const HeldPlan*> plans_of_shown_runs(const SyncRecords& records) {
  std::vector<const HeldPlan*> plans;
  for (const auto& plan : records.plans) {
    if (records.runs.empty() || plan.since >= records.runs.back().started || records.runs.back().id == 1)
      plans.push_back(&plan);
  }
  return plans;
}

}  // namespace

std::string history_text(const SyncRecords& records) {
  std::string out = cut(records.name, kTextWidth) + "\n";
  out += row("run", "ended", "verdict", "changes", "people", "bytes", "+entered", "−left");
  std::vector<Entry> entries;
  // A run's clock is that of the platform, known to a second or so: of two runs within one the later has the higher id.
  auto newer = Time::max();
  for (const auto& run : records.runs) {
    newer = std::min(newer, run.ended.value_or(run.started));
    entries.push_back({newer, run_lines(run, records)});
  }
  for (const auto* plan : plans_of_shown_runs(records)) add_plan(entries, *plan);
  for (const auto& suspension : records.suspensions) {
    if (records.runs.empty() || suspension.since >= records.runs.back().started) add_suspension(entries, suspension);
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& left, const Entry& right) { return left.at > right.at; });
  for (const auto& entry : entries) out += entry.text;
  return out;
}

Value history_value(const SyncRecords& records) {
  Value::Array runs;
  for (const auto& run : records.runs) {
    Value value = Value::Object{{"id", run.id},
                                {"started", to_iso8601(run.started)},
                                {"verdict", run.verdict},
                                {"definition", run.definition},
                                {"summary", run.summary}};
    if (run.ended) value["ended"] = to_iso8601(*run.ended);
    if (const auto found = records.generations.find(run.id); found != records.generations.end()) {
      value["generation"] = found->second;
    }
    runs.push_back(std::move(value));
  }
  Value::Array plans;
  for (const auto* plan : plans_of_shown_runs(records)) {
    Value value = Value::Object{{"digest", plan->digest},
                                {"state", to_string(plan->state)},
                                {"since", to_iso8601(plan->since)},
                                {"until", to_iso8601(plan->until)},
                                {"by", plan->by},
                                {"reason", plan->reason}};
    if (plan->decided) value["decided"] = to_iso8601(*plan->decided);
    plans.push_back(std::move(value));
  }
  Value::Array suspensions;
  for (const auto& suspension : records.suspensions) suspensions.push_back(suspension_value(suspension));
  return Value::Object{{"sync", records.uid},
                       {"name", records.name},
                       {"runs", std::move(runs)},
                       {"plans", std::move(plans)},
                       {"suspensions", std::move(suspensions)}};
}

std::string audit_text(const std::vector<AuditRecord>& commands) {
  if (commands.empty()) return "no operator sent a command yet\n";
  std::string out;
  for (const auto& command : commands) {
    auto text = fmt::format("{} (uid {}): {}", command.user, command.uid, command.command);
    if (command.answer != "admitted") text += "; " + command.answer;
    if (command.answer == "admitted") {
      text += command.code ? fmt::format("; exit code {}", *command.code) : std::string("; no end yet, or cut short");
    }
    out += paragraph("  " + second_text(command.at) + " ", text);
  }
  return out;
}

Value audit_value(const std::vector<AuditRecord>& commands) {
  Value::Array list;
  for (const auto& command : commands) {
    Value value = Value::Object{{"at", to_iso8601(command.at)},
                                {"uid", command.uid},
                                {"user", command.user},
                                {"command", command.command},
                                {"answer", command.answer}};
    if (command.ended) value["ended"] = to_iso8601(*command.ended);
    if (command.code) value["code"] = *command.code;
    list.push_back(std::move(value));
  }
  return list;
}

}  // namespace audiencesync
