#pragma once

#include <string>
#include <vector>

#include "daemon/commands.h"
#include "engine/base/person_id.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// One person's id: asked for at the terminal, which does not show it, or the first line of stdin. Blanks within it are
/// part of it, a line break is not. Errors: Usage when there is none.
Result<PersonId> ask_person(PersonFrom from, const Console& console);

/// The ids on stdin, one a line; empty lines are skipped. Errors: Usage when there is none.
Result<std::vector<PersonId>> read_people(const Console& console);

/// All of stdin, or the one person asked for. Errors: as above.
Result<std::vector<PersonId>> ask_people(PersonFrom from, const Console& console);

/// The ids as the sync writes them. Errors: Usage, with the number of the line and never the id, for one that is empty
/// after it was normalised, too long or not UTF-8.
Result<std::vector<PersonId>> normalized_people(const std::vector<PersonId>& people, PersonRule rule);

}  // namespace audiencesync
