#include "engine/membership/run_file.h"

#include <fmt/format.h>

#include <fstream>
#include <random>

#include "engine/membership/person_rule.h"
#include "engine/membership/row_gather.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using People = std::vector<std::string>;

// Ids as they occur, and some that only look like them.
People ids_of_all_kinds() {
  People ids{"",
             "@",
             "a@",
             "anna@x.io",
             "anna@b@x.io",
             std::string("nul\0l@x.io", 10),
             "0",
             "00000000",
             "12345678901234567890123456789012345678",
             "123456789",
             "deadbeefdeadbeef",
             "DEADBEEF00112233",
             "0123456789abcdeg0",
             "0123456789:;<=>?0",
             "0123456g",
             "f47ac10b-58cc-4372-a567-0e02b2c3d479",
             "f47ac10b-58cc-4372-a567-0e02b2c3d47g",
             "f47ac10b058cc-4372-a567-0e02b2c3d479",
             "F47AC10B-58CC-4372-A567-0E02B2C3D479",
             "0\xFF\xFE\x80\x90\xA0\xB0\xC0\xD0" + std::string("0"),
             "łódź@żółć.pl",
             std::string(1024, 'x'),
             std::string(1024, '7'),
             std::string(1000, 'y') + "@example.org",
             "z@" + std::string(61, 'h'),
             "z@" + std::string(62, 'h')};
  std::mt19937_64 random(11);
  // More endings than are learned.
  for (int i = 0; i < 400; ++i) ids.push_back(fmt::format("p{}@host{}.example", i, i));
  for (int i = 0; i < 400; ++i) {
    std::string id;
    const auto size = random() % 70;
    const std::string_view letters = i % 2 == 0 ? "0123456789abcdef" : "0123456789abcdef-@.gA";
    for (std::size_t at = 0; at < size; ++at) id += letters[random() % letters.size()];
    ids.push_back(id);
  }
  return ids;
}

std::string packed(PersonCodec& codec, const std::string& person) {
  std::string out(person.size() + PersonCodec::kMostOverhead + PersonCodec::kPadding, '\xEE');
  const auto size = static_cast<std::size_t>(codec.put(out.data(), person) - out.data());
  EXPECT_LE(size, person.size() + PersonCodec::kMostOverhead);
  out.resize(size);
  return out;
}

// What `get` makes of bytes, with room for as many; nullopt when it refuses them.
std::optional<std::string> unpacked(const PersonCodec& codec, const std::string& bytes, std::size_t room,
                                    std::size_t* used = nullptr) {
  const auto padded = bytes + std::string(PersonCodec::kPadding, '\0');
  std::string out(room + PersonCodec::kPadding, '\0');
  const char* from = padded.data();
  const auto size = codec.get(from, padded.data() + bytes.size(), out.data(), room);
  if (size == PersonCodec::kBad) return std::nullopt;
  EXPECT_LE(size, room);
  if (used != nullptr) *used = static_cast<std::size_t>(from - padded.data());
  out.resize(size);
  return out;
}

TEST(PersonCodec, GivesBackWhatWasPut) {
  PersonCodec codec;
  const auto ids = ids_of_all_kinds();
  People stored;
  for (const auto& id : ids) stored.push_back(packed(codec, id));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::size_t used = 0;
    ASSERT_EQ(unpacked(codec, stored[i], ids[i].size(), &used), ids[i]);
    EXPECT_EQ(used, stored[i].size());
    // Neither more room than there is, nor bytes that are not there.
    if (!ids[i].empty()) {
      EXPECT_EQ(unpacked(codec, stored[i], ids[i].size() - 1), std::nullopt) << ids[i];
    }
    EXPECT_EQ(unpacked(codec, stored[i].substr(0, stored[i].size() - 1), ids[i].size()), std::nullopt) << ids[i];
  }
}

TEST(PersonCodec, PacksWhatIdsUsuallyAre) {
  PersonCodec codec;
  EXPECT_EQ(packed(codec, "anna.almeida7@mail.example.org").size(), 1 + 1 + 13U);
  EXPECT_EQ(packed(codec, "f47ac10b-58cc-4372-a567-0e02b2c3d479").size(), 1 + 16U);
  EXPECT_EQ(packed(codec, "12345678901234567890123456789012345678").size(), 2 + 20U);
  EXPECT_EQ(packed(codec, "crm:anna").size(), 1 + 8U);
}

TEST(PersonCodec, DamagedBytesAreRefusedOrGiveSomethingWithinTheRoom) {
  PersonCodec codec;
  std::mt19937_64 random(3);
  for (const auto& id : ids_of_all_kinds()) {
    auto bytes = packed(codec, id);
    for (int i = 0; i < 20; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
      unpacked(codec, bytes, random() % 1'100);
    }
  }
}

class RunFileTest : public EngineTest {
 public:
  Path path() const { return folder.path() / "run"; }

  struct Row {
    std::uint64_t hash = 0;
    std::string person;
    Ranks audiences;
    bool operator<(const Row& other) const { return std::tie(hash, person) < std::tie(other.hash, other.person); }
    bool operator==(const Row&) const = default;
  };

  static std::vector<Row> rows_of(const People& people, std::size_t dictionary) {
    std::vector<Row> rows;
    std::mt19937_64 random(7);
    for (const auto& person : people) {
      Row row{person_hash(person), person, {}};
      for (std::size_t rank = 0; rank < dictionary; ++rank) {
        if (random() % dictionary < 3) row.audiences.push_back(static_cast<Rank>(rank));
      }
      rows.push_back(std::move(row));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  std::unique_ptr<RunFile> write(const std::vector<Row>& rows, const RunShape& shape) {
    auto file = must(RunFile::create(files, path(), shape));
    file->begin_run(rows.size());
    for (const auto& row : rows) {
      DesiredRow desired;
      desired.hash = row.hash;
      desired.person = row.person;
      desired.audiences = row.audiences;
      must(file->add(desired));
    }
    must(file->end_run());
    must(file->seal());
    return file;
  }

  static Result<std::vector<Row>> read(const RunFile& file, const HashRange& range = {}) {
    RunScratch scratch;
    std::vector<RunCursor> runs;
    for (const auto& run : file.runs()) runs.emplace_back(file, run, range, scratch);
    RowGather all({}, std::move(runs), scratch);
    std::vector<Row> rows;
    auto found = TRY(all.advance());
    while (found) {
      rows.push_back({all.row().hash, std::string(all.row().person), all.row().audiences});
      found = TRY(all.advance());
    }
    return rows;
  }
};

TEST_F(RunFileTest, RowsComeBackWhateverTheShape) {
  auto people = ids_of_all_kinds();
  std::erase(people, "");
  std::sort(people.begin(), people.end());
  people.erase(std::unique(people.begin(), people.end()), people.end());
  for (const std::size_t dictionary : {1U, 5U, 8U, 9U, 63U, 64U, 65U, 4'000U}) {
    const auto rows = rows_of(people, dictionary);
    for (const std::size_t block : {1U, 3'000U, 1U << 20U}) {
      for (const bool written : {false, true}) {
        const auto file = write(rows, {block, dictionary, written ? nullptr : person_hash});
        EXPECT_EQ(must(read(*file)), rows) << dictionary << " audiences, blocks of " << block;
        const HashRange part{rows[100].hash, rows[300].hash};
        EXPECT_EQ(must(read(*file, part)), std::vector<Row>(rows.begin() + 100, rows.begin() + 301));
      }
    }
  }
}

// What PersonCodec can do nothing for goes through zstd.
TEST_F(RunFileTest, FilesAreSmallerThanTheirIds) {
  People emails;
  People others;
  for (int i = 0; i < 20'000; ++i) {
    emails.push_back(fmt::format("anna.almeida{}@mail.example.org", i));
    others.push_back(fmt::format("customers/of/the/year/2024/{}", i));
  }
  for (const auto* people : {&emails, &others}) {
    std::size_t bytes = 0;
    for (const auto& person : *people) bytes += person.size();
    const auto rows = rows_of(*people, 5);
    const auto file = write(rows, {48 << 10, 5, person_hash});
    EXPECT_LT(must(files.size(path())), bytes * 2 / 3) << people->front();
    EXPECT_EQ(must(read(*file)), rows);
  }
}

TEST_F(RunFileTest, EveryDamagedByteIsNoticed) {
  People people;
  for (int i = 0; i < 40; ++i) people.push_back(fmt::format("customers/of/the/year/2024/{}", i));
  const auto file = write(rows_of(people, 5), {600, 5, person_hash});
  const auto whole = must(files.read(path()));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(path(), std::ios::binary) << damaged;
    const auto got = read(*file);
    ASSERT_FALSE(got.ok()) << "byte " << at;
    EXPECT_EQ(got.error().code(), ErrorCode::Corrupt);
  }
  std::ofstream(path(), std::ios::binary) << whole.substr(0, whole.size() - 1);
  EXPECT_FALSE(read(*file).ok()) << "cut off";
  std::ofstream(path(), std::ios::binary) << whole;
  EXPECT_TRUE(read(*file).ok());
}

// All rows have one hash, so neither blocks nor limits part them but their ids do.
TEST_F(RunFileTest, CollidingRowsOfManyRunsAreOneSortedStream) {
  const auto one_hash = [](std::string_view) { return std::uint64_t{9}; };
  auto file = must(RunFile::create(files, path(), {200, 5, one_hash}));
  std::vector<Row> expected;
  for (int i = 0; i < 600; ++i) expected.push_back({9, fmt::format("person-{:03}", i), {}});
  for (int run = 0; run < 7; ++run) {
    file->begin_run(0);
    for (int i = 0; i < 600; ++i) {
      if (i % 7 != run && i % 3 != run) continue;  // some are in two runs
      DesiredRow row;
      row.hash = 9;
      row.person = expected[static_cast<std::size_t>(i)].person;
      row.audiences = {static_cast<Rank>(run % 5)};
      must(file->add(row));
      auto& set = expected[static_cast<std::size_t>(i)].audiences;
      if (std::find(set.begin(), set.end(), row.audiences[0]) == set.end()) set.push_back(row.audiences[0]);
      std::sort(set.begin(), set.end());
    }
    must(file->end_run());
  }
  must(file->seal());
  EXPECT_EQ(must(read(*file)), expected);
}

}  // namespace
}  // namespace audiencesync::testing
