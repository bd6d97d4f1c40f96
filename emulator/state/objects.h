#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "emulator/http/message.h"

namespace emulator {

/// Control objects (datasets, batches, jobs, schemas, ...) by kind and id, in memory, each change appended to a log
/// and replayed at start. Rows never come here; they live in DuckDB and Parquet files.
///
/// Every call needs `lock()` held by the caller: a route locks once and sees one consistent platform.
class Objects {
 public:
  /// Replays `folder`/objects.log; a torn last line (crash) is dropped.
  explicit Objects(const std::filesystem::path& folder);
  ~Objects();

  [[nodiscard]] std::unique_lock<std::recursive_mutex> lock() { return std::unique_lock(mutex_); }

  const Json* find(const std::string& kind, const std::string& id) const;  // null when absent
  void put(const std::string& kind, const std::string& id, Json value);
  void erase(const std::string& kind, const std::string& id);
  const std::map<std::string, Json>& all(const std::string& kind) const;  // by id; empty map for an unknown kind

  /// The next number of a named sequence, 1 first; journaled. Ids are made from it and the seed.
  std::uint64_t next(const std::string& sequence);

 private:
  struct Log;
  mutable std::recursive_mutex mutex_;
  std::map<std::string, std::map<std::string, Json>> objects_;
  std::unique_ptr<Log> log_;
};

}  // namespace emulator
