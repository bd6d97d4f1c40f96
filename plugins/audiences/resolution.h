#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/finding.h"
#include "plugins/platform/audiences.h"

namespace audiencesync {

/// What is known of the audiences when the entries of a manifest are resolved.
struct AudienceKnowledge {
  std::map<std::string, std::string> pins;                       // name -> id it was pinned to
  std::map<std::string, std::string> labels;                     // id -> label it was last synced under
  std::map<std::string, std::vector<platform::Audience>> named;  // exact matches of a name, any lifecycle
  std::map<std::string, std::vector<std::string>> similar;       // names to suggest, for names without a match
  platform::AudienceAnswers by_id;                               // declared and pinned ids
  std::map<std::string, std::uint64_t> evaluated;                // people of the latest evaluation, by id
};

/// An entry with its id.
struct ResolvedAudience {
  std::string id;
  std::string label;                 // the name that is written
  std::string membership_namespace;  // key of the membership map
  bool held = false;
  std::optional<std::uint64_t> expected;
};

struct Resolution {
  std::vector<ResolvedAudience> audiences;  // sorted by id
  std::vector<Finding> findings;
  std::map<std::string, std::string> pins;  // to remember: name -> id
};

/// Finds the audience of every entry, or says why there is none. Pure.
///
/// `merge_policy` is the one exports will use; an audience that is evaluated under another one would be exported as
/// something else than people see, so it is refused. Every problem is reported, not only the first.
Resolution resolve_audiences(const std::vector<AudienceEntry>& entries, const AudienceKnowledge& knowledge,
                             const std::string& merge_policy);

}  // namespace audiencesync
