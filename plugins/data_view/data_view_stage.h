#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// The data view in which analysts see the audiences.
///
/// A view that somebody else made is used as it is and never written. When no view has the declared name, an empty one
/// of ours is made in the connection, found again by its external id. Its dimensions are added by a person, because no
/// API does. Outputs, as far as known: `data_view_id`, `data_view_name`, `offset_ms` (of its time zone),
/// `id_dimension`, `name_dimension` (only one that shows every value as it was written).
StageDescriptor data_view_stage();

}  // namespace audiencesync
