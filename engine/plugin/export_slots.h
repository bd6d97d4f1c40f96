#pragma once

#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/result.h"

namespace audiencesync {

/// A sync that has the export slot of its sandbox, or will have it before us.
struct ExportHolder {
  /// Whether a process of it is there to see to its job.
  enum class Process { Alive, Gone };

  std::string uid;
  std::string sync;     // its name, for people
  std::string dataset;  // where its job writes
  std::string job;      // "" as long as nobody knows it
  Time since{};         // server time at which it took the slot
  Process process = Process::Gone;

  friend bool operator==(const ExportHolder&, const ExportHolder&) = default;
};

/// Who may run an export job in a sandbox: one sync at a time, over all processes of a state folder, in the order in
/// which they asked.
///
/// A slot outlives the process that took it, because its job does: whoever waits asks the platform what became of the
/// job of a holder that is gone. Errors: Io, NoSpace, Interrupted.
class ExportSlots {
 public:
  virtual ~ExportSlots() = default;

  /// nullopt: the slot is ours until it is released. Else who has it or is before us; our place in the queue is kept
  /// while this process lives, and for a while after it.
  virtual Result<std::optional<ExportHolder>> take(const ExportHolder& ours) = 0;
  /// The job of the slot that `uid` has, which this process now sees to. Nothing happens when another one has it.
  virtual Result<void> started(const std::string& uid, const std::string& job) = 0;
  /// Free again, when `uid` has it.
  virtual Result<void> release(const std::string& uid) = 0;
  /// Takes the slot from a holder that is gone, unless it has changed hands meanwhile.
  virtual Result<void> vacate(const ExportHolder& gone) = 0;
};

}  // namespace audiencesync
