#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/service/manifest_source.h"
#include "engine/base/value.h"

namespace audiencesync {

/// The word that makes the program a child of the daemon; no command of a person's.
inline constexpr const char* kChildWord = "child";

/// Descriptors of a child, beside the three every process has.
inline constexpr int kJobDescriptor = 3;     // its ChildJob, to read
inline constexpr int kLockDescriptor = 4;    // the state lock of the daemon, shared
inline constexpr int kEventsDescriptor = 5;  // where its events go; commands have none

/// A manifest as text: what a child reads instead of the disk.
struct ManifestText {
  std::string file;
  std::map<std::string, std::string> texts;
};

/// What a child is to do, and all it needs to know of the daemon's world.
struct ChildJob {
  enum class Kind { Run, Command };
  Kind kind = Kind::Run;
  std::string user;   // in whose name, for the history
  std::string cause;  // of a run: to_string(Cause)
  std::string config;
  std::map<std::string, std::string> settings;  // text of the settings, by path
  std::string state;
  std::vector<ManifestText> manifests;       // of a run exactly one, of a command all that are accepted
  std::string commit;                        // the manifests are of
  std::vector<std::string> words;            // of a command
  std::map<std::string, std::string> files;  // that the words name and the operator sent, by path
  Value facts;                               // of a command: how the daemon stands, by uid of the sync

  Value to_value() const;
  /// Errors: Corrupt when it is none.
  static Result<ChildJob> from_value(const Value& value);
};

}  // namespace audiencesync
