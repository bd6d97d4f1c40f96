#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/membership/local_memberships.h"
#include "tests/membership/memory_source.h"
#include "tests/membership/sanitized.h"

namespace audiencesync::testing {

/// More than any test here needs without spilling. A sanitizer marks every byte of it, for every comparison.
inline constexpr MemoryBudget kAmpleMemory{kSanitized ? 16 << 20 : MemoryBudget().bytes};

/// A folder of its own, gone after the test.
class TestFolder {
 public:
  TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder();
  const Path& path() const { return path_; }

 private:
  Path path_;
};

/// A snapshot as a test sees it: person -> audience ids; an empty set is a tombstone.
using Members = std::map<std::string, std::vector<std::string>>;

/// Takes the value of a Result, or fails the test with the error's text.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    throw std::runtime_error(result.error().text());
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).take();
}

/// Everyone of a snapshot.
Members read_members(Memberships& memberships, const Digest& snapshot);
/// The records of an upload, parsed, by person.
std::map<std::string, Value> read_records(const Upload& upload);
std::string read_bytes(const Path& path);
/// Names in a folder, its sub-folders included, sorted.
std::vector<std::string> names_below(const Path& folder);

SourceRef export_named(std::string id);
RelationAudience audience(std::string id, std::string name);
/// Two audiences, A1 "Blue" and A2 "Gold", of tenant _demo.
RelationSpec simple_spec();

/// One engine on a memory source in a folder of its own.
class EngineTest : public ::testing::Test {
 protected:
  PosixFiles files;
  MemorySource source;
  TestFolder folder;
  RelationSpec spec = simple_spec();
  std::unique_ptr<LocalMemberships> engine =
      std::make_unique<LocalMemberships>(files, source, folder.path() / "memberships", kAmpleMemory);

  Path engine_folder() const { return folder.path() / "memberships"; }
  Bulk compare(const BaseRef& base = {}) { return must(engine->compare(spec, export_named("batch-1"), base, {})); }
  /// Compares and takes the candidate as the next base.
  Digest snapshot_of(std::vector<ExportRow> rows) {
    source.rows = std::move(rows);
    return compare().candidate;
  }
};

}  // namespace audiencesync::testing
