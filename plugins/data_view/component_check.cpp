#include "plugins/data_view/component_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

constexpr std::string_view kList = "audienceMembership";
constexpr std::string_view kIdField = "audienceMembershipId";
constexpr std::string_view kNameField = "audienceMembershipName";
// Dimensions that the platform's own audience analysis adds to a view.
constexpr std::array<std::string_view, 4> kNativeDimensions{"Audience Name", "Audience Origin", "Exited Audience Name",
                                                            "Exited Audience Origin"};

std::string described(const platform::Dimension& dimension) {
  return fmt::format("dimension '{}' ({})", dimension.name, dimension.id);
}

bool comes_from(const platform::Dimension& dimension, const std::string& dataset) {
  return std::find(dimension.datasets.begin(), dimension.datasets.end(), dataset) != dimension.datasets.end();
}

/// How little a dimension is fit for reports; 0 is best.
int blemishes(const platform::Dimension& dimension) {
  return (dimension.filters_values ? 4 : 0) + (dimension.transformed ? 4 : 0) + (dimension.in_reports ? 0 : 2) +
         (dimension.hidden ? 1 : 0) + (dimension.multi_valued ? 0 : 1);
}

class ComponentChecker {
 public:
  ComponentChecker(const Manifest& manifest, const ComponentFacts& facts) : manifest_(manifest), facts_(facts) {}

  ComponentVerdict check() && {
    const auto paths = membership_paths(manifest_);
    verdict_.id = find(paths.id, kIdField);
    verdict_.name = find(paths.name, kNameField);
    if (!missing_.empty()) ask();
    warn_of_double_counting();
    return std::move(verdict_);
  }

 private:
  std::optional<platform::Dimension> find(const std::string& path, std::string_view field) {
    const platform::Dimension* best = nullptr;
    for (const auto& dimension : facts_.dimensions) {
      if (dimension.path != path || facts_.dataset.empty() || !comes_from(dimension, facts_.dataset)) continue;
      if (best == nullptr || blemishes(dimension) < blemishes(*best)) best = &dimension;
    }
    if (best == nullptr) {
      missing_.push_back(path);
      look_for_mistakes(path, field);
      return std::nullopt;
    }
    warn_of_settings(*best);
    return *best;
  }

  void look_for_mistakes(const std::string& path, std::string_view field) {
    const auto beside = fmt::format("{}.{}", manifest_.tenant, field);
    for (const auto& dimension : facts_.dimensions) {
      if (dimension.path == path) {
        mistakes_.push_back(fmt::format("{} has this path, but comes from dataset {}", described(dimension),
                                        fmt::join(dimension.datasets, ", ")));
      } else if (dimension.path == beside && comes_from(dimension, facts_.dataset)) {
        mistakes_.push_back(fmt::format("{} is on {}, which records of layout {} leave empty", described(dimension),
                                        dimension.path, to_string(manifest_.target.layout)));
      } else if (dimension.path.ends_with(fmt::format(".{}", field)) && comes_from(dimension, facts_.dataset)) {
        mistakes_.push_back(fmt::format("{} is on {}", described(dimension), dimension.path));
      }
    }
  }

  void warn_of_settings(const platform::Dimension& dimension) {
    std::vector<std::string> wrong;
    if (dimension.filters_values) wrong.emplace_back("has include/exclude rules, so some audiences never appear in it");
    if (dimension.transformed) wrong.emplace_back("changes values before it shows them (substring or derived field)");
    if (dimension.hidden || !dimension.in_reports) wrong.emplace_back("is hidden from analysts");
    if (!dimension.multi_valued)
      wrong.emplace_back("is not multi-valued, so a person in several audiences may count in one only");
    if (wrong.empty()) return;
    verdict_.findings.push_back(
        {Severity::Warning, "dimension-settings",
         fmt::format("{} in data view {} {}; change it under Data management > Data views > Components",
                     described(dimension), facts_.view, fmt::join(wrong, ", and "))});
  }

  void ask() {
    auto& guide = verdict_.guide;
    guide.reason = fmt::format("data view {} lacks {} of {}", facts_.view,
                               missing_.size() == 1 ? "a dimension" : "the dimensions", fmt::join(missing_, " and "));
    if (!mistakes_.empty()) guide.reason += fmt::format("; {}", fmt::join(mistakes_, "; "));
    guide.steps.push_back(
        fmt::format("in Customer Journey Analytics: Data management > Data views > {} > Components", facts_.view));
    guide.steps.emplace_back(
        "if the fields below are missing in the list, clear its filter 'Contains data': they have data only after the "
        "first records arrived");
    const auto dataset = facts_.dataset.empty()
                             ? fmt::format("'{}' (its id is known after apply)", manifest_.target.dataset)
                             : fmt::format("'{}' ({})", manifest_.target.dataset, facts_.dataset);
    for (const auto& path : missing_)
      guide.steps.push_back(fmt::format("Profile datasets > {} > drag {} to Dimensions", dataset, path));
    guide.steps.emplace_back("leave include/exclude rules, substring and 'hide in reporting' off");
    guide.steps.emplace_back("set a stable component id now if you want one: changing it later breaks projects");
    guide.steps.emplace_back("Save and continue");
    guide.steps.push_back(fmt::format("the next run checks it; or look at once: audiencesync plan {}", manifest_.file));
  }

  void warn_of_double_counting() {
    for (const auto& dimension : facts_.dimensions) {
      const bool native =
          std::find(kNativeDimensions.begin(), kNativeDimensions.end(), dimension.name) != kNativeDimensions.end();
      if (!native || dimension.datasets.empty() || comes_from(dimension, facts_.dataset)) continue;
      verdict_.findings.push_back(
          {Severity::Warning, "native-audience-analysis",
           fmt::format("data view {} also has '{}' of the platform's own audience analysis: people then see every "
                       "audience twice; tell analysts which one to use, or remove one of the two",
                       facts_.view, dimension.name)});
      return;
    }
  }

  const Manifest& manifest_;
  const ComponentFacts& facts_;
  ComponentVerdict verdict_;
  std::vector<std::string> missing_;
  std::vector<std::string> mistakes_;
};

}  // namespace

MembershipPaths membership_paths(const Manifest& manifest) {
  return {fmt::format("{}.{}.{}", manifest.tenant, kList, kIdField),
          fmt::format("{}.{}.{}", manifest.tenant, kList, kNameField)};
}

ComponentVerdict check_components(const Manifest& manifest, const ComponentFacts& facts) {
  return ComponentChecker(manifest, facts).check();
}

}  // namespace audiencesync
