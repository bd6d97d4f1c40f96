// The past of a relation: whatever happened since, every snapshot that was ever current can be read again.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "engine/membership/delta.h"
#include "engine/membership/membership_files.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HistoryTest : public EngineTest {
 protected:
  /// A snapshot that was current, with what a reader of it saw then, and the delta from the one before.
  struct Step {
    Digest content;
    Digest delta;
    Members members;
  };

  Digest current() const { return steps.empty() ? Digest() : steps.back().content; }

  void commit(const Digest& candidate, std::optional<DeltaRequest::Rows> rows = {}) {
    Digest delta;
    if (!steps.empty()) {
      DeltaRequest request{current(), candidate, std::nullopt};
      delta = must(engine->keep_delta(request, {})).digest;
      // Told by its changeset, the same delta comes out without reading a snapshot.
      request.rows = rows;
      const auto by_rows = rows ? must(engine->keep_delta(request, {})).digest : delta;
      EXPECT_EQ(by_rows, delta) << "step " << steps.size();
    }
    steps.push_back({candidate, delta, read_members(*engine, candidate)});
  }

  /// Compares `rows` with what is current and commits everyone.
  void run(std::vector<ExportRow> rows, BaseRef base = {}) {
    source.rows = std::move(rows);
    const auto bulk = compare(base);
    const bool continues = bulk.base == current();
    commit(bulk.candidate, continues ? std::optional(DeltaRequest::Rows{bulk.content, {}, {}}) : std::nullopt);
  }
  void run_on(std::vector<ExportRow> rows) {
    run(std::move(rows), {steps.empty() ? std::nullopt : std::optional(current()), false});
  }

  PastRef way_to(std::size_t step) const {
    PastRef ref{current(), {}, steps[step].content};
    for (auto at = steps.size() - 1; at > step; --at) ref.deltas.push_back(steps[at].delta);
    return ref;
  }

  Members read_past(const PastRef& ref) {
    Members members;
    const auto reader = must(engine->past(ref));
    while (auto row = must(reader->next())) members[row->person.reveal()] = row->audiences;
    return members;
  }

  /// The error that reading ends with; Internal when there is none.
  ErrorCode fails(const PastRef& ref) {
    auto opened = engine->past(ref);
    if (!opened.ok()) return opened.error().code();
    while (true) {
      auto row = (*opened)->next();
      if (!row.ok()) return row.error().code();
      if (!*row) return ErrorCode::Internal;
    }
  }

  void expect_all_readable(const std::string& when) {
    for (std::size_t step = 0; step < steps.size(); ++step) {
      EXPECT_EQ(read_past(way_to(step)), steps[step].members) << when << ", as of step " << step;
    }
  }

  std::vector<Step> steps;
};

ExportRow member_of(std::string person, std::vector<std::string> audiences) {
  ExportRow row{std::move(person), {}};
  for (auto& id : audiences) row.memberships.push_back({"ups", std::move(id), "realized"});
  return row;
}

TEST_F(HistoryTest, WhoWasInWhatBeforeEachChange) {
  run_on({member_of("ann", {"A1"}), member_of("bob", {"A1", "A2"})});
  run_on({member_of("ann", {"A1", "A2"}), member_of("bob", {"A1", "A2"}), member_of("cid", {"A2"})});
  run_on({member_of("cid", {"A1"})});

  EXPECT_EQ(read_past(way_to(0)), (Members{{"ann", {"A1"}}, {"bob", {"A1", "A2"}}}));
  EXPECT_EQ(read_past(way_to(1)), (Members{{"ann", {"A1", "A2"}}, {"bob", {"A1", "A2"}}, {"cid", {"A2"}}}));
  EXPECT_EQ(read_past(way_to(2)), (Members{{"ann", {}}, {"bob", {}}, {"cid", {"A1"}}}));
}

TEST_F(HistoryTest, APastSnapshotSaysHowManyWereInEachAudienceUnderItsNameOfThen) {
  run_on({member_of("ann", {"A1"}), member_of("bob", {"A1"})});
  spec.audiences[0].name = "Azure";
  run_on({member_of("ann", {"A1"})});

  const auto past = must(engine->past(way_to(0)));

  ASSERT_EQ(past->audiences().size(), 2U);
  EXPECT_EQ(past->audiences()[0].name, "Blue");
  EXPECT_EQ(past->audiences()[0].people, 2U);
  EXPECT_EQ(past->audiences()[1].name, "Gold");
  EXPECT_EQ(past->audiences()[1].people, 0U);
}

TEST_F(HistoryTest, RecordsOfEveryShapeHaveAPastAlsoWhenTheShapeChanged) {
  for (const auto layout : {RecordLayout::Delimited, RecordLayout::Delimited, RecordLayout::Person,
                            RecordLayout::Membership, RecordLayout::Membership}) {
    spec.layout = layout;
    run_on({member_of("ann", {"A1", "A2"}), member_of(fmt::format("bob{}", steps.size()), {"A2"})});
  }
  spec.layout = RecordLayout::Person;
  spec.names = RecordNames::LookedUp;
  run_on({member_of("ann", {"A1"})});

  expect_all_readable("six shapes later");
  EXPECT_EQ(must(engine->recall(way_to(0), {})), steps[0].content) << "as it was named then";
  must(engine->check(steps[0].content));
}

TEST_F(HistoryTest, ARewriteOfEveryoneKeepsOnlyWhoReallyChanged) {
  std::vector<ExportRow> everyone;
  for (int i = 0; i < 500; ++i) everyone.push_back(member_of(fmt::format("p{}", i), {"A1"}));
  run_on(everyone);
  everyone.back().memberships[0].audience = "A2";
  run(everyone, {current(), true});

  const auto delta = must(DeltaReader::open(files, delta_path(engine_folder(), steps.back().delta)));
  EXPECT_EQ(delta->rows(), 1U);
  expect_all_readable("after a rewrite");
}

TEST_F(HistoryTest, ANewTargetThatStartsFromNothingForgetsWhoIsGoneWithoutATombstone) {
  run_on({member_of("ann", {"A1"}), member_of("bob", {"A2"})});
  run({member_of("bob", {"A1"})}, {});

  EXPECT_EQ(steps.back().members, (Members{{"bob", {"A1"}}}));
  expect_all_readable("after a new target");
}

TEST_F(HistoryTest, HalvesAndPeopleLeftOutAreStepsOfTheirOwn) {
  std::vector<ExportRow> before;
  for (int i = 0; i < 20; ++i) before.push_back(member_of(fmt::format("p{}", i), {"A1"}));
  run_on(before);
  for (auto& row : before) row.memberships[0].audience = "A2";
  source.rows = before;
  const auto bulk = compare({current(), false});

  std::set<PersonId> rejected;
  for (const auto& [first, last, out] :
       std::vector<std::tuple<int, int, const char*>>{{0, 7, "p3"}, {7, 12, "p11"}, {12, 20, "p19"}}) {
    rejected.insert(PersonId(out));
    const RowRange range{static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)};
    const auto upload = must(
        engine->encode(spec, bulk, {.generation = 1, .leave_out = rejected, .rows = range}, folder.path() / "up", {}));
    // Whoever is rejected is of this half or a later one, as an ingest finds them out.
    commit(upload.candidate);
  }
  expect_all_readable("after halves");
}

TEST_F(HistoryTest, ADamagedDeltaEndsTheReadingAndIsNeverTakenForLess) {
  run_on({member_of("ann", {"A1"}), member_of("bob", {"A2"})});
  run_on({member_of("ann", {"A2"}), member_of("bob", {"A1"}), member_of("cid", {"A1"})});
  run_on({member_of("ann", {"A1"})});
  const auto path = delta_path(engine_folder(), steps[1].delta);
  const auto whole = read_bytes(path);

  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    std::ofstream(path, std::ios::binary) << damaged;
    const auto code = fails(way_to(0));
    EXPECT_TRUE(code == ErrorCode::Corrupt || code == ErrorCode::Unsupported) << "byte " << at;
  }
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_EQ(fails(way_to(0)), ErrorCode::Corrupt) << "cut at " << size;
  }
  std::filesystem::remove(path);
  EXPECT_EQ(fails(way_to(0)), ErrorCode::NotFound);
  EXPECT_EQ(read_past(way_to(1)), steps[1].members) << "what does not need it is still there";
}

TEST_F(HistoryTest, TheDeltasOfAnotherWayAreNotBelieved) {
  run_on({member_of("ann", {"A1"})});
  run_on({member_of("ann", {"A2"})});
  run_on({member_of("bob", {"A2"})});
  auto ref = way_to(0);
  ref.deltas = {steps[2].delta};
  EXPECT_EQ(fails(ref), ErrorCode::Corrupt);
  ref.deltas = {};
  EXPECT_EQ(fails(ref), ErrorCode::Corrupt);
}

TEST_F(HistoryTest, APastSnapshotCanBecomeAFileAgain) {
  run_on({member_of("ann", {"A1"}), member_of("bob", {"A2"})});
  run_on({member_of("ann", {"A2"})});
  run_on({member_of("cid", {"A2"})});
  const auto before = read_bytes(snapshot_path(engine_folder(), steps[0].content));
  std::set<Digest> keep{current(), steps[1].delta, steps[2].delta};
  must(engine->clean(keep));
  ASSERT_FALSE(files.exists(snapshot_path(engine_folder(), steps[0].content)));

  EXPECT_EQ(must(engine->recall(way_to(0), {})), steps[0].content);

  EXPECT_EQ(read_members(*engine, steps[0].content), steps[0].members);
  must(engine->check(steps[0].content));
  must(engine->clean(keep));
  EXPECT_EQ(names_below(engine_folder()).size(), 3U) << "deltas that are named stay, the rest goes";
}

TEST_F(HistoryTest, ErasedPeopleAreInNoneOfItsFiles) {
  const std::string marker = "marker-of-somebody";
  run_on({member_of(marker, {"A1"}), member_of("bob", {"A2"})});
  run_on({member_of(marker, {"A2"}), member_of("bob", {"A1"})});
  run_on({member_of("bob", {"A2"})});
  Forgotten people("key");
  people.add(marker);
  auto ref = way_to(0);
  ref.expected.reset();

  for (auto& delta : ref.deltas) delta = must(engine->erase(delta, people, {}));

  EXPECT_EQ(must(engine->erase(ref.deltas[0], people, {})), ref.deltas[0]) << "erased before";
  const auto past = read_past(ref);
  EXPECT_EQ(past.at("bob"), std::vector<std::string>{"A2"});
  // Only the tombstone of the current snapshot is left: that one is for whoever commits the next.
  EXPECT_EQ(past.at(marker), std::vector<std::string>{});
  for (const auto& delta : ref.deltas) {
    const auto reader = must(DeltaReader::open(files, delta_path(engine_folder(), delta)));
    DeltaRow row;
    while (must(reader->next(row))) EXPECT_NE(row.person, marker);
  }
}

// Random lives of a sync: people come, go and return, audiences are renamed, added and withdrawn, everyone is written
// again, a new target begins, batches are halved. Every moment of it stays readable from every later one.
class HistoryOfRandomLives : public HistoryTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::vector<ExportRow> some_people() {
    std::vector<ExportRow> rows;
    const auto most = 1 + below(60);
    for (unsigned i = 0; i < most; ++i) {
      ExportRow row{fmt::format("{}-{}", below(2) == 0 ? "zoë" : "p", below(40)), {}};
      for (const auto& audience : spec.audiences) {
        if (below(3) == 0) row.memberships.push_back({"ups", audience.id, "realized"});
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void change_audiences() {
    const auto kind = below(10);
    if (kind == 0) spec.audiences[below(static_cast<unsigned>(spec.audiences.size()))].name += "'";
    if (kind == 1 && spec.audiences.size() < 6)
      spec.audiences.push_back(audience(fmt::format("B{}", below(1000)), "B"));
    if (kind == 2 && spec.audiences.size() > 1) spec.audiences.erase(spec.audiences.begin());
    if (kind == 3) spec.layout = static_cast<RecordLayout>(below(3));
    if (kind == 4) spec.names = static_cast<RecordNames>(below(2));
    for (auto& each : spec.audiences) each.held = below(12) == 0;
  }

  void live() {
    change_audiences();
    if (steps.empty() || below(10) == 0) return run(some_people(), {});
    const BaseRef base{current(), below(5) == 0};
    if (below(4) != 0) return run(some_people(), base);
    source.rows = some_people();
    const auto bulk = compare(base);
    const auto middle = below(static_cast<unsigned>(bulk.people) + 1);
    std::set<PersonId> rejected;
    bool skipped = false;
    for (const auto& range : {RowRange{0, middle}, RowRange{middle, bulk.people}}) {
      const auto upload = must(engine->encode(spec, bulk, {.generation = 1, .leave_out = rejected, .rows = range},
                                              folder.path() / "up", {}));
      // As the stage does it: what had nothing to send is part of the next candidate, and not of its rows.
      skipped = skipped || upload.records == 0;
      if (upload.records == 0) continue;
      commit(upload.candidate,
             skipped ? std::nullopt : std::optional(DeltaRequest::Rows{bulk.content, range, rejected}));
    }
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(HistoryOfRandomLives, IsReadableAtEveryMoment) {
  const auto generations = 2 + below(28);
  for (unsigned i = 0; i < generations; ++i) live();
  expect_all_readable(fmt::format("seed {}", GetParam()));

  // The same after a clean-up that keeps the deltas and the current snapshot only, and as files.
  std::set<Digest> keep{current()};
  for (const auto& step : steps) keep.insert(step.delta);
  must(engine->clean(keep));
  for (std::size_t step = 0; step < steps.size(); ++step) {
    EXPECT_EQ(must(engine->recall(way_to(step), {})), steps[step].content);
    EXPECT_EQ(read_members(*engine, steps[step].content), steps[step].members) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryOfRandomLives, ::testing::Range(1U, kSanitized ? 9U : 21U));

}  // namespace
}  // namespace audiencesync::testing
