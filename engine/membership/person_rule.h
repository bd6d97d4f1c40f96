#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Why a row has nobody we can name.
enum class PersonProblem { None, Missing, OverLong, NotUtf8 };

/// Turns the person id of an export into the one the event data use. Changes ASCII letters and blanks only, whatever
/// the locale. `out` may point into `raw` or into `space`, which is reused from row to row; it counts only with
/// PersonProblem::None. The length limit is that of the value before hashing.
PersonProblem apply_person_rule(PersonRule rule, std::string_view raw, std::string& space, std::string_view& out);

/// Well-formed UTF-8, without surrogates and over-long forms.
bool is_utf8(std::string_view text);

/// The hash by which people are ordered in every file of this folder: XXH3, 64 bits, seed 0.
std::uint64_t person_hash(std::string_view person);

}  // namespace audiencesync
