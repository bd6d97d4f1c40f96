#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/observed.h"
#include "plugins/platform/data_views.h"

namespace audiencesync {

inline constexpr const char* kDataViewStage = "data-view";
inline const ResourceKey kViewShell{kDataViewStage, "shell"};            // one that we make
inline const ResourceKey kViewInUse{kDataViewStage, "view"};             // which view, when a person must say so
inline const ResourceKey kViewComponents{kDataViewStage, "components"};  // its dimensions

/// The external id of a view that we made for this sync.
std::string external_id_of(const Manifest& manifest);

/// Where the declared data view may be found.
struct ViewFacts {
  std::string connection;                      // id of the declared one
  std::vector<platform::DataView> candidates;  // by id: that one; by name: all of the connection
  /// Views of other connections that have the declared name or our mark; read only when no candidate fits.
  std::vector<platform::DataView> elsewhere;
};

enum class ViewOrigin {
  Foreign,   // somebody else's: never written
  Ours,      // made by us for this sync
  ToBeMade,  // none has the name
  Unclear,   // a person must say which; see `reason`
};

struct ViewChoice {
  ViewOrigin origin = ViewOrigin::Unclear;
  std::optional<platform::DataView> view;  // for Foreign and Ours
  Guide guide;                             // for Unclear
  std::vector<Finding> findings;
};

/// Which data view a manifest means. Pure.
ViewChoice choose_view(const Manifest& manifest, const ViewFacts& facts);

}  // namespace audiencesync
