#include "engine/report/plan_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/report/figures.h"

namespace audiencesync {
namespace {

constexpr std::size_t kShortDigest = 16;

bool has_guard_note(const Plan& plan) {
  return std::any_of(plan.findings.begin(), plan.findings.end(), [](const Finding& finding) {
    return finding.code == "guard" && finding.severity == Severity::Note;
  });
}

bool waits_for_approval(const Plan& plan) { return plan.hold && plan.hold->approved_by.empty(); }

const Bulk* first_bulk(const Plan& plan) {
  for (const auto& change : plan.changes) {
    if (change.bulk) return &*change.bulk;
  }
  return nullptr;
}

bool about(const Finding& finding, const AudienceDelta& audience) {
  const auto mentions = [&](const std::string& text) {
    return !text.empty() && finding.text.find(text) != std::string::npos;
  };
  return mentions("'" + audience.name + "'") || mentions(audience.id);
}

// A file name as a shell takes it.
std::string shell_word(const std::string& word) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:=@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char each : word) {
    if (each == '\'') {
      out += "'\\''";
    } else {
      out += each;
    }
  }
  return out + "'";
}

}  // namespace

std::string short_digest(const Digest& digest) { return digest.substr(0, kShortDigest); }

bool nothing_to_do(const Plan& plan) {
  return plan.empty() && plan.known && !plan.hold && plan.severest() == Severity::Note;
}

std::string nothing_to_do_text(const Plan& plan, Time now) {
  if (!plan.source_created) return fmt::format("{}: nothing to do", plan.sync);
  return fmt::format("{}: nothing to do as of export {} ({})", plan.sync, second_text(*plan.source_created),
                     age_text(now - *plan.source_created));
}

std::vector<Finding> findings_by_severity(const Plan& plan) {
  auto findings = plan.findings;
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& left, const Finding& right) { return left.severity > right.severity; });
  return findings;
}

std::vector<Change> person_actions(const Plan& plan) {
  std::vector<Change> actions;
  std::copy_if(plan.changes.begin(), plan.changes.end(), std::back_inserter(actions),
               [](const Change& change) { return change.action == Action::Person; });
  return actions;
}

std::string guards_text(const Plan& plan) {
  const auto trips =
      static_cast<std::uint64_t>(std::count_if(plan.findings.begin(), plan.findings.end(), [](const Finding& finding) {
        return finding.severity == Severity::Guard;
      }));
  if (trips > 0) return fmt::format("{} tripped", trips);
  if (has_guard_note(plan)) {
    return plan.hold && !plan.hold->approved_by.empty() ? "let through by " + plan.hold->approved_by
                                                        : "let through by an approval";
  }
  if (!plan.known) return "known after the export";
  return plan.severest() == Severity::Refuse ? "not judged" : "passed";
}

std::string inputs_text(const Plan& plan, Time now) {
  if (!plan.source_created) return "no export yet that can be used";
  return fmt::format("export {} ({} old)", second_text(*plan.source_created), age_text(now - *plan.source_created));
}

std::string hold_text(const Plan& plan, Time now) {
  if (!plan.hold) return {};
  const auto& hold = *plan.hold;
  if (!hold.approved_by.empty()) {
    return fmt::format("by {}: {}; the next apply executes exactly this plan", hold.approved_by, hold.reason);
  }
  return fmt::format("this plan is held since {} ({}) with its export; without an approval it lapses {}",
                     second_text(hold.since), age_text(now - hold.since), second_text(hold.until));
}

const char* to_string(AudienceVerdict verdict) {
  switch (verdict) {
    case AudienceVerdict::Ok:
      return "ok";
    case AudienceVerdict::Guard:
      return "guard";
    case AudienceVerdict::Held:
      return "held";
    case AudienceVerdict::Withdrawn:
      return "withdrawn";
    case AudienceVerdict::Renamed:
      return "renamed";
    case AudienceVerdict::Emptied:
      return "emptied";
  }
  return "ok";
}

AudienceVerdict audience_verdict(const Plan& plan, const AudienceDelta& audience) {
  const auto found = [&](Severity least, std::string_view code) {
    return std::any_of(plan.findings.begin(), plan.findings.end(), [&](const Finding& finding) {
      return finding.severity >= least && finding.code == code && about(finding, audience);
    });
  };
  if (found(Severity::Guard, "guard")) return AudienceVerdict::Guard;
  if (found(Severity::Note, "audience-held")) return AudienceVerdict::Held;
  if (found(Severity::Note, "audience-withdrawn")) return AudienceVerdict::Withdrawn;
  if (audience.before > 0 && audience.after == 0) return AudienceVerdict::Emptied;
  return audience.renamed > 0 ? AudienceVerdict::Renamed : AudienceVerdict::Ok;
}

std::vector<StageChanges> changes_by_stage(const Plan& plan) {
  std::vector<StageChanges> stages;
  for (const auto& stage : plan.stages) stages.push_back({stage, {}, {}});
  const auto of = [&](const std::string& name) -> StageChanges& {
    const auto found =
        std::find_if(stages.begin(), stages.end(), [&](const auto& each) { return each.stage.stage == name; });
    if (found != stages.end()) return *found;
    stages.push_back({{name, ""}, {}, {}});
    return stages.back();
  };
  for (const auto& change : plan.refresh) of(change.key.stage).refresh.push_back(change);
  for (const auto& change : plan.changes) of(change.key.stage).changes.push_back(change);
  return stages;
}

std::vector<std::string> cost_texts(const Plan& plan) {
  std::vector<std::string> texts;
  const auto& cost = plan.cost;
  if (cost.records == 0 && cost.write_calls == 0) return texts;
  if (cost.records > 0) {
    // Records that the platform writes itself have no size here.
    std::string upload = fmt::format(
        "{}, {}", counted(cost.records, "row"),
        cost.bytes > 0 ? bytes_text(static_cast<double>(cost.bytes)) : "written by Query Service, bytes unknown");
    if (cost.quota_share > 0)
      upload += fmt::format(", {} of what may be ingested in an hour", share_text(cost.quota_share));
    texts.push_back(std::move(upload));
  }
  if (cost.batches > 1) {
    auto batches = fmt::format("in {}", counted(cost.batches, "batch", "batches"));
    if (cost.ingest_hours > 0) batches += fmt::format(" over at least {}", counted(cost.ingest_hours, "hour"));
    texts.push_back(std::move(batches));
  }
  if (cost.write_calls > 0) texts.push_back(fmt::format("at least {}", counted(cost.write_calls, "write call")));
  if (cost.visible_until.count() > 0) {
    texts.push_back(fmt::format("in Customer Journey Analytics about {} to {} after the apply",
                                age_text(cost.visible_from), age_text(cost.visible_until)));
  }
  return texts;
}

std::string summary_text(const Plan& plan) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  const auto people = plan.person_actions();
  if (const auto ours = plan.changes.size() - people; ours > 0) add(counted(ours, "change"));
  if (const auto* bulk = first_bulk(plan)) {
    add(fmt::format("{} written ({} new, {} leave all audiences)", counted(bulk->people, "person", "people"),
                    count_text(bulk->added), count_text(bulk->removed)));
  }
  if (people > 0) add(counted(people, "step for a person", "steps for a person"));
  return out.empty() ? "nothing to do" : out;
}

std::string approve_command_line(const Plan& plan) {
  return fmt::format("audiencesync approve {} --reason \"...\"", short_digest(plan.digest()));
}

namespace {

// Of a repository there is no file here that could be named.
std::string file_operand(const Plan& plan) { return plan.commit.empty() ? " " + shell_word(plan.file) : ""; }

}  // namespace

NextStep next_step(const Plan& plan) {
  const std::string apply = "audiencesync apply" + file_operand(plan);
  if (plan.guarded()) return {"refused by a guard; if this is what should happen:", approve_command_line(plan)};
  if (plan.refused()) return {"refused: nothing is applied until what stands above is settled", ""};
  if (!plan.known) return {"memberships are known after the export; next:", apply};
  if (waits_for_approval(plan)) return {"waits for an approval; next:", approve_command_line(plan)};
  if (plan.empty()) return {};
  if (std::any_of(plan.changes.begin(), plan.changes.end(),
                  [](const Change& each) { return each.key.stage == "retire"; })) {
    return {plan.only_for_people() ? "when the steps are done:" : "next:",
            "audiencesync retire " + shell_word(plan.sync)};
  }
  if (plan.rollback) {
    // The sync is suspended afterwards, so what the steps change is looked at by a plan.
    if (plan.only_for_people()) return {"when the steps are done:", "audiencesync plan" + file_operand(plan)};
    return {"next:", fmt::format("audiencesync rollback {} --to {} --manifest {} --reason \"...\"",
                                 shell_word(plan.sync), plan.rollback->run, shell_word(plan.file))};
  }
  if (plan.only_for_people()) return {"when the steps are done:", apply};
  return {"next:", apply};
}

}  // namespace audiencesync
