#include "plugins/data_view/component_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

constexpr const char* kInList = "audienceMembership.audienceMembershipId";
constexpr const char* kNameInList = "audienceMembership.audienceMembershipName";
constexpr const char* kSingle = "audienceMembershipId";
constexpr const char* kSingleName = "audienceMembershipName";
constexpr const char* kJoined = "audienceMembershipIds";
constexpr const char* kLookedUp = "audienceName";
// Dimensions that the platform's own audience analysis adds to a view.
constexpr std::array<std::string_view, 4> kNativeDimensions{"Audience Name", "Audience Origin", "Exited Audience Name",
                                                            "Exited Audience Origin"};

std::string described(const platform::Dimension& dimension) {
  return fmt::format("dimension '{}' ({})", dimension.name, dimension.id);
}

std::string last_name(const std::string& path) { return path.substr(path.rfind('.') + 1); }

bool comes_from(const platform::Dimension& dimension, const std::string& dataset) {
  return std::find(dimension.datasets.begin(), dimension.datasets.end(), dataset) != dimension.datasets.end();
}

/// What a dimension must be like, which depends on the field.
struct Wanted {
  std::string path;
  std::string dataset;           // "" while it is known after apply
  const char* kind = "Profile";  // of datasets it is listed below
  bool many = true;              // a record has several values
  bool split = false;            // out of one string
};

/// How little a dimension is fit for reports; 0 is best.
int blemishes(const platform::Dimension& dimension, const Wanted& wanted) {
  return (dimension.filters_values ? 4 : 0) + (dimension.transformed && !wanted.split ? 4 : 0) +
         (dimension.in_reports ? 0 : 2) + (dimension.hidden ? 1 : 0) + (wanted.many && !dimension.multi_valued ? 1 : 0);
}

class ComponentChecker {
 public:
  ComponentChecker(const Manifest& manifest, const ComponentFacts& facts) : manifest_(manifest), facts_(facts) {}

  ComponentVerdict check() && {
    const auto paths = membership_paths(manifest_);
    const auto layout = manifest_.target.layout;
    const bool split = layout == Layout::Delimited;
    verdict_.id = find({paths.id, facts_.dataset, "Profile", layout != Layout::Membership, split});
    if (manifest_.target.name_lookup) {
      verdict_.name = find({paths.name, facts_.lookup, "Lookup", false, false});
    } else if (!paths.name.empty()) {
      verdict_.name = find({paths.name, facts_.dataset, "Profile", layout != Layout::Membership, false});
    }
    if (!missing_.empty()) ask();
    warn_of_double_counting();
    return std::move(verdict_);
  }

 private:
  std::optional<platform::Dimension> find(const Wanted& wanted) {
    const platform::Dimension* best = nullptr;
    for (const auto& dimension : facts_.dimensions) {
      if (dimension.path != wanted.path || wanted.dataset.empty() || !comes_from(dimension, wanted.dataset)) continue;
      // The whole string as one value is of no use to anybody.
      if (wanted.split && !dimension.multi_valued) continue;
      if (best == nullptr || blemishes(dimension, wanted) < blemishes(*best, wanted)) best = &dimension;
    }
    if (best == nullptr) {
      missing_.push_back(wanted);
      look_for_mistakes(wanted);
      return std::nullopt;
    }
    warn_of_settings(*best, wanted);
    return *best;
  }

  // A field that other layouts fill.
  bool is_of_other_layout(const std::string& path) const {
    for (const auto* field : {kInList, kNameInList, kSingle, kSingleName, kJoined}) {
      if (path == fmt::format("{}.{}", manifest_.tenant, field)) return true;
    }
    return false;
  }

  void look_for_mistakes(const Wanted& wanted) {
    for (const auto& dimension : facts_.dimensions) {
      const bool here = comes_from(dimension, wanted.dataset);
      if (dimension.path == wanted.path) {
        mistakes_.push_back(here ? fmt::format("{} shows all ids of a person as one value, because it is not split",
                                               described(dimension))
                                 : fmt::format("{} has this path, but comes from dataset {}", described(dimension),
                                               fmt::join(dimension.datasets, ", ")));
      } else if (here && last_name(dimension.path) == last_name(wanted.path)) {
        mistakes_.push_back(fmt::format("{} is on {}", described(dimension), dimension.path));
        if (is_of_other_layout(dimension.path))
          mistakes_.back() +=
              fmt::format(", which records of layout {} leave empty", to_string(manifest_.target.layout));
      }
    }
  }

  void warn_of_settings(const platform::Dimension& dimension, const Wanted& wanted) {
    std::vector<std::string> wrong;
    if (dimension.filters_values) wrong.emplace_back("has include/exclude rules, so some audiences never appear in it");
    if (dimension.transformed && !wanted.split)
      wrong.emplace_back("changes values before it shows them (substring or derived field)");
    if (dimension.hidden || !dimension.in_reports) wrong.emplace_back("is hidden from analysts");
    if (wanted.many && !dimension.multi_valued)
      wrong.emplace_back("is not multi-valued, so a person in several audiences may count in one only");
    if (wrong.empty()) return;
    verdict_.findings.push_back(
        {Severity::Warning, "dimension-settings",
         fmt::format("{} in data view {} {}; change it under Data management > Data views > Components",
                     described(dimension), facts_.view, fmt::join(wrong, ", and "))});
  }

  void ask() {
    auto& guide = verdict_.guide;
    std::vector<std::string> paths;
    for (const auto& wanted : missing_) paths.push_back(wanted.path);
    guide.reason = fmt::format("data view {} lacks {} of {}", facts_.view,
                               missing_.size() == 1 ? "a dimension" : "the dimensions", fmt::join(paths, " and "));
    if (!mistakes_.empty()) guide.reason += fmt::format("; {}", fmt::join(mistakes_, "; "));
    guide.steps.push_back(
        fmt::format("in Customer Journey Analytics: Data management > Data views > {} > Components", facts_.view));
    guide.steps.emplace_back(
        "if the fields below are missing in the list, clear its filter 'Contains data': they have data only after the "
        "first records arrived");
    bool split = false;
    for (const auto& wanted : missing_) {
      const auto name =
          std::string_view(wanted.kind) == "Lookup" ? manifest_.target.names_dataset() : manifest_.target.dataset;
      guide.steps.push_back(fmt::format("{} datasets > {} > drag {} to Dimensions", wanted.kind,
                                        wanted.dataset.empty() ? fmt::format("'{}' (its id is known after apply)", name)
                                                               : fmt::format("'{}' ({})", name, wanted.dataset),
                                        wanted.path));
      split = split || wanted.split;
    }
    if (split) {
      guide.steps.emplace_back("its Substring: method Delimiter, criterion 'Convert to array', delimiter ','");
      guide.steps.emplace_back("leave include/exclude rules and 'hide in reporting' off");
    } else {
      guide.steps.emplace_back("leave include/exclude rules, substring and 'hide in reporting' off");
    }
    guide.steps.emplace_back("set a stable component id now if you want one: changing it later breaks projects");
    guide.steps.emplace_back("Save and continue");
    guide.steps.push_back(fmt::format("the next run checks it; or look at once: audiencesync plan{}",
                                      manifest_.commit.empty() ? " " + manifest_.file : ""));
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
  std::vector<Wanted> missing_;
  std::vector<std::string> mistakes_;
};

}  // namespace

MembershipPaths membership_paths(const Manifest& manifest) {
  const auto below_tenant = [&](const char* field) { return fmt::format("{}.{}", manifest.tenant, field); };
  MembershipPaths paths;
  switch (manifest.target.layout) {
    case Layout::Person:
      paths = {below_tenant(kInList), below_tenant(kNameInList)};
      break;
    case Layout::Membership:
      paths = {below_tenant(kSingle), below_tenant(kSingleName)};
      break;
    case Layout::Delimited:
      paths.id = below_tenant(kJoined);
      break;
  }
  if (manifest.target.name_lookup) paths.name = below_tenant(kLookedUp);
  return paths;
}

Value paths_value(const MembershipPaths& paths) {
  Value::Array list{paths.id};
  if (!paths.name.empty()) list.emplace_back(paths.name);
  return list;
}

ComponentVerdict check_components(const Manifest& manifest, const ComponentFacts& facts) {
  return ComponentChecker(manifest, facts).check();
}

}  // namespace audiencesync
