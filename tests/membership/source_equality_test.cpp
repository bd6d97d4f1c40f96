#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "engine/base/json.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "tests/membership/compress.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

std::uint64_t world_seeds() {
  const char* const wanted = std::getenv("AUDIENCESYNC_SEEDS");
  if (wanted != nullptr) return std::strtoull(wanted, nullptr, 10);
  return kSanitized ? 16 : 40;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// One export as JSON lines, the same rows whatever format they are then written in.
class ExportWorld {
 public:
  explicit ExportWorld(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }

  std::vector<std::string> lines(std::size_t people) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < people; ++i) out.push_back(line(below(people)));
    return out;
  }

 private:
  std::string line(std::size_t person) {
    static constexpr const char* kShapes[] = {"p{}@x.io", "P{}@X.io", " größe-{}", "\"{}\\", "\U0001F600{}"};
    auto text = chance(5) ? "null" : json_text(fmt::format(fmt::runtime(kShapes[person % 5]), person));
    if (chance(2)) text = json_text(std::string(1025 + below(10), 'x'));
    if (chance(2)) text = "\"\"";
    return fmt::format(R"({{"_demo":{{"email":{}}},"segmentMembership":{}}})", text, chance(10) ? "null" : spaces());
  }

  std::string spaces() {
    std::string out;
    for (const char* space : {"ups", "UPS", "aam"}) {
      if (!chance(50)) continue;
      out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_text(space), chance(5) ? "null" : audiences());
    }
    return "{" + out + "}";
  }

  std::string audiences() {
    static constexpr const char* kMemberships[] = {
        R"({"status":"realized","lastQualificationTime":"2024-05-01T02:11:09Z"})",
        R"({"status":"existing","lastQualificationTime":null})",
        R"({"status":"exited","lastQualificationTime":"2024-05-01T02:11:09Z"})",
        R"({"status":"Realized","lastQualificationTime":null})",
        R"({"status":"strange","lastQualificationTime":null})",
        R"({"status":null,"lastQualificationTime":null})",
        R"({"lastQualificationTime":null,"status":"entered"})",
        "null"};
    std::string out;
    for (int i = 0; i < 12; ++i) {
      if (!chance(35)) continue;
      out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_text(fmt::format("id-ü-{}", i)),
                         kMemberships[chance(50) ? 0 : below(8)]);
    }
    return "{" + out + "}";
  }

  std::mt19937_64 random_;
};

class SourceEqualityTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  PosixFiles files;
  TestFolder folder;
  Duck duck;
  DuckdbPersonSource duckdb{{.work_folder = folder.path() / "work"}};
  FilePersonSource source{files, duckdb};
  RelationSpec spec = simple_spec();
  int engines = 0;

  struct Answer {
    Bulk bulk;
    Bulk after;
  };
  /// Two generations through an engine of its own.
  Answer compare(PersonSource& from, const std::vector<Path>& first, const std::vector<Path>& second,
                 std::size_t budget) {
    LocalMemberships engine(files, from, folder.path() / fmt::format("engine-{}", engines++), {budget});
    const auto ref = [](const std::vector<Path>& paths) {
      return SourceRef{"batch", [paths](std::stop_token) -> Result<std::vector<Path>> { return paths; }};
    };
    Answer answer;
    answer.bulk = must(engine.compare(spec, ref(first), {}, {}));
    answer.after = must(engine.compare(spec, ref(second), {answer.bulk.candidate}, {}));
    must(engine.check(answer.after.candidate));
    EXPECT_TRUE(engine.holds(answer.after));
    // Where a bad row is differs from format to format.
    answer.bulk.dropped.samples.clear();
    answer.after.dropped.samples.clear();
    return answer;
  }

  std::vector<Path> as_lines(const std::string& name, const std::vector<std::string>& lines, std::size_t parts,
                             const std::function<std::string(const std::string&)>& packed) {
    std::vector<Path> paths;
    for (std::size_t part = 0; part < parts; ++part) {
      std::string text;
      for (auto i = lines.size() * part / parts; i < lines.size() * (part + 1) / parts; ++i) text += lines[i] + "\n";
      paths.push_back(folder.path() / fmt::format("{}-{}", name, part));
      put_file(paths.back(), packed(text));
    }
    return paths;
  }

  std::vector<Path> as_parquet(const std::string& name, const std::vector<Path>& json, const std::string& options) {
    const auto path = folder.path() / (name + ".parquet");
    std::string list;
    for (const auto& one : json) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", one.string());
    duck.write(fmt::format("SELECT * FROM read_json([{}], format = 'newline_delimited', columns = {{'_demo': "
                           "'STRUCT(email VARCHAR)', 'segmentMembership': 'MAP(VARCHAR, MAP(VARCHAR, STRUCT(status "
                           "VARCHAR, \"lastQualificationTime\" TIMESTAMP)))'}})",
                           list),
               path, options);
    return {path};
  }
};

// One world, every format, every reader, any budget: the same digests and the same counts.
TEST_P(SourceEqualityTest, EveryFormatGivesTheSameAnswer) {
  ExportWorld world(GetParam());
  spec.identity_field = "_demo.email";
  spec.person = static_cast<PersonRule>(world.below(4));
  spec.audiences.clear();
  for (int i = 0; i < 9; ++i) {
    if (world.chance(70)) spec.audiences.push_back(audience(fmt::format("id-ü-{}", i), fmt::format("Name {}", i)));
  }
  const auto people = 1 + world.below(world.chance(20) ? 3000 : 200);
  const auto first = world.lines(people);
  const auto second = world.lines(people);
  const auto plain = [](const std::string& text) { return text; };
  const auto array = [](const std::string& text) {
    std::string out = "[" + text;
    for (std::size_t at = 0; (at = out.find("}\n{", at)) != std::string::npos; at += 3) out.replace(at, 2, "},");
    return out + "]";
  };

  const auto first_lines = as_lines("first", first, 3, plain);
  const auto second_lines = as_lines("second", second, 3, plain);
  const auto first_parquet = as_parquet("first", first_lines, ", ROW_GROUP_SIZE 2048, COMPRESSION snappy");
  const auto second_parquet = as_parquet("second", second_lines, ", COMPRESSION zstd");
  const auto expected = compare(duckdb, first_parquet, second_parquet, 64 << 20);
  EXPECT_EQ(expected.bulk.dropped.read, first.size());

  const auto expect_same = [&](const std::vector<Path>& one, const std::vector<Path>& two, std::size_t budget) {
    const auto got = compare(source, one, two, budget);
    EXPECT_EQ(got.bulk, expected.bulk);
    EXPECT_EQ(got.after, expected.after);
  };
  const std::size_t budget = world.chance(50) ? 20'000 : kAmpleMemory.bytes;
  {
    SCOPED_TRACE("Parquet");
    expect_same(first_parquet, second_parquet, budget);
  }
  {
    SCOPED_TRACE("JSON lines, and Parquet after them");
    expect_same(first_lines, second_lines, budget);
    expect_same(first_lines, second_parquet, budget);
  }
  {
    SCOPED_TRACE("gzip and zstd");
    expect_same(as_lines("gz-1", first, 2, gzip), as_lines("zst-2", second, 4, zstd), budget);
  }
  {
    SCOPED_TRACE("arrays");
    expect_same(as_lines("array-1", first, 2, array),
                as_lines("array-2", second, 1, [&](const std::string& text) { return gzip(array(text)); }), budget);
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, SourceEqualityTest, ::testing::Range<std::uint64_t>(0, world_seeds()));

// Large enough for the parallel passes: more rows than one part may have, in several runs.
using LargeSourceTest = SourceEqualityTest;
TEST_P(LargeSourceTest, LargeInputsAreCutAndSpilledAndStillTheSame) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  for (int i = 0; i < 90'000; ++i) {
    const auto line = [&](int salt) {
      return fmt::format(
          R"({{"_demo":{{"email":"p{}@x.io"}},"segmentMembership":{{"ups":{{"A{}":{{"status":"realized"}}}}}}}})",
          i * 7919 % 80'000, 1 + (i + salt) % 2);
    };
    first.push_back(line(0));
    second.push_back(line(i % 100 == 0 ? 1 : 0));
  }
  spec.identity_field = "_demo.email";
  const auto plain = [](const std::string& text) { return text; };
  const auto one = as_lines("one", first, 4, plain);
  const auto two = as_lines("two", second, 4, plain);
  const auto in_memory = compare(source, one, two, 64 << 20);
  const auto spilled = compare(source, one, two, 1 << 20);
  EXPECT_EQ(in_memory.bulk.people, 80'000U);
  EXPECT_EQ(spilled.bulk, in_memory.bulk);
  EXPECT_EQ(spilled.after, in_memory.after);
  EXPECT_GT(in_memory.after.people, 0U);
  EXPECT_LT(in_memory.after.people, 1'000U);
  const auto name = "changes-" + in_memory.bulk.content;
  EXPECT_TRUE(read_bytes(folder.path() / "engine-0" / name) == read_bytes(folder.path() / "engine-1" / name));
}

INSTANTIATE_TEST_SUITE_P(Once, LargeSourceTest, ::testing::Values(0));

}  // namespace
}  // namespace audiencesync::testing
