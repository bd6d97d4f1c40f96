#include <sys/stat.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

class EncodeTest : public EngineTest {
 protected:
  Path upload_folder = folder.path() / "upload";

  Upload encode(const Bulk& bulk, const EncodeOptions& options) {
    return must(engine->encode(spec, bulk, options, upload_folder, {}));
  }

  static EncodeOptions generation(std::int64_t number) {
    EncodeOptions options;
    options.generation = number;
    return options;
  }

  // People p00..p09, all in A1.
  void ten_people() {
    source.rows.clear();
    for (int i = 0; i < 10; ++i) source.rows.push_back({fmt::format("p{:02}", i), {{"ups", "A1", "realized"}}});
  }
};

TEST_F(EncodeTest, WritesTheDocumentedBytes) {
  spec.audiences = {audience("b", "Gold \"24\""), audience("B", "Größe\n"), audience("a", "Blue+")};
  const auto base = snapshot_of({{"gone@x.io", {{"ups", "a", "realized"}}}});
  source.rows = {{"o'neil \"x\"@y.io", {{"ups", "b", "realized"}, {"ups", "a", "existing"}, {"ups", "B", "realized"}}}};
  const auto bulk = compare({base});

  const auto upload = encode(bulk, generation(42));

  ASSERT_EQ(upload.parts.size(), 1U);
  EXPECT_EQ(upload.parts[0].name, "part-00000.jsonl");
  EXPECT_EQ(upload.parts[0].records, 2U);
  const auto bytes = read_bytes(upload.parts[0].path);
  EXPECT_EQ(upload.parts[0].bytes, bytes.size());
  const std::string full = R"({"_id":")" + sha256("luma\x1Fo'neil \"x\"@y.io") +
                           R"(","personID":"o'neil \"x\"@y.io","_demo":{"audienceMembership":[)"
                           R"({"audienceMembershipId":"B","audienceMembershipName":"Größe\n"},)"
                           R"({"audienceMembershipId":"a","audienceMembershipName":"Blue+"},)"
                           R"({"audienceMembershipId":"b","audienceMembershipName":"Gold \"24\""}],)"
                           R"("audienceMembershipCount":3,"audienceSyncGeneration":42}})"
                           "\n";
  // printf 'luma\x1fgone@x.io' | sha256sum
  const std::string tombstone =
      R"({"_id":"GONE","personID":"gone@x.io","_demo":{"audienceMembership":[],"audienceMembershipCount":0,)"
      R"("audienceSyncGeneration":42}})"
      "\n";
  auto expected = tombstone;
  expected.replace(expected.find("GONE"), 4,
                   sha256("luma\x1F"
                          "gone@x.io"));
  EXPECT_TRUE(bytes == full + expected || bytes == expected + full) << bytes;
}

TEST_F(EncodeTest, SplitsBetweenLinesBelowTheLimit) {
  ten_people();
  const auto bulk = compare();
  const auto whole = encode(bulk, generation(1));
  ASSERT_EQ(whole.parts.size(), 1U);
  const auto text = read_bytes(whole.parts[0].path);
  const auto line = text.find('\n') + 1;

  auto options = generation(1);
  options.largest_part = 3 * line + 1;
  const auto parts = encode(bulk, options);
  ASSERT_EQ(parts.parts.size(), 4U);
  std::string joined;
  for (const auto& part : parts.parts) {
    EXPECT_LT(part.bytes, options.largest_part);
    EXPECT_EQ(part.bytes, std::filesystem::file_size(part.path));
    joined += read_bytes(part.path);
    struct stat about {};
    ASSERT_EQ(::stat(part.path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(parts.parts[3].name, "part-00003.jsonl");

  // A new attempt leaves nothing of the one before.
  encode(bulk, generation(1));
  EXPECT_EQ(names_below(upload_folder), (std::vector<std::string>{"part-00000.jsonl"}));

  options.largest_part = line;
  const auto refused = engine->encode(spec, bulk, options, upload_folder, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::Invalid);
  EXPECT_TRUE(names_below(upload_folder).empty());
}

TEST_F(EncodeTest, PeopleLeftOutKeepTheirOldEntry) {
  ten_people();
  const auto base = compare().candidate;
  source.rows[0].memberships[0].audience = "A2";  // p00 changes
  source.rows[1].memberships[0].audience = "A2";  // p01 too
  source.rows.push_back({"new", {{"ups", "A1", "realized"}}});
  source.rows.push_back({"other", {{"ups", "A1", "realized"}}});
  const auto bulk = compare({base});
  ASSERT_EQ(bulk.people, 4U);

  auto options = generation(2);
  options.leave_out = {PersonId("p01"), PersonId("new"), PersonId("p05"), PersonId("never seen")};
  const auto upload = encode(bulk, options);

  EXPECT_EQ(upload.records, 2U);
  EXPECT_NE(upload.candidate, bulk.candidate);
  must(engine->check(upload.candidate));
  auto expected = read_members(*engine, bulk.candidate);
  expected["p01"] = {"A1"};
  expected.erase("new");
  EXPECT_EQ(read_members(*engine, upload.candidate), expected);
  EXPECT_EQ(read_records(upload).count("p00"), 1U);
  EXPECT_EQ(read_records(upload).count("other"), 1U);

  // The next comparison has exactly them left to do.
  EXPECT_EQ(compare({upload.candidate}).people, 2U);

  options.leave_out = {PersonId("p00"), PersonId("p01"), PersonId("new"), PersonId("other")};
  const auto nobody = encode(bulk, options);
  EXPECT_TRUE(nobody.parts.empty());
  EXPECT_EQ(nobody.records, 0U);
  EXPECT_EQ(nobody.candidate, base) << "nothing changed, so the content is that of the base";
}

TEST_F(EncodeTest, OldNamesStayWithPeopleWhoseRecordWasNotWritten) {
  ten_people();
  const auto base = compare().candidate;
  spec.audiences[0].name = "Blue renamed";
  const auto bulk = compare({base});
  EXPECT_EQ(bulk.people, 10U);
  EXPECT_EQ(bulk.audiences[0].entered, 0U);
  auto options = generation(2);
  options.leave_out = {PersonId("p03")};
  const auto upload = encode(bulk, options);
  EXPECT_EQ(upload.records, 9U);

  const auto next = compare({upload.candidate});
  EXPECT_EQ(next.people, 1U) << "only p03 still has the old name in the dataset";
  EXPECT_EQ(must(engine->sample(next, 5)).at(0).person, PersonId("p03"));
}

TEST_F(EncodeTest, RowsAreHalvedWithoutLosingAnybody) {
  ten_people();
  const auto bulk = compare();
  std::vector<std::string> order;
  for (const auto& row : must(engine->sample(bulk, 100))) order.push_back(row.person.reveal());

  auto options = generation(1);
  options.rows = {0, 4};
  const auto first = encode(bulk, options);
  options.rows = {4, UINT64_MAX};
  const auto second = encode(bulk, options);

  EXPECT_EQ(first.records, 4U);
  EXPECT_EQ(second.records, 6U);
  Members landed;
  for (std::size_t i = 0; i < 4; ++i) landed[order[i]] = {"A1"};
  EXPECT_EQ(read_members(*engine, first.candidate), landed);
  EXPECT_EQ(second.candidate, bulk.candidate);
  EXPECT_EQ(read_records(second).count(order[4]), 1U);
}

TEST_F(EncodeTest, SaysWhenTheFilesAreGoneOrOthers) {
  ten_people();
  const auto bulk = compare();
  auto foreign = bulk;
  foreign.content = std::string(64, '0');
  const auto gone = engine->encode(spec, foreign, generation(1), upload_folder, {});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code(), ErrorCode::NotFound);
  EXPECT_FALSE(engine->holds(foreign));

  std::filesystem::copy_file(engine_folder() / ("changes-" + bulk.content),
                             engine_folder() / ("changes-" + foreign.content));
  const auto other = engine->encode(spec, foreign, generation(1), upload_folder, {});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::Corrupt) << "a sound file under a wrong name";
  EXPECT_FALSE(engine->holds(foreign));
  EXPECT_TRUE(names_below(upload_folder).empty());
}

}  // namespace
}  // namespace audiencesync::testing
