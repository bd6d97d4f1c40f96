#include "plugins/dataset/target_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync {
namespace {

/// Collects findings about one dataset.
class TargetJudge {
 public:
  TargetJudge(const Manifest& manifest, const TargetFacts& facts) : manifest_(manifest), facts_(facts) {}

  Observed judge() && {
    if (!facts_.dataset) {
      judge_absence();
      return std::move(observed_);
    }
    judge_ownership();
    judge_use();
    for (const auto& other : facts_.others)
      report(Severity::Note, "dataset-twice",
             fmt::format("dataset '{}' ({}) has the tags of this sync too; {} is used, the other may be deleted",
                         other.name, other.id, facts_.dataset->id));
    show();
    return std::move(observed_);
  }

 private:
  void report(Severity severity, const char* code, std::string text) {
    observed_.findings.push_back({severity, code, std::move(text)});
  }

  std::string named() const { return fmt::format("dataset '{}' ({})", facts_.dataset->name, facts_.dataset->id); }

  void judge_absence() {
    if (facts_.found_by == FoundBy::Remembered)
      report(
          Severity::Refuse, "dataset-vanished",
          fmt::format("target dataset {} of sync {} was deleted; it is not made again by itself, because the ids of "
                      "components in Customer Journey Analytics carry it: restore it, or give the manifest a new uid "
                      "to start with a new dataset",
                      facts_.id, manifest_.uid));
    if (facts_.found_by == FoundBy::DatasetId)
      report(Severity::Refuse, "dataset-unknown",
             fmt::format("{}: target.dataset_id {} does not exist in sandbox {}; correct it, or leave it out to have a "
                         "dataset made",
                         manifest_.file, facts_.id, manifest_.sandbox));
    if (facts_.namesake)
      report(Severity::Warning, "dataset-namesake",
             fmt::format("dataset '{}' ({}) has the name of the target but is not of this sync; a second one of this "
                         "name is made unless you write target.dataset_id: {} to take it over, or another "
                         "target.dataset",
                         facts_.namesake->name, facts_.namesake->id, facts_.namesake->id));
  }

  void judge_ownership() {
    const auto& dataset = *facts_.dataset;
    const auto uid = platform::our_tag(dataset, "uid");
    const auto role = platform::our_tag(dataset, "role");
    const auto state = platform::our_tag(dataset, "state");
    if (!uid.empty() && uid != manifest_.uid)
      return report(
          Severity::Refuse, "dataset-other-sync",
          fmt::format("{} belongs to sync {}; one dataset holds one sync, so declare another target.dataset_id "
                      "or retire that sync first",
                      named(), uid));
    if (!role.empty() && role != kTargetRole)
      return report(Severity::Refuse, "dataset-other-role",
                    fmt::format("{} is the {} dataset of sync {}, not its target; declare another target.dataset_id",
                                named(), role, manifest_.uid));
    if (!state.empty() && state != facts_.state_id && facts_.take_over == TakeOver::Yes)
      return report(Severity::Warning, "dataset-other-state",
                    fmt::format("{} was written from another state folder ({}) until now, which is refused from now on",
                                named(), state));
    if (!state.empty() && state != facts_.state_id)
      return report(Severity::Refuse, "dataset-other-state",
                    fmt::format("{} is written from another state folder ({}); run this sync there, or, if that folder "
                                "is lost, take it over: audiencesync state rebuild {} --take-over",
                                named(), state, manifest_.name));
    if (uid.empty() && facts_.found_by == FoundBy::DatasetId)
      report(Severity::Warning, "dataset-take-over",
             fmt::format("{} was not made by this sync and is taken over: its tags are added, and from then on nobody "
                         "else may write into it",
                         named()));
  }

  void judge_use() {
    if (platform::is_profile_enabled(*facts_.dataset))
      report(Severity::Refuse, "dataset-profile-enabled",
             fmt::format("{} is enabled for Real-Time Customer Profile: the memberships would flow back into the "
                         "profiles they come from; declare a dataset that is not",
                         named()));
    if (facts_.fit == SchemaFit::Foreign)
      report(
          Severity::Refuse, "dataset-schema",
          fmt::format("{} is on schema {}, which lacks our field group or has another primary identity than personID "
                      "in namespace {}; a dataset keeps its schema for life, so declare another target.dataset_id, or "
                      "a new uid to have a new dataset made",
                      named(), facts_.dataset->schema, manifest_.identity.namespace_code));
  }

  void show() {
    const auto& dataset = *facts_.dataset;
    Resource resource;
    resource.key = {"dataset", "target"};
    resource.version = dataset.version;
    resource.fields["name"] = Value(dataset.name);
    resource.fields["schema"] = Value(dataset.schema);
    Value::Array tags;
    // Without the state's tag another folder could not tell that we write here, so the tags are not complete.
    const bool complete = platform::our_tag(dataset, "state") == facts_.state_id;
    if (const auto ours = dataset.tags.find(platform::kOurTag); ours != dataset.tags.end() && complete)
      tags = Value::Array(ours->second.begin(), ours->second.end());
    resource.fields["tags"] = Value(std::move(tags));
    observed_.resources.push_back(std::move(resource));
    observed_.outputs["dataset_id"] = dataset.id;
    observed_.remember["dataset"] = dataset.id;
  }

  const Manifest& manifest_;
  const TargetFacts& facts_;
  Observed observed_;
};

}  // namespace

Observed view_target(const Manifest& manifest, const TargetFacts& facts) {
  return TargetJudge(manifest, facts).judge();
}

platform::Tags tags_with_ours(platform::Tags tags, const std::string& uid, const std::string& state_id,
                              const char* role) {
  return platform::tags_with_ours(std::move(tags), uid, role, state_id);
}

}  // namespace audiencesync
