#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/plugin/context.h"
#include "plugins/platform/batch.h"

namespace audiencesync {

/// A person whose record the platform refused. The id is personal data; the reason holds none.
struct Rejection {
  PersonId person;
  std::string reason;
};

/// Who of an upload was refused, from the diagnostics of its failed batch: by the record they show, or by the number of
/// its line. Only people of this upload count. Empty when the platform names nobody new.
Result<std::vector<Rejection>> named_rejections(ReadContext& context, const platform::Batch& batch,
                                                const Upload& upload, const std::set<PersonId>& known);

/// The person of an upload of one record.
Result<PersonId> only_person(ReadContext& context, const Upload& upload);

}  // namespace audiencesync
