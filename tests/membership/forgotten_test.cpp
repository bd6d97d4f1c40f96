// People who were forgotten: their memberships end once, then nothing of the engine names them, whatever an export
// says.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "engine/base/json.h"
#include "engine/membership/delta.h"
#include "engine/membership/membership_files.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ExportRow in_audiences(std::string person, std::vector<std::string> audiences) {
  ExportRow row{std::move(person), {}};
  for (auto& id : audiences) row.memberships.push_back({"ups", std::move(id), "realized"});
  return row;
}

EncodeOptions generation(std::int64_t number) {
  EncodeOptions options;
  options.generation = number;
  return options;
}

TEST(ForgottenList, KnowsThoseOnItAndNamesNobody) {
  Forgotten list("secret");
  EXPECT_FALSE(list.contains("ann@x.example"));
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(list.add(fmt::format("p{}@x.example", i)));
  EXPECT_FALSE(list.add("p7@x.example")) << "was on it";

  const auto stored = to_json(list.to_value());
  const auto again = Forgotten::from_value(parse_json(stored).value());

  EXPECT_EQ(again.size(), 500U);
  EXPECT_EQ(again.digest(), list.digest());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(again.contains(fmt::format("p{}@x.example", i)), i < 500) << i;
  EXPECT_THAT(stored, Not(HasSubstr("x.example")));
  EXPECT_THAT(stored, Not(HasSubstr(sha256("p7@x.example").substr(0, 16)))) << "a hash without the key names people";
}

TEST(ForgottenList, LetsPeopleBack) {
  Forgotten list("secret");
  list.add("ann");
  list.add("bob");
  EXPECT_TRUE(list.lift("ann"));
  EXPECT_FALSE(list.lift("ann"));
  EXPECT_FALSE(list.contains("ann"));
  EXPECT_TRUE(list.contains("bob"));
  list.lift("bob");
  EXPECT_TRUE(list.to_value().is_null());
  EXPECT_EQ(list.digest(), "");
  EXPECT_TRUE(Forgotten::from_value(Value()).empty());
}

class ForgottenTest : public EngineTest {
 protected:
  ForgottenTest() { spec.forgotten = Forgotten("key"); }

  Digest everyone() {
    return snapshot_of({in_audiences("ann", {"A1", "A2"}), in_audiences("bob", {"A1"}), in_audiences("cid", {"A2"})});
  }
};

TEST_F(ForgottenTest, TheirMembershipsEndOnceAndTheSnapshotNamesThemNoMore) {
  const auto before = everyone();
  spec.forgotten.add("ann");
  spec.forgotten.add("nobody-has-heard-of");

  const auto bulk = compare({before, false});

  EXPECT_EQ(bulk.people, 1U);
  EXPECT_EQ(bulk.removed, 1U);
  EXPECT_EQ(bulk.records, 1U);
  EXPECT_EQ(bulk.forgotten, (ForgottenPeople{1, 2}));
  EXPECT_EQ(must(Bulk::from_value(bulk.to_value())), bulk);
  EXPECT_EQ(bulk.audiences[0].left, 1U);
  EXPECT_EQ(read_members(*engine, bulk.candidate), (Members{{"bob", {"A1"}}, {"cid", {"A2"}}}));
  const auto upload = must(engine->encode(spec, bulk, generation(2), folder.path() / "upload", {}));
  EXPECT_EQ(upload.candidate, bulk.candidate);
  const auto records = read_records(upload);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records.at("ann").find("_demo")->number("audienceMembershipCount"), 0);

  const auto next = compare({bulk.candidate, false});
  EXPECT_EQ(next.people, 0U) << "although the export has them";
  EXPECT_EQ(next.candidate, bulk.candidate);
  spec.forgotten.lift("ann");
  EXPECT_EQ(compare({bulk.candidate, false}).added, 1U) << "they agreed again";
}

TEST_F(ForgottenTest, WhoIsInNothingAlreadyLeavesTheSnapshotAsWell) {
  const auto first = everyone();
  source.rows = {in_audiences("bob", {"A1"}), in_audiences("cid", {"A2"})};
  const auto before = compare({first, false}).candidate;
  ASSERT_TRUE(read_members(*engine, before).contains("ann"));
  spec.forgotten.add("ann");

  const auto bulk = compare({before, false});

  EXPECT_EQ(bulk.forgotten, (ForgottenPeople{1, 0}));
  EXPECT_FALSE(read_members(*engine, bulk.candidate).contains("ann"));
}

TEST_F(ForgottenTest, NeitherAHeldAudienceNorARollbackNorARewriteKeepsThem) {
  const auto before = everyone();
  spec.forgotten.add("ann");
  spec.audiences[0].held = true;
  EXPECT_FALSE(read_members(*engine, compare({before, true}).candidate).contains("ann"));

  spec.audiences[0].held = false;
  const auto now = compare({before, false}).candidate;
  auto back = export_named("batch-2");
  back.restore = before;
  const auto restored = must(engine->compare(spec, back, {now, false}, {}));
  EXPECT_EQ(restored.people, 0U);
  EXPECT_FALSE(read_members(*engine, restored.candidate).contains("ann"));
}

TEST_F(ForgottenTest, WhoseLastRecordWasRejectedStaysAsProven) {
  const auto before = everyone();
  spec.forgotten.add("ann");
  spec.forgotten.add("cid");
  const auto bulk = compare({before, false});

  auto options = generation(2);
  options.leave_out = {PersonId("ann")};
  const auto upload = must(engine->encode(spec, bulk, options, folder.path() / "upload", {}));

  EXPECT_EQ(read_members(*engine, upload.candidate), (Members{{"ann", {"A1", "A2"}}, {"bob", {"A1"}}}));
  spec.quarantined = {PersonId("ann")};
  EXPECT_EQ(compare({upload.candidate, false}).people, 0U) << "or no run would ever converge";
  spec.quarantined.clear();
  EXPECT_EQ(compare({upload.candidate, false}).forgotten, (ForgottenPeople{1, 2})) << "replayed";
}

TEST_F(ForgottenTest, AHalfWrittenChangeKeepsThoseWhoseRecordsAreStillToCome) {
  const auto before = everyone();
  for (const auto* person : {"ann", "bob", "cid"}) spec.forgotten.add(person);
  const auto bulk = compare({before, false});
  ASSERT_EQ(bulk.people, 3U);

  auto options = generation(2);
  options.rows = {0, 2};
  const auto half = must(engine->encode(spec, bulk, options, folder.path() / "upload", {}));
  options.rows = {2, 3};
  const auto rest = must(engine->encode(spec, bulk, options, folder.path() / "upload", {}));

  EXPECT_EQ(read_members(*engine, half.candidate).size(), 1U);
  EXPECT_EQ(rest.candidate, bulk.candidate);
  EXPECT_EQ(read_members(*engine, rest.candidate), Members{});
}

TEST_F(ForgottenTest, TheStepBackFromTheirEndHasNothingOfThem) {
  const auto before = everyone();
  spec.forgotten.add("ann");
  source.rows[1].memberships.push_back({"ups", "A2", "realized"});
  const auto bulk = compare({before, false});

  DeltaRequest request{before, bulk.candidate, std::nullopt, spec.forgotten};
  const auto kept = must(engine->keep_delta(request, {}));
  request.rows = DeltaRequest::Rows{bulk.content, {}, {}};
  const auto by_rows = must(engine->keep_delta(request, {}));

  EXPECT_TRUE(kept.erased);
  EXPECT_TRUE(by_rows.erased);
  EXPECT_EQ(by_rows.digest, kept.digest);
  const auto past = must(engine->past({bulk.candidate, {kept.digest}, std::nullopt}));
  Members then;
  while (auto row = must(past->next())) then[row->person.reveal()] = row->audiences;
  EXPECT_EQ(then, (Members{{"bob", {"A1"}}, {"cid", {"A2"}}}));
  request.forgotten = {};
  EXPECT_FALSE(must(engine->keep_delta(request, {})).erased);
}

// Whoever is on the list is in no candidate, everyone else is as if the list were empty.
TEST_F(ForgottenTest, TheListChangesNothingForAnybodyElse) {
  std::mt19937 random(7);
  const auto people = [&] {
    std::vector<ExportRow> rows;
    for (int i = 0; i < 400; ++i) {
      ExportRow row{fmt::format("p{}", i), {}};
      for (const auto& audience : spec.audiences) {
        if (random() % 3 == 0) row.memberships.push_back({"ups", audience.id, "realized"});
      }
      if (random() % 4 != 0) rows.push_back(std::move(row));
    }
    return rows;
  };
  const auto before = snapshot_of(people());
  source.rows = people();
  const auto plain = read_members(*engine, compare({before, false}).candidate);
  const auto known = read_members(*engine, before);
  std::uint64_t listed = 0;
  for (int i = 0; i < 400; i += 3) {
    const auto person = fmt::format("p{}", i);
    spec.forgotten.add(person);
    if (known.contains(person)) ++listed;
  }

  const auto bulk = compare({before, false});

  auto wanted = plain;
  std::erase_if(wanted, [&](const auto& each) { return spec.forgotten.contains(each.first); });
  EXPECT_EQ(read_members(*engine, bulk.candidate), wanted);
  EXPECT_EQ(bulk.forgotten.people, listed);
}

}  // namespace
}  // namespace audiencesync::testing
