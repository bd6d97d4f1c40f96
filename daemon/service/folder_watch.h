#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace audiencesync {

/// Hears of changes in folders, by inotify. Used by one thread.
class FolderWatch {
 public:
  FolderWatch() = default;
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch();

  /// Watches exactly these folders (absolute, without links), and what `root` is named by: the links on the way to it,
  /// and the nearest folder that is there when it is not.
  void watch(const std::set<std::string>& folders, const Path& root);
  /// Readable when something happened; -1 when this system lets us watch nothing.
  int descriptor() const { return descriptor_; }
  /// Takes in what happened. Errors: Io.
  Result<void> drain();
  /// Files (without links) that somebody has open and began to write; they are told of again when they are closed.
  const std::set<std::string>& being_written() const { return being_written_; }
  /// False when a change can be missed: a folder could not be watched, or is on a disk of another machine.
  bool complete() const { return complete_; }

 private:
  void add(const std::string& folder, std::uint32_t mask, std::map<int, std::string>& watches);

  int descriptor_ = -1;
  bool complete_ = true;
  std::map<int, std::string> folders_;  // by watch
  std::set<std::string> being_written_;
};

}  // namespace audiencesync
