#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "daemon/locked_file.h"
#include "engine/plugin/export_slots.h"

namespace audiencesync {

/// The export slot of one sandbox in a file of the state folder, with those who wait for it.
///
/// Who lives is told by a lock of the kernel on a file of its own, so nothing has to be cleaned up after a process that
/// was killed. The file is replaced as a whole and synced: a job that was begun is not forgotten with the power.
class ExportLedger final : public ExportSlots {
 public:
  /// `name` of the sandbox, one for each organisation and sandbox of a state folder.
  ExportLedger(Path folder, std::string name, std::stop_token stop)
      : folder_(std::move(folder)), name_(std::move(name)), stop_(std::move(stop)) {}

  Result<std::optional<ExportHolder>> take(const ExportHolder& ours) override;
  Result<void> started(const std::string& uid, const std::string& job) override;
  Result<void> release(const std::string& uid) override;
  Result<void> vacate(const ExportHolder& gone) override;

 private:
  struct Book;

  Path sign_of_life(const std::string& uid) const;
  Result<LockedFile> lock() const;
  Result<void> show_life(const std::string& uid);
  Result<Book> read() const;
  Result<void> write(const Book& book) const;
  ExportHolder seen(ExportHolder holder) const;

  const Path folder_;
  const std::string name_;
  const std::stop_token stop_;
  std::optional<LockedFile> alive_;  // while this process waits for the slot or has it
};

}  // namespace audiencesync
