#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/observed.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {

inline constexpr const char* kTargetRole = "target";
inline constexpr const char* kNamesRole = "lookup";

/// How the target dataset was come by.
enum class FoundBy { Remembered, DatasetId, Tags };

/// Whether records of ours fit the dataset's schema.
enum class SchemaFit {
  Ours,        // it is the schema of the schema stage
  Compatible,  // another one, with our field group and the same primary identity
  Foreign,
};

/// Whether a dataset of another state folder is to become ours.
enum class TakeOver { No, Yes };

/// What is known about the target when it is judged.
struct TargetFacts {
  FoundBy found_by = FoundBy::Tags;
  std::string id;                            // asked for; "" when looked for by tags
  std::optional<platform::Dataset> dataset;  // nullopt: does not exist
  std::vector<platform::Dataset> others;     // further datasets with our tags
  SchemaFit fit = SchemaFit::Ours;
  std::string state_id;
  TakeOver take_over = TakeOver::No;
  std::optional<platform::Dataset> namesake;  // not ours, with the name we would give
};

/// What the engine sees of the target, with everything that stands against using it. Pure.
Observed view_target(const Manifest& manifest, const TargetFacts& facts);

/// Tags with ours as they must be and everything foreign as it was. Pure.
platform::Tags tags_with_ours(platform::Tags tags, const std::string& uid, const std::string& state_id,
                              const char* role = kTargetRole);

}  // namespace audiencesync
