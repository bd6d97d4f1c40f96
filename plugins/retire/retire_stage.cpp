#include "plugins/retire/retire_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/platform/analytics_access.h"
#include "plugins/platform/connections.h"
#include "plugins/platform/dataset_end.h"

namespace audiencesync {
namespace {

const ResourceKey kConnection{"retire", "connection"};

/// A dataset that a sync may have, by the role in its tags.
struct Role {
  const char* word;
  bool reported;  // analysts may have it in a connection
};
constexpr std::array<Role, 3> kRoles{Role{"target", true}, Role{"lookup", true}, Role{"export", false}};

ResourceKey key_of(const Role& role) { return {"retire", role.word}; }

std::vector<Resource> desired_end(Ending ending) {
  std::vector<Resource> desired{{kConnection, {{"free", Value(true)}}, "", {}}};
  if (ending == Ending::Delete) return desired;
  for (const auto& role : kRoles) desired.push_back({key_of(role), {{"expires", Value(true)}}, "", {}});
  return desired;
}

/// What is still there of one role.
struct Rest {
  const Role* role = nullptr;
  std::vector<platform::Dataset> datasets;  // ours, oldest first
};

class RetireStage final : public Stage {
 public:
  explicit RetireStage(Ending ending) : ending_(ending) {}

  Result<Observed> observe(const ObserveRequest&, ReadContext& context) override {
    Observed observed;
    std::vector<Rest> rests;
    std::vector<std::string> listed;  // "dataset X in connection Y"
    for (const auto& role : kRoles) {
      Rest rest{&role, TRY(ours(context, role, observed))};
      if (role.reported) TRY(look_for_connections(context, rest, observed, listed));
      rests.push_back(std::move(rest));
    }
    if (listed.empty()) {
      observed.resources.push_back({kConnection, {{"free", Value(true)}}, "", {}});
    } else {
      observed.guides[kConnection] = guide_of(context.manifest(), listed);
    }
    std::size_t left = 0;
    for (const auto& rest : rests) left += add_rest(rest, listed.empty(), observed);
    if (left > 0 && !listed.empty()) {
      observed.findings.push_back(
          {Severity::Note, "retire-waits",
           fmt::format("{} dataset{} of this sync {} when no connection has them any more; run the same command again "
                       "then",
                       left, left == 1 ? "" : "s", ending_ == Ending::Delete ? "will be deleted" : "will expire")});
    }
    return observed;
  }

  Result<Applied> apply(const Change& change, WriteContext& context) override {
    const auto dataset = TRY(still_ours(change, context));
    const auto id = text_field(change, "dataset");
    if (dataset) TRY(change.action == Action::Delete ? remove(*dataset, context) : expire(*dataset, context));
    Applied applied;
    applied.proof.version = id;
    return applied;
  }

 private:
  /// Datasets of this sync and this state folder; findings for those that only look like it.
  static Result<std::vector<platform::Dataset>> ours(ReadContext& context, const Role& role, Observed& observed) {
    auto datasets = TRY(platform::datasets_of(context.http(), context.manifest().uid, role.word));
    std::erase_if(datasets, [&](const platform::Dataset& dataset) {
      if (is_ours(context, dataset)) return false;
      observed.findings.push_back(
          {Severity::Warning, "retire-foreign",
           fmt::format("dataset {} ('{}') has tags of this sync, but {}; it is left alone", dataset.id, dataset.name,
                       platform::is_profile_enabled(dataset) ? "flows into the Real-Time Customer Profile"
                                                             : "belongs to another state folder")});
      return true;
    });
    return datasets;
  }

  static bool is_ours(const ReadContext& context, const platform::Dataset& dataset) {
    return platform::our_tag(dataset, "uid") == context.manifest().uid &&
           platform::our_tag(dataset, "state") == context.state_id() && !platform::is_profile_enabled(dataset);
  }

  static Result<void> look_for_connections(ReadContext& context, const Rest& rest, Observed& observed,
                                           std::vector<std::string>& listed) {
    for (const auto& dataset : rest.datasets) {
      const auto connections = platform::connections_with(context.http(), dataset.id);
      if (!connections.ok()) {
        const auto why = platform::cannot_check(connections.error(), platform::kAnalyticsRights);
        if (!why) return connections.error();
        observed.findings.push_back({Severity::Warning, "retire-unchecked",
                                     fmt::format("whether a connection has dataset {}: {}; see to it yourself before "
                                                 "you approve",
                                                 dataset.id, *why)});
        continue;
      }
      for (const auto& connection : *connections) {
        if (connection.deleted) continue;
        listed.push_back(fmt::format("dataset {} ('{}') in connection '{}' ({})", dataset.id, dataset.name,
                                     connection.name, connection.id));
      }
    }
    return {};
  }

  static Guide guide_of(const Manifest& manifest, const std::vector<std::string>& listed) {
    Guide guide;
    guide.reason = fmt::format("analysts still report on it: {}", fmt::join(listed, ", "));
    guide.steps = {"in Customer Journey Analytics: Data management > Connections > Edit on the connection",
                   "select the dataset > Delete dataset > Save; its data leave every report of this connection",
                   "in the data views of the connection: remove the components that were made of its fields",
                   fmt::format("then run again: audiencesync retire {}", manifest.name)};
    return guide;
  }

  /// How many datasets of the rest are still to go.
  std::size_t add_rest(const Rest& rest, bool free_to_go, Observed& observed) const {
    const auto next = std::find_if(rest.datasets.begin(), rest.datasets.end(), [&](const platform::Dataset& dataset) {
      return ending_ == Ending::Delete || !platform::expiry_of(dataset);
    });
    const auto left = std::count_if(next, rest.datasets.end(), [&](const platform::Dataset& dataset) {
      return ending_ == Ending::Delete || !platform::expiry_of(dataset);
    });
    Resource resource{key_of(*rest.role), {}, "", {}};
    if (next == rest.datasets.end() || !free_to_go) {
      // Nothing is to be done for it now; what is to be deleted must not be seen at all then.
      resource.fields["expires"] = Value(true);
      if (ending_ == Ending::Expire) observed.resources.push_back(std::move(resource));
      return static_cast<std::size_t>(left);
    }
    const Fields which{{"dataset", Value(next->id)}, {"name", Value(next->name)}};
    resource.fields = which;
    resource.version = next->version;
    if (ending_ == Ending::Expire) {
      resource.fields["expires"] = Value(false);
      observed.wanted[resource.key] = which;
    }
    observed.resources.push_back(std::move(resource));
    return static_cast<std::size_t>(left);
  }

  static std::string text_field(const Change& change, const char* name) {
    const auto field = change.after.find(name);
    if (field == change.after.end()) return {};
    const auto* value = std::get_if<Value>(&field->second);
    return value != nullptr && value->string_if() != nullptr ? *value->string_if() : std::string();
  }

  /// Looked at once more right before: what was ours when the plan was made may be somebody else's by now. nullopt when
  /// it is gone.
  static Result<std::optional<platform::Dataset>> still_ours(const Change& change, WriteContext& context) {
    const auto id = text_field(change, "dataset");
    if (id.empty()) return Error(ErrorCode::Internal, "the retire stage does not know " + change.key.text());
    auto dataset = TRY(platform::get_dataset(context.http(), id));
    if (!dataset) return std::optional<platform::Dataset>();
    if (!is_ours(context, *dataset)) {
      return Error(ErrorCode::Conflict, fmt::format("dataset {} no longer carries our tags; observing again", id));
    }
    const auto connections = platform::connections_with(context.http(), id);
    const bool listed = connections.ok() && std::any_of(connections->begin(), connections->end(),
                                                        [](const auto& each) { return !each.deleted; });
    if (listed) {
      return Error(ErrorCode::Conflict,
                   fmt::format("dataset {} joined a connection since the plan was made; observing again", id));
    }
    return dataset;
  }

  static Result<void> remove(const platform::Dataset& dataset, WriteContext& context) {
    const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
      const auto there = TRY(platform::get_dataset(context.http(), dataset.id));
      return there ? std::optional<Value>() : std::optional<Value>(true);
    };
    const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
      TRY(platform::delete_dataset(client, dataset.id));
      return Value(true);
    };
    TRY(context.once({.name = "delete", .sequence = ""}, find, make));
    return {};
  }

  static Result<void> expire(const platform::Dataset& dataset, WriteContext& context) {
    const auto find = [&](const Attempt&) -> Result<std::optional<Value>> {
      const auto now = TRY(platform::get_dataset(context.http(), dataset.id));
      if (now && !platform::expiry_of(*now)) return std::optional<Value>();
      return std::optional<Value>(true);
    };
    const auto make = [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
      TRY(platform::expire_dataset(client, dataset, attempt.opened + kRetiredFor,
                                   "sync " + context.manifest().uid + " was retired"));
      return Value(true);
    };
    TRY(context.once({.name = "expire", .sequence = ""}, find, make));
    return {};
  }

  const Ending ending_;
};

}  // namespace

StageDescriptor retire_stage(Ending ending) {
  ResourceRule connection;
  connection.prefix = kConnection.name;
  connection.missing = Action::Person;
  connection.different = Action::Person;
  std::vector<ResourceRule> rules{connection};
  for (const auto& role : kRoles) {
    ResourceRule rule;
    rule.prefix = role.word;
    rule.prune = true;
    rule.fields = {{"dataset", Compare::Given}, {"name", Compare::Given}};
    rules.push_back(rule);
  }
  return {.name = kConnection.stage,
          .summary = "Ends a sync: its datasets leave their connections, and then go.",
          .phase = Phase::Converge,
          .needs = {},
          .rules = rules,
          .desire = [ending](const Manifest&) { return desired_end(ending); },
          .make = [ending] { return std::unique_ptr<Stage>(std::make_unique<RetireStage>(ending)); }};
}

}  // namespace audiencesync
