#include "plugins/connection/membership_entry.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync {
namespace {

constexpr const char* kPerson = "person";

std::string quoted_or(const std::string& text, const char* otherwise) {
  return text.empty() ? std::string(otherwise) : "'" + text + "'";
}

std::string sentence_of(const platform::ConnectionProblem& problem) {
  return problem.field.empty() ? problem.code : fmt::format("{} ({})", problem.code, problem.field);
}

/// Collects what is wrong with one entry.
class EntryJudge {
 public:
  EntryJudge(const platform::Connection& connection, const platform::ConnectedDataset& entry, const Manifest& manifest,
             std::optional<Time> first_written)
      : connection_(connection),
        entry_(entry),
        manifest_(manifest),
        first_written_(first_written),
        problems_(connection_problems(connection, manifest)) {}

  std::vector<EntryProblem> judge() && {
    judge_repetition();
    if (entry_.type != "profile") {
      add(fmt::format("it is there as {} data instead of profile data", quoted_or(entry_.type, "unknown")),
          {"remove the dataset from the connection and add it again with dataset type Profile"});
    } else {
      judge_person();
    }
    if (!entry_.streaming)
      add("its import of new data is off, so what is written never arrives",
          {"open the dataset's settings and set 'Import all new data' to on"});
    judge_backfill();
    for (const auto& problem : connection_.problems) {
      if (!problem.dataset.empty() && problem.dataset != entry_.id) continue;
      add(fmt::format("the connection reports {}", sentence_of(problem)),
          {fmt::format("settle what the connection reports: {}", sentence_of(problem))});
    }
    return std::move(problems_);
  }

 private:
  void add(std::string what, std::vector<std::string> steps) {
    problems_.push_back({std::move(what), std::move(steps)});
  }

  void judge_repetition() {
    std::vector<std::string> kinds;
    for (const auto& dataset : connection_.datasets) {
      if (dataset.id != entry_.id) continue;
      kinds.push_back(fmt::format("{} data by {}", dataset.type, quoted_or(dataset.person_id, "its identity map")));
    }
    if (kinds.size() < 2) return;
    add(fmt::format("it is there {} times ({}), so memberships would count again each time", kinds.size(),
                    fmt::join(kinds, ", ")),
        {fmt::format("remove all but one entry of the dataset: keep the one of profile data by {}", kPersonIdField)});
  }

  void judge_person() {
    // Changing it makes Customer Journey Analytics read everything again; whoever does it should know before.
    const auto change = fmt::format(
        "open the dataset's settings and set Person ID to {} with identity namespace {}; Customer Journey Analytics "
        "then "
        "deletes the dataset's data and reads it again, which can take hours",
        kPersonIdField, manifest_.identity.namespace_code);
    if (entry_.identity_map)
      return add(
          fmt::format("its person id comes from the identity map, which our records do not have, and not from {}",
                      kPersonIdField),
          {change});
    if (entry_.person_id != kPersonIdField)
      return add(fmt::format("its person id is {} and not {}", quoted_or(entry_.person_id, "not set"), kPersonIdField),
                 {change});
    if (entry_.identity_namespace != manifest_.identity.namespace_code)
      add(fmt::format("its identity namespace is {} and not '{}' (case counts)",
                      quoted_or(entry_.identity_namespace, "not set"), manifest_.identity.namespace_code),
          {change});
  }

  void judge_backfill() {
    const auto& done = entry_.backfills;
    if (done.failed > 0 && done.in_progress == 0 && done.completed == 0)
      return add("its backfill failed, so what was written before it joined is missing",
                 {"open the dataset's settings and request a new backfill of all data"});
    if (done.failed > 0 && done.in_progress == 0)
      return add(fmt::format("{} of its {} backfills failed", done.failed, done.failed + done.completed),
                 {"open the dataset's settings and request a new backfill of all data"});
    if (done.completed + done.in_progress + done.failed > 0 || !first_written_ || !entry_.streaming_since) return;
    if (*entry_.streaming_since <= *first_written_) return;
    add(fmt::format("it joined at {} without a backfill, so what was written before is missing",
                    to_iso8601(*entry_.streaming_since)),
        {"open the dataset's settings and set 'Backfill all existing data' to on"});
  }

  const platform::Connection& connection_;
  const platform::ConnectedDataset& entry_;
  const Manifest& manifest_;
  std::optional<Time> first_written_;
  std::vector<EntryProblem> problems_;
};

std::string dataset_to_search(const Manifest& manifest, const std::string& dataset) {
  if (dataset.empty()) return fmt::format("'{}' (its id is known after apply)", manifest.target.dataset);
  return fmt::format("{} ('{}')", dataset, manifest.target.dataset);
}

std::string step_to_check(const Manifest& manifest) {
  return fmt::format("the next run checks it; or look at once: audiencesync plan{}",
                     manifest.commit.empty() ? " " + manifest.file : "");
}

}  // namespace

std::vector<EntryProblem> connection_problems(const platform::Connection& connection, const Manifest& manifest) {
  std::vector<EntryProblem> problems;
  const auto declare = [&](std::string_view which) {
    return std::vector<std::string>{
        fmt::format("write another connection as analytics.connection in {}: {}", manifest.file, which)};
  };
  if (connection.deleted) problems.push_back({"the connection was deleted", declare("one that exists")});
  if (!connection.sandbox.empty() && connection.sandbox != manifest.sandbox)
    problems.push_back({fmt::format("the connection is of sandbox {}, and this sync writes in sandbox {}",
                                    connection.sandbox, manifest.sandbox),
                        declare(fmt::format("one of sandbox {}", manifest.sandbox))});
  if (!connection.primary_id.empty() && connection.primary_id != kPerson)
    problems.push_back({fmt::format("the connection counts by {} and not by person, which this program does not serve",
                                    connection.primary_id),
                        declare("one whose primary id is Person")});
  if (connection.disabled)
    problems.push_back({"the connection is disabled",
                        {"have it enabled by whoever manages the organisation's licence, or declare another one"}});
  return problems;
}

std::vector<EntryProblem> entry_problems(const platform::Connection& connection, const std::string& dataset,
                                         const Manifest& manifest, std::optional<Time> first_written) {
  const auto* entry = entry_of(connection, dataset);
  if (entry == nullptr) return {};
  return EntryJudge(connection, *entry, manifest, first_written).judge();
}

const platform::ConnectedDataset* entry_of(const platform::Connection& connection, const std::string& dataset) {
  const auto found = std::find_if(connection.datasets.begin(), connection.datasets.end(),
                                  [&](const platform::ConnectedDataset& each) { return each.id == dataset; });
  return found == connection.datasets.end() || dataset.empty() ? nullptr : &*found;
}

std::string named(const platform::Connection& connection) {
  if (connection.name.empty()) return "connection " + connection.id;
  return fmt::format("connection '{}' ({})", connection.name, connection.id);
}

std::vector<std::string> steps_to_add(const Manifest& manifest, const std::string& dataset,
                                      const platform::Connection* connection) {
  std::vector<std::string> steps;
  if (connection != nullptr) {
    steps.push_back(
        fmt::format("in Customer Journey Analytics: Data management > Connections > {} > Edit", named(*connection)));
  } else {
    steps.push_back(
        fmt::format("in Customer Journey Analytics: Data management > Connections > Edit on the connection "
                    "you report on (sandbox {}; it needs at least one event dataset)",
                    manifest.sandbox));
  }
  steps.push_back(fmt::format("Add datasets > search for dataset {} > Next", dataset_to_search(manifest, dataset)));
  steps.push_back(fmt::format("Dataset type: Profile; Person ID: {}; identity namespace: {}", kPersonIdField,
                              manifest.identity.namespace_code));
  steps.emplace_back("Data source type: CRM data");
  steps.emplace_back("Import all new data: on; Backfill all existing data: on");
  steps.emplace_back("Add datasets > Save");
  steps.push_back(step_to_check(manifest));
  return steps;
}

std::vector<std::string> steps_to_mend(const Manifest& manifest, const std::string& dataset,
                                       const platform::Connection& connection,
                                       const std::vector<EntryProblem>& problems) {
  std::vector<std::string> steps{
      fmt::format("in Customer Journey Analytics: Data management > Connections > {} > Edit > dataset {}",
                  named(connection), dataset_to_search(manifest, dataset))};
  for (const auto& problem : problems) {
    for (const auto& step : problem.steps) {
      if (std::find(steps.begin(), steps.end(), step) == steps.end()) steps.push_back(step);
    }
  }
  steps.emplace_back("Save");
  steps.push_back(step_to_check(manifest));
  return steps;
}

}  // namespace audiencesync
