#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/base/json.h"
#include "engine/membership/bytes.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

/// docs/formats, checked by code that shares nothing with the engine's but the hash function.
class FormatTest : public EngineTest {
 protected:
  struct Person {
    std::string id;
    std::vector<std::pair<std::string, std::string>> audiences;
  };

  static std::string varint(std::uint64_t number) {
    std::string out;
    for (; number >= 128; number /= 128) out += static_cast<char>(number % 128 + 128);
    return out + static_cast<char>(number);
  }
  static std::string text(const std::string& value) { return varint(value.size()) + value; }
  static std::string raw_sha256(const std::string& bytes) {
    Sha256 hash;
    hash.add(bytes);
    std::string out;
    for (const auto byte : hash.finish_bytes()) out += static_cast<char>(byte);
    return out;
  }

  // The content of a snapshot as snapshot.md tells it.
  static Digest documented_content(const std::vector<Person>& people) {
    std::map<std::pair<std::uint64_t, std::string>, const Person*> sorted;
    for (const auto& person : people) sorted[{person_hash(person.id), person.id}] = &person;
    std::string all = "audiencesync snapshot 1\n";
    for (unsigned section = 0; section < 256; ++section) {
      std::string bytes;
      std::vector<std::pair<std::string, std::string>> seen;
      for (const auto& [key, person] : sorted) {
        if (key.first >> 56U != section) continue;
        bytes += text(person->id) + varint(person->audiences.size());
        for (const auto& one : person->audiences) {
          auto at = std::find(seen.begin(), seen.end(), one);
          if (at == seen.end()) at = seen.insert(seen.end(), one);
          bytes += varint(static_cast<std::uint64_t>(at - seen.begin()) + 1);
        }
      }
      if (bytes.empty()) continue;
      bytes += varint(0) + varint(seen.size());
      for (const auto& [id, name] : seen) bytes += text(id) + text(name);
      all += static_cast<char>(section) + raw_sha256(bytes);
    }
    return sha256(all);
  }
};

TEST_F(FormatTest, ContentIsWhatThePageSays) {
  std::vector<Person> people;
  source.rows.clear();
  for (int i = 0; i < 700; ++i) {
    Person person{fmt::format("person-{}", i), {}};
    ExportRow row{person.id, {}};
    if (i % 2 == 0) person.audiences.emplace_back("A1", "Blue");
    if (i % 3 == 0) person.audiences.emplace_back("A2", "Gold");
    for (const auto& [id, name] : person.audiences) row.memberships.push_back({"ups", id, "realized"});
    source.rows.push_back(std::move(row));
    if (!person.audiences.empty()) people.push_back(std::move(person));
  }
  const auto base = compare().candidate;
  EXPECT_EQ(base, documented_content(people));

  // Somebody leaves: their row stays, as a tombstone.
  std::erase_if(source.rows, [](const auto& row) { return row.person == "person-6"; });
  for (auto& person : people) {
    if (person.id == "person-6") person.audiences.clear();
  }
  EXPECT_EQ(compare({base}).candidate, documented_content(people));
}

TEST_F(FormatTest, AnEmptyChangesetHasTheDocumentedContent) {
  source.rows = {{"nobody", {}}};
  EXPECT_EQ(compare().content, "2e409adc55d95091c3af8630e02d3af9a86db54e7a21b0792310e879ab342e98");
}

TEST_F(FormatTest, LiesOnTheDiskAsThePageSays) {
  source.rows = {{"a", {{"ups", "A1", "realized"}}}, {"b", {{"ups", "A2", "realized"}}}};
  const auto bulk = compare();
  const auto bytes = read_bytes(snapshot_path(engine_folder(), bulk.candidate));
  EXPECT_EQ(bytes.substr(0, 8),
            "\x89"
            "ASM\r\n\x1A\n");
  EXPECT_EQ(get_fixed<std::uint32_t>(bytes.data() + 8), 1U);
  EXPECT_EQ(get_fixed<std::uint32_t>(bytes.data() + 12), 1U);
  const auto json_size = get_fixed<std::uint32_t>(bytes.data() + 16);
  const auto head = must(parse_json(std::string_view(bytes).substr(20, json_size)));
  EXPECT_EQ(head.text("relation"), spec.relation);
  EXPECT_EQ(head.text("source"), "batch-1");
  EXPECT_EQ(head.text("definition"), spec.definition());

  const char* trailer = bytes.data() + bytes.size() - 64;
  EXPECT_EQ(bytes.substr(bytes.size() - 8), "ASM.end\n");
  const auto foot = get_fixed<std::uint64_t>(trailer);
  ASSERT_EQ(get_fixed<std::uint64_t>(trailer + 8), 1U) << "one block";
  const auto foot_json = get_fixed<std::uint64_t>(trailer + 16);
  EXPECT_EQ(get_fixed<std::uint64_t>(trailer + 24), 2U) << "two rows";
  EXPECT_EQ(foot + 32 + foot_json + 64, bytes.size());
  const auto about = must(parse_json(std::string_view(bytes).substr(foot + 32, foot_json)));
  EXPECT_EQ(to_json(about), R"({"dictionary":[{"id":"A1","index":0,"name":"Blue","people":1},)"
                            R"({"id":"A2","index":1,"name":"Gold","people":1}],"rows":2,"tombstones":0})");
  EXPECT_EQ(get_fixed<std::uint64_t>(bytes.data() + foot), 20U + json_size + 8) << "the block follows the head";
  EXPECT_EQ(get_fixed<std::uint64_t>(bytes.data() + foot + 16), std::min(person_hash("a"), person_hash("b")));
}

// Written by the first release: every later one must read it.
TEST_F(FormatTest, ReadsAFileOfVersionOne) {
  const std::string hex =
      "8941534d0d0a1a0a0100000001000000f90000007b2262617365223a22343831313563646539323236393031376431396364"
      "30623364356536613831636134646538313939613938326531356231326562646531613634373466386465222c2264617461"
      "736574223a2236366630633066666565222c22646566696e6974696f6e223a22376664313534623430346462616639356563"
      "36316333383437383536626331326139393538646138383063636630396666353164343261616239646331316539222c2270"
      "6572736f6e5f68617368223a22787868332d3634222c2272656c6174696f6e223a226c756d612f616e616c7974696373222c"
      "22736f75726365223a2262617463682d32227def0b9d8de0e2ccc5450000004a00000003000000000000008c0225f53565e9"
      "49a1ce47c9ab8582d128b52ffd204ae5010024030010676f6e65406578616d706c652e6f726700b09bded2e6f0d782160f61"
      "6461020000beecbff8b2e894df110f626f62010102007e720bcdcd27150100000000000045000000030000008c0225f53565"
      "e949a1ce47c9ab8582d17b2264696374696f6e617279223a5b7b226964223a224131222c22696e646578223a302c226e616d"
      "65223a22426c7565222c2270656f706c65223a317d2c7b226964223a224132222c22696e646578223a312c226e616d65223a"
      "22476f6c64222c2270656f706c65223a327d5d2c22726f7773223a332c22746f6d6273746f6e6573223a317d7a0100000000"
      "0000010000000000000086000000000000000300000000000000ef0b9d8de0e2ccc5334413ca210ea02e02fe7e49b01855ba"
      "41534d2e656e640a";
  const Digest content = "b06601deb8978a06710e438b6b14dbadff1012aec62975cd8ee7726c59de7668";
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  std::filesystem::create_directories(engine_folder());
  std::ofstream(snapshot_path(engine_folder(), content), std::ios::binary) << bytes;
  must(engine->check(content));
  EXPECT_EQ(read_members(*engine, content),
            (Members{{"ada@example.org", {"A1", "A2"}}, {"bob@example.org", {"A2"}}, {"gone@example.org", {}}}));
}

}  // namespace
}  // namespace audiencesync::testing
