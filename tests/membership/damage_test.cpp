#include <fmt/format.h>

#include <fstream>

#include "engine/membership/changeset.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/row_codec.h"
#include "engine/membership/snapshot.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class DamageTest : public EngineTest {
 protected:
  static void put(const Path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

  // Every way to use the damaged snapshot says Corrupt.
  void expect_corrupt_snapshot(const Digest& digest, const std::string& what) {
    const auto checked = engine->check(digest);
    ASSERT_FALSE(checked.ok()) << what;
    EXPECT_EQ(checked.error().code(), ErrorCode::Corrupt) << what << ": " << checked.error().text();
    const auto compared = engine->compare(spec, export_named("b"), {digest}, {});
    ASSERT_FALSE(compared.ok()) << what;
    EXPECT_EQ(compared.error().code(), ErrorCode::Corrupt) << what;
  }

  void people(int count) {
    source.rows.clear();
    for (int i = 0; i < count; ++i) {
      source.rows.push_back({fmt::format("person-{}@example.org", i),
                             {{"ups", i % 3 == 0 ? "A1" : "A2", i % 11 == 0 ? "exited" : "realized"}}});
    }
  }
};

TEST_F(DamageTest, EveryFlippedByteAndEveryTruncationOfASnapshotIsFound) {
  people(40);
  const auto digest = compare().candidate;
  const auto path = snapshot_path(engine_folder(), digest);
  const auto whole = read_bytes(path);
  // The plain build has every byte; here a third of them, from all over the file.
  const std::size_t step = kSanitized ? 3 : 1;
  for (std::size_t at = 0; at < whole.size(); at += step) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (at % 2 == 0 ? 0x01 : 0x80));
    put(path, damaged);
    expect_corrupt_snapshot(digest, fmt::format("byte {} of {} flipped", at, whole.size()));
    put(path, whole.substr(0, at));
    expect_corrupt_snapshot(digest, fmt::format("cut to {} of {} bytes", at, whole.size()));
  }
  put(path, whole + '\0');
  expect_corrupt_snapshot(digest, "a byte too many");
  put(path, whole + whole);
  expect_corrupt_snapshot(digest, "twice");
  put(path, whole);
  must(engine->check(digest));
}

TEST_F(DamageTest, ABlockTakenOutOrMovedIsFound) {
  people(30'000);
  const auto digest = compare().candidate;
  const auto path = snapshot_path(engine_folder(), digest);
  const auto whole = read_bytes(path);
  ASSERT_GT(whole.size(), 300'000U) << "several blocks";
  for (std::size_t at = 11; at + 1000 < whole.size(); at += whole.size() / (kSanitized ? 10 : 30)) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    put(path, damaged);
    expect_corrupt_snapshot(digest, fmt::format("byte {} inverted", at));
    put(path, whole.substr(0, at) + whole.substr(at + 1000));
    expect_corrupt_snapshot(digest, fmt::format("1000 bytes at {} missing", at));
  }
}

// Found by the fuzz target changeset_rows.
TEST(RowCodecTest, AGapThatLeadsBackIsDamage) {
  const std::vector<std::uint32_t> table{0, 1, 2, 3};
  std::vector<Rank> set;
  for (const std::uint64_t back : {1U, 2U, 3U}) {
    std::string bytes;
    put_varint(bytes, 2);
    put_varint(bytes, 2);
    put_varint(bytes, 0 - back);
    ByteCursor cursor(bytes);
    EXPECT_FALSE(get_set(cursor, table, set)) << back;
  }
  std::string bytes;
  put_set(bytes, std::vector<Rank>{0, 3});
  ByteCursor cursor(bytes);
  EXPECT_TRUE(get_set(cursor, table, set));
  EXPECT_EQ(set, (std::vector<Rank>{0, 3}));
}

TEST_F(DamageTest, ADamagedChangesetIsNotHeldAndNotEncoded) {
  people(40);
  const auto bulk = compare();
  const auto path = changeset_path(engine_folder(), bulk.content);
  const auto whole = read_bytes(path);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    put(path, damaged);
    EXPECT_FALSE(engine->holds(bulk)) << at;
    const auto upload = engine->encode(spec, bulk, EncodeOptions(), folder.path() / "upload", {});
    ASSERT_FALSE(upload.ok()) << at;
    EXPECT_EQ(upload.error().code(), ErrorCode::Corrupt);
    EXPECT_TRUE(names_below(folder.path() / "upload").empty());
  }
  put(path, whole);
  EXPECT_TRUE(engine->holds(bulk));
  put(snapshot_path(engine_folder(), bulk.candidate), "");
  EXPECT_FALSE(engine->holds(bulk));
}

TEST_F(DamageTest, AFileOfTheOtherKindOrOfANewerVersionIsRefused) {
  people(3);
  const auto bulk = compare();
  const auto changes = read_bytes(changeset_path(engine_folder(), bulk.content));
  put(snapshot_path(engine_folder(), bulk.candidate), changes);
  expect_corrupt_snapshot(bulk.candidate, "a changeset under a snapshot's name");

  // The newer version with a sound checksum of its head.
  auto newer = changes;
  newer[8] = 2;
  const auto json_size = static_cast<unsigned char>(newer[16]) + 256U * static_cast<unsigned char>(newer[17]);
  const auto head_size = 20 + json_size;
  std::string checksum;
  put_fixed(checksum, block_checksum(std::string_view(newer).substr(0, head_size)));
  newer.replace(head_size, 8, checksum);
  put(changeset_path(engine_folder(), bulk.content), newer);
  const auto opened = ChangesetReader::open(files, changeset_path(engine_folder(), bulk.content));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::Unsupported) << opened.error().text();
}

TEST_F(DamageTest, ASoundSnapshotUnderAWrongNameFailsItsCheck) {
  people(3);
  const auto first = compare().candidate;
  people(4);
  const auto second = compare().candidate;
  put(snapshot_path(engine_folder(), first), read_bytes(snapshot_path(engine_folder(), second)));
  const auto checked = engine->check(first);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code(), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace audiencesync::testing
