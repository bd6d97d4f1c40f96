#pragma once

#include <set>
#include <string>
#include <string_view>

#include "engine/model/change.h"

namespace audiencesync {

/// What a change is to write into a field; nullptr when it has no such field, or one that is not known yet.
const Value* field_of(const Change& change, std::string_view name);
/// The same as a text, a flag, or a set of texts; empty or false when it is none.
std::string field_text(const Change& change, std::string_view name);
bool field_flag(const Change& change, std::string_view name);
std::set<std::string> field_ids(const Change& change, std::string_view name);

}  // namespace audiencesync
