#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "engine/base/files.h"
#include "engine/store/sqlite/sqlite_store.h"

namespace audiencesync {

/// A folder of its own for each test, gone afterwards.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "audiencesync-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const Path& folder() const { return folder_; }

 private:
  Path folder_;
};

/// The value of a Result, or a failed test with the error's text and an end.
template <class T>
T must(Result<T> result, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!result.ok()) {
    ADD_FAILURE_AT(file, line) << result.error().text();
    std::fprintf(stderr, "%s:%d: %s\n", file, line, result.error().text().c_str());
    std::abort();
  }
  return std::move(result).take();
}

inline Time at(std::int64_t seconds) { return from_epoch_ms(1'767'000'000'000 + seconds * 1000); }

inline Change change_named(const std::string& name) {
  Change change;
  change.key = {"dataset", name};
  change.action = Action::Create;
  change.after["name"] = Value(name);
  change.after["schema"] = Ref{"schema", "schema_id"};
  change.reason = "it does not exist yet";
  return change;
}

/// A snapshot of `relation` and the batch that proved it.
inline SnapshotRecord snapshot_of(const std::string& relation, std::int64_t generation) {
  return {.relation = relation,
          .content = "content-" + std::to_string(generation),
          .dataset = "dataset-1",
          .generation = generation,
          .batch = "batch-" + std::to_string(generation),
          .definition = "definition-1",
          .source = "export-1,export-2",
          .people = 1'000,
          .proven = at(generation)};
}

/// A command as the daemon writes it down.
inline AuditRecord audited(Time when, const std::string& user, const std::string& command) {
  AuditRecord record;
  record.at = when;
  record.uid = 1'000;
  record.user = user;
  record.command = command;
  record.answer = "admitted";
  return record;
}

inline BatchRecord batch_of(const SnapshotRecord& snapshot) {
  return {.batch = snapshot.batch,
          .dataset = snapshot.dataset,
          .relation = snapshot.relation,
          .generation = snapshot.generation,
          .records = 12,
          .proven = snapshot.proven};
}

}  // namespace audiencesync
