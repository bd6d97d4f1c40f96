#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/reconcile/logged_context.h"
#include "engine/reconcile/run.h"
#include "engine/report/memory_events.h"
#include "tests/platform/fake_world.h"
#include "tests/store/scratch.h"

namespace audiencesync {

/// Time that moves only when somebody sleeps, and tells who wants to know.
class StepClock final : public Clock {
 public:
  Time now() const override { return now_; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(now_.time_since_epoch());
  }
  bool sleep(Duration duration, std::stop_token stop) const override {
    if (stop.stop_requested()) return false;
    now_ += duration;
    sleeps.push_back(duration);
    if (on_sleep) on_sleep();
    return !stop.stop_requested();
  }
  void advance(Duration duration) { now_ += duration; }

  mutable std::vector<Duration> sleeps;
  std::function<void()> on_sleep;

 private:
  mutable Time now_ = at(0);
};

/// A folder of its own for each test, gone afterwards; in memory where the machine has such a place, because nobody
/// pulls the plug on these tests and a hundred of them would wait for the disk.
class MemoryFolder {
 public:
  MemoryFolder() {
    const Path memory = "/dev/shm";
    std::error_code none;
    const Path base = std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "audiencesync-run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const Path& folder() const { return folder_; }

 private:
  Path folder_;
};

/// What a run needs: a real store in a folder of its own, everything else without effect.
struct RunWorld {
  RunWorld() {
    manifest.file = "luma.yaml";
    manifest.name = "luma";
    manifest.uid = "luma";
    settings.organizations["default"].organization_id = "1234@AdobeOrg";
  }

  /// What another process would see after this one died.
  void reopen_store() {
    store.reset();
    store = must(open_sqlite_store(scratch.folder() / "state.db", OpenMode::ReadWrite));
  }

  MemoryFolder scratch;
  std::unique_ptr<Store> store = must(open_sqlite_store(scratch.folder() / "state.db", OpenMode::ReadWrite));
  StepClock clock;
  ServerTime server{clock};
  MemoryEvents events;
  NoMemberships memberships;
  PosixFiles files;
  FakeClient client;
  FakeRecords no_records;
  Manifest manifest;
  Settings settings;
  std::stop_source stop;
  OutputTable outputs;
  RunServices services{client, memberships, no_records, files,     clock, server,
                       events, manifest,    settings,   "state-1", "",    stop.get_token()};
};

}  // namespace audiencesync
