#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Compares what analysts see with what was proven to be in the dataset: people per audience over complete days.
///
/// Data take 90 minutes to 3 hours from the dataset to a report, so nothing is asked before and nothing differs until
/// after. A verification is remembered for its day: runs that change nothing ask nothing. A difference that stays is a
/// refusal (`report-differs`); whatever cannot be asked is said and stops nothing.
StageDescriptor report_stage();

}  // namespace audiencesync
