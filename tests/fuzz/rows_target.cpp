// Snapshot and changeset files. As they are, checksums stop nearly every mutation; so the rows are fuzzed by themselves
// too, inside of a file whose checksums are right: what a writer with an error, or an attacker, would leave.
#include <fmt/format.h>

#include "bench/pieces/memory_files.h"
#include "engine/base/json.h"
#include "engine/membership/bytes.h"
#include "engine/membership/changeset.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/snapshot.h"
#include "tests/fuzz/target.h"

namespace audiencesync::testing {
namespace {

template <class T>
T sound(Result<T> result) {
  fuzz_expect(result.ok(), "a sound file can be written");
  if constexpr (!std::is_void_v<T>) return std::move(result).take();
}

/// What a reader gives must be in its order, and speak of its dictionary only.
class RowCheck {
 public:
  explicit RowCheck(std::size_t audiences) : audiences_(audiences) {}

  void row(std::uint64_t hash, std::string_view person) {
    fuzz_expect(!person.empty(), "everybody has a name");
    fuzz_expect(count_ == 0 || hash > hash_ || (hash == hash_ && person > person_), "rows are in order");
    hash_ = hash;
    person_ = person;
    ++count_;
  }
  void set(const Ranks& ranks) const {
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      fuzz_expect(ranks[i] < audiences_, "an audience is in the dictionary");
      fuzz_expect(i == 0 || ranks[i - 1] < ranks[i], "a set is sorted, and names nobody twice");
    }
  }
  std::uint64_t count() const { return count_; }

 private:
  std::size_t audiences_;
  std::uint64_t hash_ = 0;
  std::string person_;
  std::uint64_t count_ = 0;
};

void read_snapshot(const Files& files, const Path& path) {
  auto opened = SnapshotReader::open(files, path);
  if (!opened.ok()) return;
  auto& reader = **opened;
  for (const auto& range : {HashRange(), HashRange::section(0), HashRange::section(0x61)}) {
    reader.seek(range);
    RowCheck check(reader.dictionary().size());
    SnapshotRow row;
    auto found = reader.next(row);
    for (; found.ok() && *found; found = reader.next(row)) {
      fuzz_expect(row.hash >= range.first && row.hash <= range.last, "rows are of the range that was asked for");
      check.row(row.hash, row.person);
      check.set(row.audiences);
    }
    fuzz_expect(check.count() <= reader.rows(), "there are no more rows than the file says");
  }
}

void read_changeset(const Files& files, const Path& path) {
  auto opened = ChangesetReader::open(files, path);
  if (!opened.ok()) return;
  auto& reader = **opened;
  RowCheck check(reader.dictionary().size());
  ChangesetRow row;
  auto found = reader.next(row);
  for (; found.ok() && *found; found = reader.next(row)) {
    check.row(row.hash, row.person);
    check.set(row.before);
    check.set(row.after);
  }
  fuzz_expect(check.count() <= reader.rows(), "there are no more rows than the file says");
}

// The bytes: how many rows, how many bytes of JSON for the foot (0: the usual one), those, then rows.
void write_with_rows(bench::MemoryFiles& files, std::string_view bytes, BlockKind kind) {
  const auto take = [&](std::size_t count) {
    const auto some = bytes.substr(0, count);
    bytes.remove_prefix(some.size());
    return some;
  };
  const auto number = [&] {
    const auto one = take(1);
    return one.empty() ? 0U : static_cast<unsigned char>(one.front());
  };
  const auto rows = number();
  const auto foot_size = number();
  Value foot = sound(parse_json(R"({"dictionary":[{"id":"A1","name":"Blue","index":0,"people":2},)"
                                R"({"id":"A2","name":"Gold","index":3,"people":1}],"rows":3,"tombstones":1})"));
  if (foot_size > 0) {
    auto given = parse_json(take(foot_size));
    if (given.ok()) foot = std::move(given).take();
  }
  auto file = sound(TempFile::create(files, "tmp/file"));
  auto writer = sound(BlockWriter::create(std::move(file), kind, RowFileHead().to_value()));
  BlockCompressor compressor;
  BlockPacker packer(compressor);
  if (rows > 0) {
    for (unsigned i = 0; i + 1 < rows; ++i) packer.begin(0x6162636465666768);
    auto& raw = packer.begin(0x6162636465666768);
    // What the packer put there counts as part of no row.
    raw = bytes;
    sound(packer.cut());
    sound(writer->append(packer));
  }
  sound(writer->finish(foot));
  sound(writer->publish("file"));
}

}  // namespace

void fuzz_snapshot_rows(std::string_view bytes) {
  bench::MemoryFiles files;
  write_with_rows(files, bytes, BlockKind::Snapshot);
  read_snapshot(files, "file");
}

void fuzz_changeset_rows(std::string_view bytes) {
  bench::MemoryFiles files;
  write_with_rows(files, bytes, BlockKind::Changeset);
  read_changeset(files, "file");
}

std::vector<std::string> row_seeds() {
  std::vector<std::string> seeds;
  for (const bool changes : {false, true}) {
    std::string rows{'\3', '\0'};
    for (const char* const person : {"anna", "bela", "carla"}) {
      put_varint(rows, person[0] == 'a' ? 0 : 300);
      put_text(rows, person);
      if (changes) put_varint(rows, 1);
      for (int set = 0; set < (changes ? 2 : 1); ++set) {
        put_varint(rows, 2);
        put_varint(rows, 0);
        put_varint(rows, 2);  // two indices skipped: 3
      }
    }
    seeds.push_back(rows);
  }
  const std::string foot = R"({"dictionary":[{"id":"A1","name":"B","index":1,"people":1}],"rows":1})";
  std::string own{'\1', static_cast<char>(foot.size())};
  own += foot;
  put_varint(own, 0);
  put_text(own, "anna");
  put_varint(own, 1);
  put_varint(own, 1);
  seeds.push_back(own);
  return seeds;
}

void fuzz_snapshot_file(std::string_view bytes) {
  bench::MemoryFiles files;
  files.content["file"] = std::string(bytes);
  read_snapshot(files, "file");
  read_changeset(files, "file");
}

std::vector<std::string> snapshot_file_seeds() {
  bench::MemoryFiles files;
  std::vector<std::string> seeds;
  for (const auto& rows : row_seeds()) {
    for (const auto kind : {BlockKind::Snapshot, BlockKind::Changeset}) {
      write_with_rows(files, rows, kind);
      seeds.push_back(files.content["file"]);
    }
  }
  return seeds;
}

}  // namespace audiencesync::testing
