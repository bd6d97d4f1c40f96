// Where the rows that cannot be used are, so that somebody can mend them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "tests/membership/duck.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class BadRowsPlacesTest : public EngineTest {
 protected:
  BadRowsPlacesTest() { spec.identity_field = "_demo.email"; }

  // Every sample as "file unit position reason masked".
  std::vector<std::string> samples(const std::vector<std::string>& names) {
    DuckdbPersonSource duckdb{{.work_folder = folder.path() / "work"}};
    FilePersonSource reader(files, duckdb);
    LocalMemberships memberships(files, reader, engine_folder());
    SourceRef ref{"s", [&](std::stop_token) -> Result<std::vector<Path>> {
                    std::vector<Path> paths;
                    for (const auto& name : names) paths.push_back(folder.path() / name);
                    return paths;
                  }};
    bulk = must(memberships.compare(spec, ref, {}, {}));
    std::vector<std::string> texts;
    for (const auto& sample : bulk.dropped.samples) {
      texts.push_back(
          fmt::format("{} {} {} {} {}", sample.file, sample.unit, sample.position, sample.reason, sample.person));
    }
    return texts;
  }

  static std::string row(const std::string& person) {
    return fmt::format(R"({{"_demo":{{"email":"{}"}},"segmentMembership":{{"ups":{{"A1":{{"status":"realized"}}}}}}}})"
                       "\n",
                       person);
  }

  Bulk bulk;
};

TEST_F(BadRowsPlacesTest, InJsonLinesTheyAreCountedInBytes) {
  const auto good = row("good@x.io");
  const auto long_id = "marker" + std::string(1100, 'x') + "@planted.example";
  std::string text = good + row("") + good + row(long_id) + "{\"_demo\":\n" + row("escap\\u0065d@x.io") + "{}\n";
  ASSERT_TRUE(files.write_atomic(folder.path() / "b.jsonl", text).ok());
  ASSERT_TRUE(files.write_atomic(folder.path() / "a.jsonl", good + "nonsense\n").ok());
  const auto second = good.size();
  const auto fourth = 2 * good.size() + row("").size();
  const auto fifth = fourth + row(long_id).size();
  const auto seventh = text.size() - 3;
  const auto found = samples({"b.jsonl", "a.jsonl"});
  ASSERT_THAT(found, SizeIs(5));
  EXPECT_EQ(found[0].find(fmt::format("a.jsonl byte {} ", good.size())), 0U) << found[0];
  EXPECT_EQ(found[1], fmt::format("b.jsonl byte {} no person id ", second));
  EXPECT_EQ(found[2], fmt::format("b.jsonl byte {} person id too long m***@p***.example", fourth));
  EXPECT_EQ(found[3].find(fmt::format("b.jsonl byte {} ", fifth)), 0U) << found[3];
  EXPECT_EQ(found[4], fmt::format("b.jsonl byte {} no person id ", seventh));
  EXPECT_EQ(bulk.dropped.total(), 5U);
}

TEST_F(BadRowsPlacesTest, InParquetTheyAreCountedInRows) {
  Duck duck;
  duck.write(fmt::format("SELECT {{'email': CASE WHEN i IN (3, 2050, 4999) THEN NULL WHEN i = 2100 THEN repeat('z', "
                         "2000) ELSE 'p' || i END}} AS _demo, NULL::{} AS \"segmentMembership\" FROM range(5000) t(i)",
                         kMembershipType),
             folder.path() / "p.parquet", ", ROW_GROUP_SIZE 2048");
  EXPECT_THAT(samples({"p.parquet"}),
              ElementsAre("p.parquet row 3 no person id ", "p.parquet row 2050 no person id ",
                          "p.parquet row 2100 person id too long zz***", "p.parquet row 4999 no person id "));
}

TEST_F(BadRowsPlacesTest, OnlyTheFirstAreKeptWhoeverReadsThem) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += row("");
  ASSERT_TRUE(files.write_atomic(folder.path() / "a.jsonl", text).ok());
  const auto found = samples({"a.jsonl"});
  ASSERT_THAT(found, SizeIs(kMostDroppedSamples));
  EXPECT_EQ(found.front(), "a.jsonl byte 0 no person id ");
  EXPECT_EQ(found.back(), fmt::format("a.jsonl byte {} no person id ", (kMostDroppedSamples - 1) * row("").size()));
  EXPECT_EQ(bulk.dropped.total(), 5000U);
  EXPECT_EQ(*Bulk::from_value(bulk.to_value()), bulk);
}

}  // namespace
}  // namespace audiencesync::testing
