#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// The union schema of people, which export jobs write to.
inline constexpr std::string_view kProfileUnion = "https://ns.adobe.com/xdm/context/profile__union";
/// The tag that says which sync, role and state folder an object of ours belongs to.
inline constexpr std::string_view kOurTag = "audiencesync";

using Tags = std::map<std::string, std::vector<std::string>, std::less<>>;

struct Dataset {
  std::string id;
  std::string name;
  std::string version;
  std::string schema;      // id of its schema
  std::string state;       // upper case: DRAFT, ...
  std::string managed_by;  // upper case: CUSTOMER, or SYSTEM for what the platform keeps
  std::optional<Time> created;
  Tags tags;
};

/// Value of `<prefix>:…` in our tag, "" when it is not there: `ours(dataset, "uid")`.
std::string our_tag(const Dataset& dataset, std::string_view prefix);
/// Values of our tag.
std::vector<std::string> our_tags(const std::string& uid, const std::string& role, const std::string& state_id);
/// `tags` with our values as they must be and everything foreign as it was. Pure.
Tags tags_with_ours(Tags tags, const std::string& uid, const std::string& role, const std::string& state_id);
/// Its rows flow into the Real-Time Customer Profile.
bool is_profile_enabled(const Dataset& dataset);
/// The union schema under either of its names.
bool is_profile_union(std::string_view schema);

/// nullopt when the catalog does not know it.
Result<std::optional<Dataset>> get_dataset(http::ReadClient& client, const std::string& id);
/// Datasets with our tag for this sync and role, oldest first.
Result<std::vector<Dataset>> datasets_of(http::ReadClient& client, const std::string& uid, const std::string& role);
/// Datasets of exactly this name, oldest first.
Result<std::vector<Dataset>> datasets_named(http::ReadClient& client, const std::string& name);

/// The datasets the platform itself keeps with all profiles of a merge policy, a new batch each day; oldest first.
/// Usually one. Datasets of that name which anybody else made are none. Empty when they are not visible to us.
Result<std::vector<Dataset>> profile_snapshots_of(http::ReadClient& client, const std::string& merge_policy);

struct NewDataset {
  std::string name;
  std::string description;
  std::string schema;
  Tags tags;
};

/// Makes a dataset and gives its id. Not repeatable: names are not unique. Errors: Unknown when it may exist.
Result<std::string> create_dataset(http::WriteClient& client, const NewDataset& dataset);

/// Top-level members to replace; nullopt leaves them. `tags` replaces all tags: give the foreign ones too.
struct DatasetPatch {
  std::optional<std::string> name;
  std::optional<Tags> tags;
};
Result<void> patch_dataset(http::WriteClient& client, const std::string& id, const DatasetPatch& patch);

Dataset dataset_from(const std::string& id, const Value& value);

}  // namespace audiencesync::platform
