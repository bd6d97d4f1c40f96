#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "emulator/platform.h"

namespace emulator {

/// One Parquet file of a batch, below the batch's folder.
struct PartFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
};

/// The data lake as far as it is not rows: batches, their files and states, and the ledger of what was ever made.
///
/// A batch is a JSON object of kind `batch` as the catalog shows it, plus `_emulator` with what only we need.
/// Every member locks the objects itself; the lock is recursive, so a route may hold it already.
class Lake {
 public:
  explicit Lake(Platform& platform);

  /// Folder of the Parquet parts of a batch; of what a client sent for it; of diagnostics ("failed", "meta").
  std::filesystem::path parts_folder(const std::string& batch) const;
  std::filesystem::path uploads_folder(const std::string& batch) const;
  std::filesystem::path diagnostics_folder(const std::string& batch) const;

  /// Makes a batch of that dataset with `fields` over the defaults. `facts` become its `_emulator` part.
  std::string create_batch(const std::string& dataset, const Json& fields, const Json& facts);
  /// Changes a batch that may be gone by now: then nothing happens. A new status reaches the dataset's `lastBatch*`.
  void change_batch(const std::string& batch, const std::function<void(Json&)>& change);
  /// Status of a batch, "" when there is none.
  std::string batch_status(const std::string& batch);
  /// Marks the batch readable with these files.
  void succeed(const std::string& batch, const std::vector<PartFile>& parts, const Json& metrics);
  void fail(const std::string& batch, const std::string& code, const std::string& description);
  /// Removes the files of a batch; its object stays.
  void drop_files(const std::string& batch);

  /// Ids of the batches of a dataset, oldest first.
  std::vector<std::string> batches_of(const std::string& dataset);

  /// Writes down that something was made, for ever.
  void note(const std::string& kind, const std::string& id, const Json& facts);

  /// Whether somebody wants the rows of that dataset's batches also after they were withdrawn. Set once, before routes
  /// run; called with the objects locked.
  std::function<bool(const std::string& dataset)> keeps_withdrawn = [](const std::string&) { return false; };
  /// Parts of a batch that was readable and whose files were removed; empty folder unless they were wanted.
  std::filesystem::path withdrawn_folder(const std::string& batch) const;

  static bool is_live(const std::string& status) { return status == "success" || status == "active"; }
  /// The dataset of a batch object.
  static std::string dataset_of(const Json& batch);

 private:
  Platform& platform_;
};

}  // namespace emulator
