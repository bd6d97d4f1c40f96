#pragma once

#include <cstddef>
#include <functional>

#include "engine/base/result.h"

namespace audiencesync {

/// Runs work(0) to work(count - 1) on a thread each, work(0) on the calling one, and waits for all of them. The first
/// error by number wins; it is up to the work to notice that others failed.
Result<void> run_workers(std::size_t count, const std::function<Result<void>(std::size_t)>& work);

/// Cores of this machine that we may use.
std::size_t core_count();

}  // namespace audiencesync
