#include <fmt/format.h>

#include <climits>
#include <filesystem>

#include "tests/membership/failing_files.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

constexpr MemoryBudget kSpilling{40'000};

class DurabilityTest : public ::testing::TestWithParam<FailingFiles::Fails> {
 protected:
  RelationSpec spec = simple_spec();
  MemorySource source;
  PosixFiles disk;
  TestFolder reference_folder;
  Digest base;
  Bulk expected;
  Upload upload;
  EncodeOptions options;

  void SetUp() override {
    LocalMemberships engine(disk, source, reference_folder.path(), kSpilling);
    people(0, 900);
    base = must(engine.compare(spec, export_named("b"), {}, {})).candidate;
    people(100, 1000);
    expected = must(engine.compare(spec, export_named("b"), {base}, {}));
    options.generation = 7;
    options.largest_part = 20'000;
    options.leave_out = {PersonId("person-950@example.org")};
    upload = must(engine.encode(spec, expected, options, reference_folder.path() / "upload", {}));
    ASSERT_GT(upload.parts.size(), 1U);
  }

  void people(int first, int last) {
    source.rows.clear();
    for (int i = first; i < last; ++i) {
      source.rows.push_back({fmt::format("person-{}@example.org", i), {{"ups", i % 3 == 0 ? "A1" : "A2", "realized"}}});
    }
  }

  // A folder with the base snapshot and nothing else.
  void begin(const Path& folder) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(reference_folder.path() / ("snapshot-" + base), folder / ("snapshot-" + base));
  }

  // After whatever happened, what claims to be whole is right, and doing it again gives the same.
  void expect_recovery(const Path& folder) {
    LocalMemberships engine(disk, source, folder, kSpilling);
    if (engine.holds(expected)) must(engine.check(expected.candidate));
    for (const auto& name : must(disk.list(folder))) {
      if (name.starts_with("snapshot-")) must(engine.check(name.substr(9)));
    }
    const auto again = must(engine.compare(spec, export_named("b"), {base}, {}));
    EXPECT_EQ(again, expected);
    EXPECT_TRUE(engine.holds(again));
    const auto encoded = must(engine.encode(spec, again, options, folder / "upload", {}));
    EXPECT_EQ(encoded.candidate, upload.candidate);
    ASSERT_EQ(encoded.parts.size(), upload.parts.size());
    for (std::size_t i = 0; i < encoded.parts.size(); ++i) {
      EXPECT_EQ(read_bytes(encoded.parts[i].path), read_bytes(upload.parts[i].path));
    }
  }
};

// Compare and encode with the disk failing at every single change to it.
TEST_P(DurabilityTest, AFailureAtAnyWriteLeavesNothingWrong) {
  int at = 1;
  for (bool finished = false; !finished; ++at) {
    SCOPED_TRACE(fmt::format("failing at change {}", at));
    ASSERT_LT(at, 1000);
    const TestFolder folder;
    const auto memberships = folder.path() / "memberships";
    begin(memberships);
    {
      FailingFiles files(GetParam(), at);
      LocalMemberships engine(files, source, memberships, kSpilling);
      const auto bulk = engine.compare(spec, export_named("b"), {base}, {});
      if (bulk.ok()) {
        EXPECT_EQ(*bulk, expected);
        const auto encoded = engine.encode(spec, *bulk, options, memberships / "upload", {});
        finished = encoded.ok();
        if (!finished && GetParam() == FailingFiles::Fails::Full) {
          EXPECT_EQ(encoded.error().code(), ErrorCode::NoSpace) << encoded.error().text();
          EXPECT_TRUE(names_below(memberships / "upload").empty());
        }
      } else if (GetParam() == FailingFiles::Fails::Full) {
        EXPECT_EQ(bulk.error().code(), ErrorCode::NoSpace) << bulk.error().text();
      }
      if (GetParam() == FailingFiles::Fails::Full) {
        EXPECT_TRUE(names_below(memberships / "tmp").empty());
      }
    }
    expect_recovery(memberships);
  }
  EXPECT_GT(at, 30) << "spills, candidate, changeset, parts and the second candidate were all written";
}

INSTANTIATE_TEST_SUITE_P(Disks, DurabilityTest, ::testing::Values(FailingFiles::Fails::Full, FailingFiles::Fails::Dead),
                         [](const auto& row) { return row.param == FailingFiles::Fails::Full ? "full" : "dead"; });

}  // namespace
}  // namespace audiencesync::testing
