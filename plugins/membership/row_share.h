#pragma once

namespace audiencesync {

/// How much of a dataset is read.
enum class RowShare {
  Full,
  Sample,  // the newest large batch in part, everything newer whole: what was found there is the newest of its person
};

}  // namespace audiencesync
