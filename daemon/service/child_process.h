#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "daemon/service/child_job.h"
#include "daemon/service/descriptor.h"

namespace audiencesync {

/// What a new child gets. Descriptors stay the caller's; -1 for none (of the first three: /dev/null).
struct ChildSetup {
  std::string title;  // what `ps` shows behind the name of the program: the sync, or the command
  int in = -1;
  int out = -1;
  int err = -1;
  int lock = -1;
  int events = -1;
  std::uint64_t data_limit = 0;  // bytes of memory of its own it may have (RLIMIT_DATA); 0: no limit
};

/// Starts this very program with a job. It dies with us, and the kernel takes it before us when memory runs out.
/// Errors: Io with what could not be had.
Result<pid_t> start_child(const ChildJob& job, const ChildSetup& setup);

/// In a child: what it is to do. Errors: Corrupt, Io.
Result<ChildJob> read_child_job(int descriptor = kJobDescriptor);

}  // namespace audiencesync
