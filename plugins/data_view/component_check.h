#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/observed.h"
#include "plugins/platform/components.h"

namespace audiencesync {

/// The fields of a record that analysts break down by, as paths in the schema, which depend on the layout.
struct MembershipPaths {
  std::string id;    // _acme.audienceMembership.audienceMembershipId
  std::string name;  // _acme.audienceMembership.audienceMembershipName; "" when records have no names
};
MembershipPaths membership_paths(const Manifest& manifest);
/// `paths` as fields of the resource that a person completes.
Value paths_value(const MembershipPaths& paths);

/// What the dimensions of a view say about these fields.
struct ComponentVerdict {
  std::optional<platform::Dimension> id;
  std::optional<platform::Dimension> name;
  Guide guide;  // for what is missing; no steps when nothing is
  std::vector<Finding> findings;

  bool complete() const { return guide.steps.empty(); }
};

/// What is known about the view in which components are looked for.
struct ComponentFacts {
  std::string dataset;  // "" while it is known after apply
  std::string lookup;   // dataset of the names, likewise; only with target.name_lookup
  std::string view;     // "'Luma' (dv_...)", or its name while it is known after apply
  std::vector<platform::Dimension> dimensions;
};

/// Finds the dimensions of our fields: by path and dataset, never by a guessed id. Pure.
///
/// Of several with the same path the one that shows values as they are is taken. One of the same path from another
/// dataset, or of a field that other layouts fill, is told apart and named, because people drag it by mistake.
ComponentVerdict check_components(const Manifest& manifest, const ComponentFacts& facts);

}  // namespace audiencesync
