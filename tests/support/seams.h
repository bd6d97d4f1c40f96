#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "daemon/adapters.h"

namespace audiencesync::testing {

/// Counts every place at which a run can be interrupted: before and after each durable write of a file, each
/// transaction of the store and each exchange with the platform. At number `n` it does what it was told.
class Seam {
 public:
  enum class Act { Count, Kill, NoSpace };

  /// From AUDIENCESYNC_SEAM: `kill@17`, `nospace@4`; anything else only counts. The count of the whole run is written
  /// to the file named by AUDIENCESYNC_SEAM_COUNT, if set; on a second line, the numbers at which room on the disk was
  /// asked for.
  static Seam from_environment();
  Seam(Act act, std::uint64_t at, std::string count_file) : act_(act), at_(at), count_file_(std::move(count_file)) {}
  Seam(Seam&& other) noexcept
      : act_(other.act_),
        at_(other.at_),
        count_file_(std::exchange(other.count_file_, {})),
        count_(other.count_.load()) {}
  ~Seam();

  /// A place at which the process may die: it is gone at once, as by SIGKILL.
  void pass();
  /// Whether the disk is full from here on (only durable writes ask).
  bool full();

 private:
  Act act_;
  std::uint64_t at_;
  std::string count_file_;
  std::atomic<std::uint64_t> count_{0};
  std::mutex mutex_;
  std::set<std::uint64_t> asked_;  // for room on the disk
};

/// The real adapters with a seam in front of each.
std::unique_ptr<Files> seamed_files(Files& files, Seam& seam);
std::unique_ptr<http::Transport> seamed_transport(http::Transport& transport, Seam& seam);
std::unique_ptr<Store> seamed_store(std::unique_ptr<Store> store, Seam& seam);

}  // namespace audiencesync::testing
