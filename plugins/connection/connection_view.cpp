#include "plugins/connection/connection_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/nearest_word.h"
#include "plugins/connection/membership_entry.h"
#include "plugins/connection/names_entry.h"
#include "plugins/platform/analytics_list.h"

namespace audiencesync {
namespace {

// Datasets that the platform's own audience analysis adds to a connection are named like this.
constexpr std::string_view kNativeAnalysis = "Profile-Snapshot-Export-";
constexpr std::size_t kNamesShown = 5;

std::string list_of(const std::vector<const platform::Connection*>& connections) {
  std::vector<std::string> ids;
  for (const auto* connection : connections) ids.push_back(connection->id);
  return fmt::format("{}", fmt::join(ids, ", "));
}

class ConnectionJudge {
 public:
  ConnectionJudge(const Manifest& manifest, const ConnectionFacts& facts) : manifest_(manifest), facts_(facts) {}

  Observed judge() && {
    if (manifest_.target.name_lookup) judge_names_entry(manifest_, facts_.names, nullptr, observed_);
    if (manifest_.analytics) {
      judge_declared(manifest_.analytics->connection);
    } else {
      judge_any();
    }
    return std::move(observed_);
  }

 private:
  void ask(std::string reason, std::vector<std::string> steps) {
    observed_.guides[kConnectedDataset] = {std::move(reason), std::move(steps)};
  }

  void judge_declared(const std::string& declared) {
    auto meant = meant_by(declared, facts_.holding);
    if (meant.empty() && facts_.all) meant = meant_by(declared, *facts_.all);
    if (meant.empty()) return ask_for_another(declared);
    if (meant.size() > 1) {
      return ask(fmt::format("{} connections are named '{}' ({}), so it is not clear which is meant", meant.size(),
                             declared, list_of(meant)),
                 {fmt::format("write analytics.connection in {} with the id of the one you mean", manifest_.file)});
    }
    judge_connection(*meant.front());
    tell_others(meant.front());
  }

  void ask_for_another(const std::string& declared) {
    std::vector<std::string_view> names;
    for (const auto& connection : facts_.all ? *facts_.all : facts_.holding) {
      if (!connection.deleted && !connection.name.empty()) names.push_back(connection.name);
    }
    const auto nearest = nearest_word(declared, names);
    std::string reason = fmt::format("there is no connection '{}' that the technical account can see", declared);
    std::vector<std::string> steps;
    if (nearest) {
      reason += fmt::format("; '{}' is near", *nearest);
      steps.push_back(
          fmt::format("if '{}' is meant, write it as analytics.connection in {}", *nearest, manifest_.file));
    } else if (!names.empty()) {
      std::sort(names.begin(), names.end());
      const auto more = names.size() > kNamesShown ? fmt::format(" and {} more", names.size() - kNamesShown) : "";
      names.resize(std::min(names.size(), kNamesShown));
      reason += fmt::format("; there are '{}'{}", fmt::join(names, "', '"), more);
      steps.push_back(
          fmt::format("write the name or id of an existing one as analytics.connection in {}", manifest_.file));
    } else {
      reason += "; it sees none at all";
    }
    steps.push_back(
        fmt::format("or make it in Customer Journey Analytics: Data management > Connections > Create new "
                    "connection, name '{}', sandbox {}, with at least one event dataset",
                    declared, manifest_.sandbox));
    for (auto& step : steps_to_add(manifest_, facts_.dataset, nullptr)) steps.push_back(std::move(step));
    ask(std::move(reason), std::move(steps));
  }

  void judge_any() {
    const platform::Connection* wrong = nullptr;
    for (const auto& connection : facts_.holding) {
      if (connection.deleted) continue;
      if (problems_of(connection).empty()) {
        judge_connection(connection);
        return tell_others(&connection);
      }
      if (wrong == nullptr) wrong = &connection;
    }
    if (wrong != nullptr) return judge_connection(*wrong);
    ask("the dataset is in no connection of Customer Journey Analytics, so nobody can report on it",
        steps_to_add(manifest_, facts_.dataset, nullptr));
  }

  std::vector<EntryProblem> problems_of(const platform::Connection& connection) const {
    return entry_problems(connection, facts_.dataset, manifest_, facts_.first_written);
  }

  void judge_connection(const platform::Connection& connection) {
    observed_.outputs["connection_id"] = connection.id;
    observed_.outputs["connection_name"] = connection.name;
    observed_.outputs["ready"] = false;
    warn_of_double_counting(connection);
    warn_without_events(connection);
    if (manifest_.target.name_lookup) {
      observed_.guides.erase(kConnectedNames);
      judge_names_entry(manifest_, facts_.names, &connection, observed_);
    }
    const auto* entry = entry_of(connection, facts_.dataset);
    if (entry == nullptr) return ask_to_add(connection);
    const auto problems = problems_of(connection);
    if (!problems.empty()) {
      std::vector<std::string> parts;
      for (const auto& problem : problems) parts.push_back(problem.what);
      return ask(
          fmt::format("dataset {} is in {}, but {}", facts_.dataset, named(connection), fmt::join(parts, "; and ")),
          steps_to_mend(manifest_, facts_.dataset, connection, problems));
    }
    observed_.outputs["ready"] = true;
    observed_.state = fmt::format("in {}, streaming, {}", named(connection), backfill_words(*entry));
    Resource resource{kConnectedDataset, {}, "", {}};
    resource.fields["dataset"] = Value(facts_.dataset);
    resource.fields["person_id"] = Value(entry->person_id);
    resource.fields["namespace"] = Value(entry->identity_namespace);
    resource.fields["streaming"] = Value(entry->streaming);
    observed_.resources.push_back(std::move(resource));
  }

  void ask_to_add(const platform::Connection& connection) {
    // In the wrong place even the right clicks would not help.
    if (const auto problems = connection_problems(connection, manifest_); !problems.empty()) {
      std::vector<std::string> steps;
      for (const auto& problem : problems) steps.insert(steps.end(), problem.steps.begin(), problem.steps.end());
      return ask(fmt::format("the dataset cannot be added to {}: {}", named(connection), problems.front().what), steps);
    }
    const auto dataset =
        facts_.dataset.empty() ? fmt::format("dataset '{}'", manifest_.target.dataset) : "dataset " + facts_.dataset;
    ask(fmt::format("{} is not in {} yet, and no API can add it", dataset, named(connection)),
        steps_to_add(manifest_, facts_.dataset, &connection));
  }

  std::string backfill_words(const platform::ConnectedDataset& entry) {
    const auto& backfills = entry.backfills;
    if (backfills.in_progress > 0) {
      observed_.findings.push_back(
          {Severity::Note, "backfill-in-progress",
           fmt::format("Customer Journey Analytics still reads what was written before dataset {} joined ({} of {} "
                       "backfills are done); until then reports lack people",
                       facts_.dataset, backfills.completed, backfills.completed + backfills.in_progress)});
      return fmt::format("backfill in progress ({} of {} done)", backfills.completed,
                         backfills.completed + backfills.in_progress);
    }
    return backfills.completed > 0 ? "backfilled" : "no backfill needed";
  }

  void warn_of_double_counting(const platform::Connection& connection) {
    const auto native =
        std::find_if(connection.datasets.begin(), connection.datasets.end(),
                     [](const platform::ConnectedDataset& each) { return each.name.starts_with(kNativeAnalysis); });
    observed_.outputs["native"] = native != connection.datasets.end();
    if (native == connection.datasets.end()) return;
    observed_.findings.push_back(
        {Severity::Warning, "native-audience-analysis",
         fmt::format("{} also has the platform's own audience analysis (dataset '{}'): people then see every audience "
                     "twice, under its dimension 'Audience Name' and under ours; tell analysts which one to use, or "
                     "remove one of the two",
                     named(connection), native->name)});
  }

  void warn_without_events(const platform::Connection& connection) {
    const bool some = std::any_of(connection.datasets.begin(), connection.datasets.end(), [](const auto& dataset) {
      return dataset.type == "event" || dataset.type == "summary";
    });
    if (some || connection.datasets.empty()) return;
    observed_.findings.push_back(
        {Severity::Warning, "connection-without-events",
         fmt::format("{} has no event dataset; people without events are invisible in reports, so add the event data "
                     "to it as well",
                     named(connection))});
  }

  void tell_others(const platform::Connection* chosen) {
    std::vector<std::string> others;
    for (const auto& connection : facts_.holding) {
      if (&connection != chosen && connection.id != chosen->id && !connection.deleted)
        others.push_back(named(connection));
    }
    if (others.empty()) return;
    observed_.findings.push_back({Severity::Note, "connection-also",
                                  fmt::format("dataset {} is in {} too; only {} is checked", facts_.dataset,
                                              fmt::join(others, " and "), named(*chosen))});
  }

  const Manifest& manifest_;
  const ConnectionFacts& facts_;
  Observed observed_;
};

}  // namespace

std::vector<const platform::Connection*> meant_by(const std::string& declared,
                                                  const std::vector<platform::Connection>& list) {
  const bool by_id = platform::is_connection_id(declared);
  std::vector<const platform::Connection*> meant;
  for (const auto& connection : list) {
    // A deleted one keeps its id, and its name means nothing any more.
    const bool fits =
        by_id ? connection.id == platform::connection_id(declared) : connection.name == declared && !connection.deleted;
    if (fits) meant.push_back(&connection);
  }
  return meant;
}

Observed view_connection(const Manifest& manifest, const ConnectionFacts& facts) {
  return ConnectionJudge(manifest, facts).judge();
}

}  // namespace audiencesync
