#pragma once

#include <string>

#include "emulator/data/lake.h"
#include "emulator/data/worker.h"
#include "emulator/data/world.h"

namespace emulator {

/// The datasets that the platform keeps with all profiles: one for each merge policy, `Profile-Snapshot-Export-<uuid>`,
/// a new batch each day of the platform's clock. The batch of the day before stays readable, earlier ones are deleted.
/// Nobody's call makes or changes them.
class ProfileSnapshots {
 public:
  ProfileSnapshots(Platform& platform, World& world, Lake& lake, Worker& worker);

  /// Makes the datasets that are missing and arranges for the next batches.
  void resume();

 private:
  std::string ensure_dataset(const std::string& policy);
  // On the worker's thread.
  void write(const std::string& dataset);
  void wait_for_next(const std::string& dataset);
  void drop_older(const std::string& dataset);

  Platform& platform_;
  World& world_;
  Lake& lake_;
  Worker& worker_;
};

}  // namespace emulator
