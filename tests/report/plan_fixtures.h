#pragma once

#include "engine/model/plan.h"

namespace audiencesync::testing {

inline const Time kPlanNow = *parse_time("2026-01-02T12:00:00Z");

/// A plan in which nothing is to be done.
inline Plan luma_plan() {
  Plan plan;
  plan.sync = "luma-loyalty";
  plan.uid = "luma";
  plan.file = "manifests/luma.yaml";
  plan.organization = "1234@AdobeOrg";
  plan.sandbox = "prod";
  plan.definition = "definition-1";
  plan.source = "E1,E2";
  plan.source_created = *parse_time("2026-01-02T04:00:00Z");
  plan.base = "snapshot-1";
  return plan;
}

inline Change ingest_change() {
  Change change;
  change.key = {"membership", "people"};
  change.action = Action::Ingest;
  change.reason = "8 people changed";
  change.bulk = Bulk{};
  change.bulk->content = "changes-1";
  change.bulk->people = 8;
  change.bulk->added = 5;
  change.bulk->removed = 1;
  change.bulk->bytes = 2048;
  change.bulk->dropped = {100, 1, 2, 0, 0};
  return change;
}

/// A refresh write, two changes, two findings, two audiences.
inline Plan full_plan() {
  Plan plan = luma_plan();
  Change create;
  create.key = {"dataset", "target"};
  create.reason = "does not exist";
  Change job;
  job.key = {"export", "job"};
  job.action = Action::Run;
  job.reason = "none that can be used yet";
  plan.refresh = {job};
  plan.changes = {create, ingest_change()};
  plan.findings = {{Severity::Note, "n", "a note"}, {Severity::Warning, "w", "a warning"}};
  plan.audiences = {{"A1", "Gold", 40, 44, 5, 1}, {"A2", "Größe", 7, 7, 0, 0}};
  return plan;
}

inline Change person_change() {
  Change change;
  change.key = {"connection", "dataset"};
  change.action = Action::Person;
  change.reason = "the dataset is in no connection, so analysts do not see it";
  change.after["connection"] = Value("dg_1");
  change.after["dataset"] = Ref{"dataset", "dataset_id"};
  change.steps = {"In Customer Journey Analytics open Data management, then Connections, and choose 'Luma' (dg_1)",
                  "Add dataset 65f1a2b3c4d5e6f708192a3b and choose person id 'personID'",
                  "Switch on 'Import all new data' and save"};
  return change;
}

/// Every part of a plan: stages, history, samples, cost, a step for a person.
inline Plan rich_plan() {
  Plan plan = full_plan();
  plan.commit = "3f2a9c14d5e6";
  plan.changes.push_back(person_change());
  plan.stages = {{"audiences", "in sync"},
                 {"export", "1 change"},
                 {"schema", "in sync"},
                 {"dataset", "1 change"},
                 {"membership", "1 change"},
                 {"connection", "1 person action"},
                 {"data-view", "skipped: no data_view is declared"},
                 {"report", "pending until 2026-01-02T15:00:00Z"}};
  plan.audiences = {{"A1", "Luma - Blue+ Members", 1'234'567, 1'250'000, 20'000, 4'567},
                    {"A2", "Größe", 7, 7, 0, 0},
                    {"A3", "Neu", 0, 12, 12, 0}};
  plan.history = {{"A1", {1'200'000, 1'210'000, 1'250'000, 1'234'567}}, {"A2", {7, 7, 7, 7}}};
  plan.samples = {{"new", "a***@x***.io", {"Luma - Blue+ Members"}, {}},
                  {"changed", "b***@y***.de", {"Neu"}, {"Größe"}},
                  {"leaves", "c***@z***.com", {}, {"Luma - Blue+ Members", "Größe"}}};
  plan.cost.records = 24'567;
  plan.cost.bytes = 9'876'543;
  plan.cost.write_calls = 6;
  plan.cost.quota_share = 0.00098765;
  plan.cost.visible_from = std::chrono::minutes(90);
  plan.cost.visible_until = std::chrono::hours(3);
  return plan;
}

/// A guard tripped; the plan is held and nobody approved it yet.
inline Plan guarded_plan() {
  Plan plan = rich_plan();
  plan.audiences[0] = {"A1", "Luma - Blue+ Members", 1'234'567, 0, 0, 1'234'567};
  plan.findings.push_back({Severity::Guard, "guard",
                           "audience 'Luma - Blue+ Members' would be emptied: 1234567 people before, none after; the "
                           "limit is guard.allow_empty_audience"});
  plan.findings.push_back({Severity::Warning, "audience-held",
                           "luma.yaml:9:5: audience 'Größe' (A2): it does not exist; its memberships stay as they are; "
                           "remove the entry to withdraw them"});
  plan.hold = Hold{*parse_time("2026-01-02T05:00:00Z"), *parse_time("2026-01-03T05:00:00Z"), "", ""};
  return plan;
}

}  // namespace audiencesync::testing
