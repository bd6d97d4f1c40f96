#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/membership/memberships.h"
#include "plugins/platform/reports.h"

namespace audiencesync {

using PeopleByName = std::map<std::string, std::uint64_t>;

/// What analysts tell audiences apart by: the id where records carry no names.
enum class CountedBy { Name, Id };

/// People per audience as proven. Audiences of one name count together, as analysts see them.
PeopleByName proven_people(const std::vector<AudiencePeople>& audiences, CountedBy by = CountedBy::Name);
/// People per audience name as reported, without the rows that stand for "no value".
PeopleByName reported_people(const std::vector<platform::PeopleRow>& rows);

/// What an earlier verification over the very same days saw.
struct EarlierCounts {
  PeopleByName proven;
  PeopleByName reported;
};

struct Agreement {
  std::vector<std::string> differences;  // parts of a sentence; none: the two agree
  std::vector<std::string> absent;       // audiences that may be missing because their people have no events
};

/// Whether a report can be true of the proven memberships. Pure.
///
/// People without events are invisible, so a report may show fewer people, never more than the tolerance. A name that
/// was not proven must not appear. A name that is missing counts as different when at least ten of its people should be
/// visible, judged by the share that is visible of the others. Over the same days a count must not move against what
/// entered and left.
Agreement compare_people(const PeopleByName& proven, const PeopleByName& reported, double tolerance,
                         const std::optional<EarlierCounts>& earlier);

}  // namespace audiencesync
