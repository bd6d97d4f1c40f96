// How records get into the platform: as Parquet, in several batches, no faster than allowed, and through every death.
#include <random>

#include "tests/spine/layout_bench.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

constexpr int kKilled = 137;
constexpr int kNotFinished = 5;

void limit(World& world, const std::string& limits) {
  auto text = read_file(world.emulator().config());
  write_file(world.emulator().config(), text + "limits: { " + limits + " }\n");
}

/// Rows of a dataset, without what tells one generation from another.
std::multiset<std::string> rows(LayoutBench& bench) {
  std::multiset<std::string> rows;
  std::istringstream lines(bench.emulator.control_text("GET", "/_emulator/datasets/" + bench.world.target() + "/rows"));
  for (std::string line; std::getline(lines, line);) {
    auto row = parse_json(line).value();
    row.object_if()->erase("_batch");
    row.object_if()->erase("_created");
    rows.insert(to_json(row));
  }
  return rows;
}

class UploadFormats : public ::testing::TestWithParam<const char*> {};

TEST_P(UploadFormats, ParquetArrivesAsJsonDoes) {
  std::multiset<std::string> arrived[2];
  for (const bool parquet : {false, true}) {
    LayoutBench bench;
    bench.declare(GetParam(), std::string("accept_one_row_per_person: true") + (parquet ? ", upload: parquet" : ""));
    limit(bench.world, "upload_file: 20KB");
    bench.begin();
    EXPECT_EQ(bench.world.difference(), "");
    bench.emulator.evolve(0.3, 7);
    bench.apply();
    if (std::string(GetParam()) != "membership") {
      EXPECT_EQ(bench.world.difference(), "");
    }
    arrived[parquet ? 1 : 0] = rows(bench);
  }
  EXPECT_EQ(arrived[0], arrived[1]);
  EXPECT_GT(arrived[0].size(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Layouts, UploadFormats, ::testing::Values("person", "membership", "delimited"),
                         [](const auto& each) { return std::string(each.param); });

class Rejections : public ::testing::TestWithParam<const char*> {};

TEST_P(Rejections, OfAParquetUploadNameThePerson) {
  LayoutBench bench;
  bench.declare(GetParam(), "upload: parquet, accept_one_row_per_person: true");
  const auto members = bench.emulator.truth(bench.world.declared.front().id);
  ASSERT_FALSE(members.empty());
  const auto person = *members.begin();
  bench.emulator.control_text("PUT", "/_emulator/ingestion",
                              to_json(Value::Object{{"reject_person", Value::Array{person}}}));
  const auto run = bench.world.seamed_apply("count");
  EXPECT_EQ(run.code, 3) << run.out << run.err;
  const auto there = members_by_audience(bench.emulator, bench.world.target());
  std::size_t people = 0;
  for (const auto& audience : bench.world.declared) {
    for (const auto& member : bench.emulator.truth(audience.id)) {
      const auto found = there.find(audience.id);
      const bool arrived = found != there.end() && found->second.contains(member);
      EXPECT_EQ(arrived, member != person);
      people += arrived ? 1 : 0;
    }
  }
  EXPECT_GT(people, 50U);
  EXPECT_EQ((run.out + run.err).find(person), std::string::npos) << "not the id";
}

INSTANTIATE_TEST_SUITE_P(Layouts, Rejections, ::testing::Values("person", "membership", "delimited"),
                         [](const auto& each) { return std::string(each.param); });

TEST(Pace, ALargeGenerationTakesItsHoursAndSyncsShareThem) {
  LayoutBench bench;
  limit(bench.world, "ingest_per_hour: 12KB");
  bench.declare("person");
  const auto plan = bench.world.seamed({"plan", "--fresh"}, "count");
  expect_told(plan, 0, {"of what may be ingested in an hour", "batches over at least"});

  int runs = 1;
  auto run = bench.world.seamed_apply("count");
  expect_told(run, kNotFinished, {"would pass limits.ingest_per_hour (12 kB); run again after 20"});
  EXPECT_EQ(bench.live_batches(), 1U);
  bench.emulator.clear_calls();
  EXPECT_EQ(bench.world.seamed_apply("count").code, kNotFinished) << "the hour is not over";
  EXPECT_TRUE(bench.batches_opened().empty());
  for (; run.code == kNotFinished && runs < 20; ++runs) {
    bench.pass("61m");
    run = bench.world.seamed_apply("count");
  }
  EXPECT_EQ(run.code, 3) << run.out << run.err;
  EXPECT_GT(runs, 2);
  EXPECT_EQ(bench.live_batches(), static_cast<std::size_t>(runs)) << "each hour sent one";
  EXPECT_EQ(bench.world.difference(), "");
  EXPECT_EQ(bench.world.leftovers(), "");
}

struct Shape {
  const char* name;
  const char* target;
  const char* limits;
};

/// A small world with this shape; one run is behind it, and people have changed since.
std::unique_ptr<World> world_of(const Shape& shape) {
  auto world = std::make_unique<World>(Emulator::Options{.profiles = 60, .audiences = 4, .seed = 11, .record = ""});
  world->extra = fmt::format("target: {{ {} }}\n", shape.target);
  limit(*world, shape.limits);
  const auto first = world->seamed_apply("count");
  if (first.code != 0) throw std::runtime_error("the first run failed: " + first.out + first.err);
  world->emulator().evolve(0.3, 5);
  world->declared.front().name = "Another name";
  return world;
}

/// With older generations gone, as they are when analysts have the newest.
std::string end_state(World& world) {
  for (int round = 0; round < 2; ++round) {
    world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"4h"})");
    if (const auto run = world.seamed_apply("count"); run.code != 0)
      return fmt::format("a later run ended {}: {}{}", run.code, run.out, run.err);
  }
  if (auto wrong = world.difference(); !wrong.empty()) return wrong;
  return world.leftovers();
}

std::string survive(const Shape& shape, const std::vector<int>& at) {
  const auto world = world_of(shape);
  for (const int place : at) {
    const auto killed = world->seamed_apply(fmt::format("kill@{}", place));
    if (killed.code != kKilled && killed.code != 0)
      return fmt::format("killed at {}: ended {}: {}\n", fmt::join(at, ","), killed.code, killed.err);
  }
  const auto resumed = world->seamed_apply("count");
  if (resumed.code != 0)
    return fmt::format("killed at {}: the next run ended {}: {}{}\n", fmt::join(at, ","), resumed.code, resumed.out,
                       resumed.err);
  auto wrong = end_state(*world);
  return wrong.empty() ? "" : fmt::format("killed at {}: {}\n", fmt::join(at, ","), wrong);
}

class KilledShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(KilledShapes, EndAsTheUndisturbedRunDoes) {
  const int step = number_from_environment("AUDIENCESYNC_KILL_STEP", 4);
  const auto undisturbed = world_of(GetParam());
  const auto count = undisturbed->folder() / "count";
  ASSERT_EQ(undisturbed->seamed_apply("count", count).code, 0);
  EXPECT_EQ(end_state(*undisturbed), "");
  const int last = std::stoi(read_file(count));
  ASSERT_GT(last, 30);
  std::cout << last << " places, every " << step << ". is tried\n";
  std::mt19937 random(3);
  std::vector<std::vector<int>> all;
  for (int place = 1; place <= last; place += step) all.push_back({place});
  for (int pair = 0; pair < 6; ++pair)
    all.push_back({1 + static_cast<int>(random() % static_cast<unsigned>(last)),
                   1 + static_cast<int>(random() % static_cast<unsigned>(last))});
  std::string findings;
  for (const auto& finding : in_parallel(static_cast<int>(all.size()), [&](int number) {
         return survive(GetParam(), all[static_cast<std::size_t>(number)]);
       }))
    findings += finding;
  EXPECT_EQ(findings, "");
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, KilledShapes,
    ::testing::Values(Shape{"membership", "layout: membership, accept_one_row_per_person: true", "batch: 4KB"},
                      Shape{"delimited_parquet", "layout: delimited, upload: parquet", "upload_file: 4KB"},
                      Shape{"names", "name_lookup: true", "batch: 3KB"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace audiencesync::testing
