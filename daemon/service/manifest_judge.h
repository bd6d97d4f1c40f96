#pragma once

#include <map>
#include <string>

#include "daemon/service/manifest_source.h"
#include "daemon/service/manifest_texts.h"

namespace audiencesync {

/// Whose a uid was before: the file, by uid.
using ManifestOwners = std::map<std::string, std::string>;

/// Checks every text as a manifest, each by itself and then all together.
///
/// A text that others extend and that has no name of its own is no sync: it is only a part of theirs. Of manifests with
/// one uid, or with one target dataset in one sandbox, the one that `owners` names counts and the others are rejected;
/// when it names none of them, all are. Pure but for the look at links that `extends` makes.
/// Cost: about a millisecond for each manifest.
ManifestSet judge_manifests(const ManifestTexts& texts, const ManifestRules& rules, const ManifestOwners& owners = {});

}  // namespace audiencesync
