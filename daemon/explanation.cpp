#include "daemon/explanation.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/status_text.h"
#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

struct KnownAudience {
  AudienceId id;
  std::string name;
  bool declared = true;
};

const Value& canonical_of(const SyncRecords& records) {
  static const Value kNothing;
  const auto* run = records.last_run();
  return run == nullptr ? kNothing : run->manifest;
}

// Ids and names as the newest run resolved them.
std::vector<KnownAudience> resolved_audiences(const SyncRecords& records) {
  std::vector<KnownAudience> found;
  const auto add = [&](const Value& item) {
    const auto id = item.text("id");
    const bool known = std::any_of(found.begin(), found.end(), [&](const auto& each) { return each.id == id; });
    if (!id.empty() && !known) found.push_back({id, item.text("name"), false});
  };
  for (const auto& plan : records.plans) {
    for (const auto& item : plan.plan.items("memberships")) add(item);
  }
  for (const auto& run : records.runs) {
    for (const auto& item : run.summary.items("memberships")) add(item);
  }
  return found;
}

std::vector<KnownAudience> audiences_of(const SyncRecords& records, const PersonFacts& facts) {
  const auto resolved = resolved_audiences(records);
  const auto named = [&](const auto& fits) {
    const auto found = std::find_if(resolved.begin(), resolved.end(), fits);
    return found == resolved.end() ? nullptr : &*found;
  };
  std::vector<KnownAudience> audiences;
  for (const auto& entry : canonical_of(records).items("audiences")) {
    KnownAudience audience{entry.text("id"), entry.text("name"), true};
    const auto* known = audience.id.empty() ? named([&](const auto& each) { return each.name == audience.name; })
                                            : named([&](const auto& each) { return each.id == audience.id; });
    if (known != nullptr) {
      audience.id = known->id;
      if (audience.name.empty()) audience.name = known->name;
    }
    if (audience.name.empty()) audience.name = audience.id;
    audiences.push_back(std::move(audience));
  }
  if (!facts.snapshot) return audiences;
  for (const auto& id : facts.snapshot->audiences) {
    if (std::any_of(audiences.begin(), audiences.end(), [&](const auto& each) { return each.id == id; })) continue;
    const auto* known = named([&](const auto& each) { return each.id == id; });
    audiences.push_back({id, known == nullptr ? id : known->name, false});
  }
  return audiences;
}

std::vector<std::string> counting_statuses(const SyncRecords& records) {
  std::vector<std::string> words;
  if (const auto* source = canonical_of(records).find("source")) {
    for (const auto& word : source->items("statuses")) {
      if (const auto* text = word.string_if()) words.push_back(*text);
    }
  }
  return words;
}

std::string what_comes(const SyncRecords& records, const PersonFacts& facts, Time now) {
  if (!facts.quarantined.empty()) {
    return "but the platform rejected this person's record, so it stays as it is: " + facts.quarantined;
  }
  if (const auto* plan = records.live_plan(now); plan != nullptr && plan->state != HoldState::Approved) {
    return fmt::format("when plan {} is approved and applied", plan->digest.substr(0, 16));
  }
  return "with the next apply";
}

std::string absence(const PersonFacts& facts, const std::string& status, const std::vector<std::string>& counts) {
  if (!facts.exported->found) return "the export has no such person";
  if (status.empty()) return "the export has this person without this audience";
  return fmt::format("the export says '{}', and only {} counts (source.statuses)", status, fmt::join(counts, " or "));
}

void judge(AudienceExplanation& audience, bool declared, const SyncRecords& records, const PersonFacts& facts,
           Time now) {
  const auto counts = counting_statuses(records);
  if (!facts.exported) {
    audience.verdict = audience.proven ? PersonVerdict::InAsProven : PersonVerdict::OutAsProven;
    audience.why = audience.proven ? "proven to be written" : "not in what was proven to be written";
    return;
  }
  const bool wanted = declared && !facts.forgotten && facts.unusable.empty() &&
                      std::find(counts.begin(), counts.end(), audience.status) != counts.end();
  if (wanted && audience.proven) {
    audience.verdict = PersonVerdict::In;
    audience.why = fmt::format("the export says '{}', and it is proven to be written", audience.status);
  } else if (wanted) {
    audience.verdict = PersonVerdict::Enters;
    audience.why = fmt::format("the export says '{}'; enters {}", audience.status, what_comes(records, facts, now));
  } else {
    std::string why = !facts.unusable.empty() ? "an id that is " + facts.unusable + " is never written"
                      : facts.forgotten       ? "this person was forgotten on request and is kept out"
                      : !declared             ? "the manifest no longer declares it"
                      : audience.id.empty()   ? "its name was never resolved to an audience"
                                              : absence(facts, audience.status, counts);
    audience.verdict = audience.proven ? PersonVerdict::Leaves : PersonVerdict::Out;
    if (audience.proven) why += "; leaves " + what_comes(records, facts, now);
    audience.why = std::move(why);
  }
}

const char* phrase_of(PersonVerdict verdict) {
  switch (verdict) {
    case PersonVerdict::In:
    case PersonVerdict::InAsProven:
      return "in it";
    case PersonVerdict::Enters:
      return "enters";
    case PersonVerdict::Leaves:
      return "leaves";
    case PersonVerdict::Out:
    case PersonVerdict::OutAsProven:
      return "not in it";
  }
  return "";
}

const char* word_of(PersonVerdict verdict) {
  switch (verdict) {
    case PersonVerdict::In:
      return "in";
    case PersonVerdict::Enters:
      return "enters";
    case PersonVerdict::Leaves:
      return "leaves";
    case PersonVerdict::Out:
      return "out";
    case PersonVerdict::InAsProven:
      return "in_as_proven";
    case PersonVerdict::OutAsProven:
      return "out_as_proven";
  }
  return "";
}

std::string export_line(const PersonFacts& facts) {
  if (!facts.exported) return "not looked at: " + facts.not_read;
  if (!facts.exported->found) return fmt::format("does not have this person ({})", facts.batches);
  return fmt::format("has this person, with {} of any audience ({})",
                     counted(facts.exported->statuses.size(), "membership"), facts.batches);
}

std::string snapshot_line(const SyncRecords& records, const PersonFacts& facts) {
  if (!facts.snapshot || !records.snapshot) return "nothing is proven yet";
  const auto& proven = *records.snapshot;
  const std::string where = fmt::format("generation {}, proven {} in batch {} of dataset {}", proven.generation,
                                        second_text(proven.proven), proven.batch, proven.dataset);
  if (!facts.snapshot->found) return "does not have this person (" + where + ")";
  if (facts.snapshot->audiences.empty()) return "has this person in nothing: an empty list is written (" + where + ")";
  return "has this person (" + where + ")";
}

}  // namespace

std::vector<AudienceExplanation> explain_audiences(const SyncRecords& records, const PersonFacts& facts, Time now) {
  std::vector<AudienceExplanation> out;
  for (const auto& audience : audiences_of(records, facts)) {
    AudienceExplanation each;
    each.id = audience.id;
    each.name = audience.name;
    if (facts.exported) {
      if (const auto status = facts.exported->statuses.find(audience.id); status != facts.exported->statuses.end())
        each.status = status->second;
    }
    if (facts.snapshot) {
      const auto& proven = facts.snapshot->audiences;
      each.proven = std::find(proven.begin(), proven.end(), audience.id) != proven.end();
    }
    judge(each, audience.declared, records, facts, now);
    out.push_back(std::move(each));
  }
  return out;
}

std::string explanation_text(const SyncRecords& records, const PersonFacts& facts, Time now) {
  std::string out = paragraph("", fmt::format("{}: {}", records.name, facts.person.masked()));
  const auto line = [&](const char* name, const std::string& text) {
    out += paragraph(fmt::format("  {:<10} ", name), text);
  };
  if (!facts.unusable.empty()) line("id", "is " + facts.unusable + ", so it is never written");
  if (facts.normalized != facts.person && facts.unusable.empty())
    line("id", fmt::format("identity.normalize: {} changes it before it is compared", facts.normalize));
  if (!facts.quarantined.empty()) line("quarantine", "the platform rejected the record: " + facts.quarantined);
  if (facts.forgotten) line("forgotten", "on request: kept out whatever the export says, until forget --lift");
  line("export", export_line(facts));
  line("snapshot", snapshot_line(records, facts));
  const auto* run = records.last_run();
  if (const auto steps = run == nullptr ? std::string{} : waiting_steps(*run); !steps.empty()) {
    line("analytics", fmt::format("waits for a person: {}; audiencesync status says what to do", steps));
  }
  const auto report = last_report(records);
  line("analytics", report.empty() ? "the report check has said nothing yet" : "report: " + report);
  out += '\n';
  for (const auto& audience : explain_audiences(records, facts, now)) {
    out += paragraph("  ", fmt::format("{}: {}", audience.name, phrase_of(audience.verdict)));
    out += paragraph("    ", audience.why);
  }
  return out;
}

Value explanation_value(const SyncRecords& records, const PersonFacts& facts, Time now) {
  Value value = Value::Object{{"version", 1},
                              {"sync", records.uid},
                              {"name", records.name},
                              {"person", facts.person.masked()},
                              {"normalized", facts.normalized != facts.person}};
  if (!facts.unusable.empty()) value["unusable"] = facts.unusable;
  if (!facts.quarantined.empty()) value["quarantined"] = facts.quarantined;
  if (facts.forgotten) value["forgotten"] = true;
  value["export"]["batches"] = facts.batches;
  value["export"]["looked_at"] = facts.exported.has_value();
  if (facts.exported) value["export"]["found"] = facts.exported->found;
  if (!facts.not_read.empty()) value["export"]["not_read"] = facts.not_read;
  value["snapshot"]["found"] = facts.snapshot && facts.snapshot->found;
  if (records.snapshot) {
    value["snapshot"]["generation"] = records.snapshot->generation;
    value["snapshot"]["batch"] = records.snapshot->batch;
    value["snapshot"]["dataset"] = records.snapshot->dataset;
    value["snapshot"]["proven"] = to_iso8601(records.snapshot->proven);
  }
  Value::Array waiting;
  for (const auto& each : waiting_for_person(records)) waiting.push_back(each.what);
  value["analytics"]["report"] = last_report(records);
  value["analytics"]["waiting"] = std::move(waiting);
  Value::Array audiences;
  for (const auto& audience : explain_audiences(records, facts, now)) {
    audiences.push_back(Value::Object{{"id", audience.id},
                                      {"name", audience.name},
                                      {"status", audience.status},
                                      {"proven", audience.proven},
                                      {"verdict", word_of(audience.verdict)},
                                      {"why", audience.why}});
  }
  value["audiences"] = std::move(audiences);
  return value;
}

}  // namespace audiencesync
