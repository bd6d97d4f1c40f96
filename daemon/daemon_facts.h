#pragma once

#include <string>

#include "engine/base/clock.h"
#include "engine/base/value.h"

namespace audiencesync {

/// What the daemon that started us knows of a sync, as lines below its status: whether a run is going on, when the next
/// ones are, since when it is left alone. "" when it knows nothing of it. `facts` as in ChildJob.
std::string facts_text(const Value& facts, const std::string& uid, Time now);

/// Syncs the daemon knows, by uid, and what it did not accept.
const Value::Object& known_syncs(const Value& facts);
std::string not_accepted_text(const Value& facts);

}  // namespace audiencesync
