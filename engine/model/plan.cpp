#include "engine/model/plan.h"

#include <algorithm>
#include <array>

#include "engine/base/digest.h"

namespace audiencesync {
namespace {

Value list(const std::vector<Change>& changes) {
  Value::Array out;
  for (const auto& change : changes) out.push_back(change.to_value());
  return out;
}

Value executed(const std::vector<Change>& changes) {
  Value::Array out;
  for (const auto& change : changes) {
    if (change.action != Action::Person) out.push_back(change.to_value());
  }
  return out;
}

Value names(const std::vector<std::string>& list) { return Value::Array(list.begin(), list.end()); }

Value membership_rows(const Plan& plan) {
  Value::Array rows;
  for (const auto& delta : plan.audiences) {
    Value row = Value::Object{{"id", delta.id},       {"name", delta.name},       {"before", delta.before},
                              {"after", delta.after}, {"entered", delta.entered}, {"left", delta.left}};
    if (delta.renamed > 0) {
      row["renamed"] = delta.renamed;
      row["name_before"] = delta.name_before;
    }
    if (const auto past = plan.history.find(delta.id); past != plan.history.end()) {
      row["history"] = Value::Array(past->second.begin(), past->second.end());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Value minutes(Duration duration) {
  return static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::minutes>(duration).count());
}

Value cost_value(const Cost& cost) {
  return Value::Object{
      {"records", cost.records},
      {"bytes", cost.bytes},
      {"write_calls", cost.write_calls},
      {"quota_share", cost.quota_share},
      {"batches", cost.batches},
      {"ingest_hours", cost.ingest_hours},
      {"visible_after_minutes", Value::Array{minutes(cost.visible_from), minutes(cost.visible_until)}}};
}

Value hold_value(const Hold& hold) {
  return Value::Object{{"since", to_iso8601(hold.since)},
                       {"until", to_iso8601(hold.until)},
                       {"approved_by", hold.approved_by},
                       {"reason", hold.reason}};
}

// The same work: what the approved plan did not know yet may have any value now.
bool same_work(const Value& planned, const Value& now) {
  for (const auto* key : {"stage", "name", "action", "expected_version"}) {
    if (planned.text(key) != now.text(key)) return false;
  }
  const auto* planned_bulk = planned.find("bulk");
  const auto* bulk = now.find("bulk");
  if ((planned_bulk == nullptr) != (bulk == nullptr)) return false;
  if (bulk != nullptr && *bulk != *planned_bulk) return false;
  const auto* planned_after = planned.find("after");
  const auto* after = now.find("after");
  if (planned_after == nullptr || after == nullptr || !planned_after->is_object() || !after->is_object()) return false;
  for (const auto& [name, field] : *after->object_if()) {
    const auto* before = planned_after->find(name);
    if (before == nullptr) return false;
    const bool unknown_then = before->find("value") == nullptr;
    if (!unknown_then && *before != field) return false;
  }
  return true;
}

}  // namespace

bool Plan::only_for_people() const { return person_actions() == changes.size(); }

std::size_t Plan::person_actions() const {
  return static_cast<std::size_t>(std::count_if(changes.begin(), changes.end(),
                                                [](const Change& change) { return change.action == Action::Person; }));
}

Severity Plan::severest() const {
  Severity severest = Severity::Note;
  for (const auto& finding : findings) severest = std::max(severest, finding.severity);
  return severest;
}

bool Plan::refused() const { return severest() >= Severity::Guard; }
bool Plan::guarded() const { return severest() == Severity::Guard; }

std::optional<Rollback> Rollback::of(const Value& plan) {
  const auto* found = plan.find("rollback");
  if (found == nullptr) return std::nullopt;
  return Rollback{found->number("run").value_or(0), found->text("reason")};
}

Digest Plan::digest() const {
  Value::Object identity{{"uid", uid},   {"definition", definition}, {"source", source},
                         {"base", base}, {"known", known},           {"changes", executed(changes)}};
  if (rollback) identity["rollback"] = rollback->run;
  return digest_of(identity);
}

Value Plan::to_value() const {
  Value::Array notes;
  for (const auto& finding : findings) notes.push_back(finding.to_value());
  Value::Array lines;
  for (const auto& line : stages) lines.push_back(Value::Object{{"stage", line.stage}, {"state", line.state}});
  Value::Array people;
  for (const auto& sample : samples) {
    people.push_back(Value::Object{{"kind", sample.kind},
                                   {"person", sample.person},
                                   {"entered", names(sample.entered)},
                                   {"left", names(sample.left)}});
  }
  Value out = Value::Object{{"version", 1},
                            {"sync", sync},
                            {"uid", uid},
                            {"file", file},
                            {"commit", commit},
                            {"organization", organization},
                            {"sandbox", sandbox},
                            {"digest", digest()},
                            {"definition", definition},
                            {"source", source},
                            {"base", base},
                            {"memberships_known", known},
                            {"refresh", list(refresh)},
                            {"changes", list(changes)},
                            {"findings", std::move(notes)},
                            {"stages", std::move(lines)},
                            {"memberships", membership_rows(*this)},
                            {"samples", std::move(people)},
                            {"cost", cost_value(cost)}};
  if (source_created) out["source_created"] = to_iso8601(*source_created);
  if (hold) out["hold"] = hold_value(*hold);
  if (rollback) out["rollback"] = rollback->to_value();
  return out;
}

bool covers(const Value& approved, const Plan& plan) {
  if (approved.text("uid") != plan.uid || approved.text("definition") != plan.definition) return false;
  if (approved.text("source") != plan.source || !plan.known) return false;
  const auto back_to = Rollback::of(approved);
  if (back_to.has_value() != plan.rollback.has_value()) return false;
  if (back_to && back_to->run != plan.rollback->run) return false;
  const auto& planned = approved.items("changes");
  return std::all_of(plan.changes.begin(), plan.changes.end(), [&](const Change& change) {
    if (change.action == Action::Person) return true;
    const auto now = change.to_value();
    return std::any_of(planned.begin(), planned.end(), [&](const Value& each) { return same_work(each, now); });
  });
}

}  // namespace audiencesync
