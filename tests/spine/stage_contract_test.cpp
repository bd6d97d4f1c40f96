// What every stage promises (engine/plugin/stage.h), asked of each stage of the program's registry: observing is pure,
// applying is repeatable, a plan after it is empty, and a process that dies at any durable write leaves nothing that
// the next one does not finish. A stage that joins the registry is asked too, and fails here until this suite is told
// how to give it something to do.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>

#include "daemon/session.h"
#include "engine/base/json.h"
#include "engine/reconcile/logged_context.h"
#include "engine/reconcile/pass.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/schema_registry.h"
#include "plugins/schema/field_group.h"
#include "tests/spine/stage_contract_life.h"
#include "tests/spine/stage_contract_texts.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

using ::testing::IsEmpty;

enum class Upto { Before, Including };
/// Whether syncs can be told apart by their uid, so that one platform serves for many runs.
enum class Platform { Shared, Fresh };
/// Whether lives end in this situation, or only in another one that has the same changes and more.
enum class Deaths { Here, Elsewhere };

/// A situation in which a stage has something to do.
///
/// The engine that compares is one as well: what a stage promises, it promises with each of them.
struct Condition {
  std::string name;
  std::vector<std::string> expects;       // changes, as "create dataset/target"; the name may be only a beginning
  std::function<void(World&)> provoke{};  // none: the stage has never run; else it has converged before
  std::function<void(World&)> prepare{};  // before the stage ever runs
  Platform platform = Platform::Shared;
  Deaths deaths = Deaths::Here;
  Analysts analysts = Analysts::Absent;
  Engine engine = Engine::Local;
};

Registry stages_up_to(const std::string& name, Upto upto) {
  std::vector<StageDescriptor> list;
  auto registry = program_stages();
  for (const auto& stage : registry.value().stages()) {
    if (stage.name == name && upto == Upto::Before) break;
    list.push_back(stage);
    if (stage.name == name) break;
  }
  return Registry::of(std::move(list)).take();
}

/// Nothing is left that the program could do.
bool is_done(const RunResult& result) {
  if (result.verdict == Verdict::Converged) return true;
  return result.verdict == Verdict::Waiting && result.plan.only_for_people();
}

void must_converge(World& world, const Registry& stages, Refresh refresh) {
  const auto result = Life(world).run(stages, refresh);
  if (result.error) throw std::runtime_error(result.error->text());
  if (!is_done(result)) throw std::runtime_error(to_string(result.verdict));
}

void evolve(World& world) {
  static int seed = 100;
  world.emulator().evolve(0.2, ++seed);
}

template <class T>
T made(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().text());
  return std::move(result).take();
}

/// What an earlier version would have left: a field group with fewer fields, and a schema that does not use it yet.
void make_older_schema(World& world) {
  Life life(world);
  auto group = field_group_body(world.emulator().tenant());
  auto properties = tenant_properties(group, world.emulator().tenant());
  auto text = to_json(group);
  const auto count = text.find("\"audienceMembershipCount\"");
  ASSERT_NE(count, std::string::npos);
  auto fewer = *properties.properties.object_if();
  fewer.erase("audienceMembershipCount");
  const auto whole = to_json(properties.properties);
  const auto at = text.find(whole);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, whole.size(), to_json(Value(fewer)));
  made(platform::registry_create(life.writer(), platform::RegistryKind::FieldGroups, parse_json(text).value()));
  auto schema = schema_body("Email", "unused");
  Value::Array parts;
  for (const auto& part : schema.items("allOf")) {
    if (part.text("$ref") != "unused") parts.push_back(part);
  }
  schema["allOf"] = std::move(parts);
  made(platform::registry_create(life.writer(), platform::RegistryKind::Schemas, schema));
}

/// What a process leaves that died between opening a batch and writing that down, in a log that was lost.
void leave_a_batch_open(World& world) {
  Life life(world);
  platform::NewBatch batch;
  batch.dataset = world.target();
  batch.external_id = "audiencesync-" + world.uid + "-lost-1";
  batch.tags["audiencesync"] = {"uid:" + world.uid, "role:target", "state:" + life.services().state_id};
  made(platform::create_batch(life.writer(), batch));
}

void lose_the_snapshot(World& world) {
  const auto folder = world.state() / "syncs" / world.uid / "memberships";
  std::vector<std::filesystem::path> snapshots;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("snapshot-")) snapshots.push_back(entry.path());
  }
  if (snapshots.empty()) throw std::runtime_error("there is no snapshot to lose");
  for (const auto& path : snapshots) std::filesystem::remove(path);
}

void add_to_connection(World& world) {
  world.emulator().person(fmt::format(R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}"}})",
                                      world.emulator().ready().text("connection"), world.target()));
}

void declare_a_view(World& world) {
  add_to_connection(world);
  world.extra =
      fmt::format("analytics: {{ connection: Luma web, data_view: {} audiences, lookback: 2d }}\n", world.uid);
}

std::string view_of(World& world) {
  const auto views = world.emulator().api("GET", "/data/dataviews?cached=false&externalIds=audiencesync_" + world.uid);
  const auto& list = views.items("content");
  if (list.size() != 1) throw std::runtime_error(fmt::format("{} data views are ours", list.size()));
  return list.front().text("id");
}

constexpr const char* kNameLookup = "target: { name_lookup: true }\n";

/// From here on the sync has its names looked up; the stages before this one have done what that takes.
std::function<void(World&)> looks_names_up(const std::string& stage) {
  return [stage](World& world) {
    world.extra = kNameLookup;
    must_converge(world, stages_up_to(stage, Upto::Before), Refresh::No);
  };
}

void rename_an_audience(World& world) {
  static int number = 0;
  world.declared.front().name = fmt::format("Another name {}", ++number);
}

std::string names_dataset(World& world) {
  for (const auto& id : world.emulator().datasets_tagged("uid:" + world.uid)) {
    for (const auto& names : world.emulator().datasets_tagged("role:lookup")) {
      if (id == names) return id;
    }
  }
  throw std::runtime_error("no dataset with names");
}

/// Does what a person is asked to do.
void do_by_hand(World& world, const Change& change) {
  auto& emulator = world.emulator();
  if (change.key.text() == "connection/dataset") return add_to_connection(world);
  if (change.key.text() == "connection/names") {
    emulator.person(fmt::format(
        R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}","type":"lookup","key":"_id",)"
        R"("matching_key":"{}.audienceMembership.audienceMembershipId"}})",
        emulator.ready().text("connection"), names_dataset(world), emulator.tenant()));
    return;
  }
  ASSERT_EQ(change.key.text(), "data-view/components");
  for (const auto* field : {"audienceMembershipId", "audienceMembershipName"}) {
    emulator.person(
        fmt::format(R"({{"do":"add_component","data_view":"{}","dataset":"{}","path":"{}.audienceMembership.{}"}})",
                    view_of(world), world.target(), emulator.tenant(), field));
  }
}

const std::map<std::string, std::vector<Condition>>& conditions() {
  static const auto refreshed = [](World& world) {
    evolve(world);
    must_converge(world, stages_up_to("export", Upto::Including), Refresh::Yes);
  };
  static const auto someone_joined = [](World& world) {
    static std::atomic<int> joined{0};
    world.emulator().control("POST", "/_emulator/profiles",
                             fmt::format(R"({{"person_id":"joined-{}@x.io","memberships":{{"{}":"realized"}}}})",
                                         ++joined, world.emulator().audiences().front().id));
    must_converge(world, stages_up_to("export", Upto::Including), Refresh::Yes);
  };
  static const std::map<std::string, std::vector<Condition>> kConditions{
      {"audiences", {{.name = "nothing_is_its_own", .expects = {}}}},
      {"export",
       {{.name = "first", .expects = {"create export/staging", "run export/job"}},
        {.name = "newer", .expects = {"run export/job"}, .provoke = evolve, .deaths = Deaths::Elsewhere},
        {.name = "superseded", .expects = {"run export/job", "delete export/batch/"}, .provoke = refreshed},
        // Whether batch queries may run is asked once of a platform.
        {.name = "first_by_query",
         .expects = {"run export/batch-queries", "create export/staging", "run export/job"},
         .platform = Platform::Fresh,
         .engine = Engine::QueryService}}},
      {"schema",
       {{.name = "first",
         .expects = {"create schema/field-group", "create schema/schema", "create schema/identity"},
         .platform = Platform::Fresh},
        {.name = "older",
         .expects = {"update schema/field-group", "update schema/schema", "create schema/identity"},
         .prepare = make_older_schema,
         .platform = Platform::Fresh},
        {.name = "with_names",
         .expects = {"create schema/field-group", "create schema/names-class", "create schema/names-schema"},
         .prepare = looks_names_up("schema"),
         .platform = Platform::Fresh}}},
      {"dataset",
       {{.name = "first", .expects = {"create dataset/target"}},
        {.name = "renamed",
         .expects = {"update dataset/target"},
         .provoke = [](World& world) { world.name = "renamed-" + world.uid; }},
        {.name = "with_names",
         .expects = {"create dataset/target", "create dataset/names"},
         .prepare = looks_names_up("dataset")},
        {.name = "names_renamed",
         .expects = {"update dataset/target", "update dataset/names"},
         .provoke = [](World& world) { world.name = "renamed-" + world.uid; },
         .prepare = looks_names_up("dataset")}}},
      {"membership",
       {{.name = "first", .expects = {"ingest membership/people"}},
        {.name = "moved", .expects = {"ingest membership/people"}, .provoke = refreshed, .deaths = Deaths::Elsewhere},
        {.name = "left_open",
         .expects = {"ingest membership/people", "delete membership/leftover/"},
         .provoke =
             [](World& world) {
               refreshed(world);
               leave_a_batch_open(world);
             }},
        {.name = "lost_snapshot", .expects = {"run membership/snapshot"}, .provoke = lose_the_snapshot},
        {.name = "older_generations",
         .expects = {"delete membership/superseded/"},
         .provoke =
             [](World& world) {
               // The platform tells its time in whole seconds: the next export must be younger than the last one by
               // more.
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"1m"})");
               refreshed(world);
               must_converge(world, stages_up_to("membership", Upto::Including), Refresh::No);
               // By now Customer Journey Analytics has taken up the newest generation.
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"4h"})");
             },
         .prepare = [](World& world) { world.extra = "target: { row_rule: accumulate }\n"; },
         .platform = Platform::Fresh},
        {.name = "with_names",
         .expects = {"create membership/names", "ingest membership/people"},
         .prepare = looks_names_up("membership")},
        {.name = "renamed",
         .expects = {"update membership/names"},
         .provoke = rename_an_audience,
         .prepare = looks_names_up("membership")},
        {.name = "older_names",
         .expects = {"delete membership/superseded/names-"},
         .provoke =
             [](World& world) {
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"1m"})");
               rename_an_audience(world);
               must_converge(world, stages_up_to("membership", Upto::Including), Refresh::No);
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"4h"})");
             },
         .prepare = looks_names_up("membership"),
         .platform = Platform::Fresh},
        {.name = "rows_of_memberships",
         .expects = {"ingest membership/people"},
         // Rows of who leaves go only with their batches, hours later: that is told by the suite of the layouts.
         .provoke = someone_joined,
         .prepare =
             [](World& world) { world.extra = "target: { layout: membership, accept_one_row_per_person: true }\n"; }},
        {.name = "parquet_in_small_batches",
         .expects = {"ingest membership/people"},
         .prepare =
             [](World& world) {
               world.extra = "target: { layout: delimited, upload: parquet }\n";
               auto settings = read_file(world.emulator().config());
               if (settings.find("limits:") == std::string::npos) settings += "limits: { batch: 2KB }\n";
               write_file(world.emulator().config(), settings);
             }},
        {.name = "by_query",
         .expects = {"run membership/changeset", "ingest membership/people"},
         .engine = Engine::QueryService},
        {.name = "moved_by_query",
         .expects = {"run membership/changeset", "ingest membership/people"},
         .provoke =
             [](World& world) {
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"1m"})");
               refreshed(world);
             },
         .deaths = Deaths::Elsewhere,
         .engine = Engine::QueryService},
        {.name = "older_generations_by_query",
         .expects = {"delete membership/superseded/"},
         .provoke =
             [](World& world) {
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"1m"})");
               refreshed(world);
               must_converge(world, stages_up_to("membership", Upto::Including), Refresh::No);
               world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"4h"})");
             },
         .prepare = [](World& world) { world.extra += "target: { row_rule: accumulate }\n"; },
         .platform = Platform::Fresh,
         .engine = Engine::QueryService}}},
      {"connection",
       {{.name = "nowhere",
         .expects = {"person connection/dataset"},
         .deaths = Deaths::Elsewhere,
         .analysts = Analysts::Present},
        {.name = "names_nowhere",
         .expects = {"person connection/dataset", "person connection/names"},
         .prepare = looks_names_up("connection"),
         .deaths = Deaths::Elsewhere,
         .analysts = Analysts::Present}}},
      {"data-view",
       {{.name = "first",
         .expects = {"create data-view/shell", "person data-view/components"},
         .prepare = declare_a_view,
         .analysts = Analysts::Present},
        {.name = "renamed",
         .expects = {"update data-view/shell"},
         .provoke =
             [](World& world) {
               world.emulator().person(
                   fmt::format(R"({{"do":"rename_data_view","data_view":"{}","name":"by hand"}})", view_of(world)));
             },
         .prepare = declare_a_view,
         .analysts = Analysts::Present}}},
      {"report", {{.name = "nothing_is_its_own", .expects = {}}}}};
  return kConditions;
}

struct Case {
  std::string stage;
  const Condition* condition = nullptr;  // none: this suite does not know the stage
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.stage << "_" << (one.condition == nullptr ? "unknown" : one.condition->name);
}

std::vector<Case> cases() {
  std::vector<Case> list;
  const auto registry = program_stages();
  for (const auto& stage : registry.value().stages()) {
    const auto found = conditions().find(stage.name);
    if (found == conditions().end()) {
      list.push_back({stage.name});
      continue;
    }
    for (const auto& condition : found->second) list.push_back({stage.name, &condition});
  }
  return list;
}

class StageContractTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_NE(GetParam().condition, nullptr)
        << "stage '" << GetParam().stage
        << "' is in the registry but not in conditions() of this suite: say there what makes it do something";
  }

  std::unique_ptr<World> new_world() const {
    Emulator::Options options{.profiles = 30, .audiences = 2};
    if (by_query()) options.query = Emulator::Options::Query::Listens;
    auto world = std::make_unique<World>(options, condition().analysts);
    if (by_query()) world->extra = "engine: query-service\n";
    // This platform forgets nothing and answers at once; waiting longer for what is not there proves nothing more.
    auto settings = read_file(world->emulator().config());
    replace_all(settings, "settle: 150ms", "settle: 30ms");
    // Queries run in the emulator's own engine, which on a busy machine may take longer than the rest of it.
    if (by_query())
      replace_all(settings, "deadline_export: 5s, deadline_batch: 5s", "deadline_export: 90s, deadline_batch: 90s");
    write_file(world->emulator().config(), settings);
    return world;
  }

  const Condition& condition() const { return *GetParam().condition; }
  const std::string& stage() const { return GetParam().stage; }
  bool by_query() const { return condition().engine == Engine::QueryService; }
  bool owns_something() const { return !condition().expects.empty(); }

  /// Brings a world, or a new sync in a world, to the moment before the stage acts.
  void arrange(World& world) const {
    must_converge(world, stages_up_to(stage(), Upto::Before), Refresh::Yes);
    if (condition().prepare) condition().prepare(world);
    if (!condition().provoke) return;
    must_converge(world, stages_up_to(stage(), Upto::Including), Refresh::Yes);
    condition().provoke(world);
  }

  /// Only the export has to be made newer than what is there.
  Refresh refresh() const { return stage() == "export" ? Refresh::Yes : Refresh::No; }
  std::optional<Time> not_before(const Life& life) const {
    return refresh() == Refresh::Yes ? std::optional(life.services().server.now()) : std::nullopt;
  }

  /// Observes the stages before this one, so that their outputs are known.
  void observe_before(Pass& pass) const {
    const auto registry = stages_up_to(stage(), Upto::Before);
    for (const auto& descriptor : registry.stages()) {
      const auto view = pass.observe(descriptor, std::nullopt);
      ASSERT_TRUE(view.ok()) << view.error().text();
    }
  }
};

TEST_P(StageContractTest, ObservingIsPure) {
  const auto world = new_world();
  arrange(*world);
  Life life(*world);
  const auto registry = stages_up_to(stage(), Upto::Including);
  const auto& descriptor = registry.stages().back();
  const auto since = not_before(life);
  world->emulator().clear_calls();

  Pass pass(registry, life.services());
  observe_before(pass);
  const auto first = made(pass.observe(descriptor, since));
  const auto again = made(pass.observe(descriptor, since));
  Pass other(registry, life.services());
  observe_before(other);
  const auto fresh = made(other.observe(descriptor, since));

  EXPECT_EQ(text_of(first.observed), text_of(again.observed));
  EXPECT_EQ(text_of(first.observed), text_of(fresh.observed));
  EXPECT_EQ(first.changes.size(), fresh.changes.size());
  EXPECT_THAT(changes_made(world->emulator()), IsEmpty());
  if (!owns_something()) {
    EXPECT_THAT(descriptor.desire(life.services().manifest), IsEmpty());
    EXPECT_THAT(first.changes, IsEmpty());
  }
}

TEST_P(StageContractTest, WhatIsToDoIsSeenAndApplyingItTwiceIsApplyingItOnce) {
  const auto world = new_world();
  arrange(*world);
  Life life(*world);
  const auto registry = stages_up_to(stage(), Upto::Including);
  const auto& descriptor = registry.stages().back();
  const auto since = not_before(life);
  Pass pass(registry, life.services());
  observe_before(pass);
  const auto run = made(life.store().begin_run(world->uid, "test", Value::Object{}, life.services().server.now()));

  auto view = made(pass.observe(descriptor, since));
  std::vector<std::string> seen;
  for (int round = 1; !view.changes.empty(); ++round) {
    // A stage that converges does so at once; an export that was made leaves an older one to take back, and what the
    // platform compares is known after it has.
    ASSERT_LE(round, descriptor.phase == Phase::Refresh || by_query() ? 2 : 1)
        << "still to do: " << text_of(view.changes.front());
    for (auto change : view.changes) {
      seen.push_back(text_of(change));
      if (change.action == Action::Person) {
        do_by_hand(*world, change);
        continue;
      }
      change.after = resolve(change.after, pass.outputs());
      const auto record = made(life.store().open_change(run.id, change, life.services().server.now()));
      LoggedContext context(life.services(), pass.outputs(), life.store(), life.writer(), record.id);
      const auto applied = made(pass.stage(descriptor).apply(change, context).in(text_of(change)));

      world->emulator().clear_calls();
      const auto other = descriptor.make();
      LoggedContext later(life.services(), pass.outputs(), life.store(), life.writer(), record.id);
      const auto repeated = made(other->apply(change, later).in(text_of(change) + " again"));
      EXPECT_THAT(changes_made(world->emulator()), IsEmpty()) << text_of(change);
      EXPECT_EQ(text_of(applied.outputs), text_of(repeated.outputs));
      EXPECT_EQ(to_json(applied.proof.to_value()), to_json(repeated.proof.to_value()));

      ASSERT_TRUE(life.store().close_change(record.id, "done", Value{}, life.services().server.now()).ok());
      pass.outputs().put(descriptor.name, applied.outputs);
    }
    view = made(pass.observe(descriptor, since));
  }
  for (const auto& expected : condition().expects) {
    EXPECT_TRUE(std::any_of(seen.begin(), seen.end(), [&](const auto& each) { return each.starts_with(expected); }))
        << expected << " did not happen";
  }
  if (stage() == "membership") {
    EXPECT_EQ(world->difference(), "");
  }
  EXPECT_EQ(world->leftovers(), "");
}

TEST_P(StageContractTest, ADeathAtAnyDurableWriteLeavesWhatTheNextLifeFinishes) {
  if (!owns_something()) GTEST_SKIP() << "nothing to interrupt";
  if (condition().deaths == Deaths::Elsewhere) GTEST_SKIP() << "another condition has the same changes and more";
  const auto registry = stages_up_to(stage(), Upto::Including);
  auto world = new_world();
  const auto next = [&](std::uint64_t number) {
    if (condition().platform == Platform::Fresh && number > 0) world = new_world();
    world->name = world->uid = fmt::format("sync-{}", number);
    arrange(*world);
  };

  next(0);
  std::uint64_t writes = 0;
  std::vector<DeathAt> deaths;
  {
    Life life(*world);
    const auto result = life.run(registry, refresh());
    ASSERT_TRUE(is_done(result)) << (result.error ? result.error->text() : to_string(result.verdict));
    const auto [first, last] = life.store().changes();
    writes = last - first + 1;
    // Dying after a write differs from dying before the next one only where a call lies between them.
    for (std::uint64_t at = first; at <= last; ++at) deaths.emplace_back(at, MortalStore::Death::BeforeWriting);
    for (const auto at : life.store().intents()) deaths.emplace_back(at, MortalStore::Death::AfterWriting);
  }
  const auto undisturbed = standing(*world, stage());
  ASSERT_FALSE(deaths.empty());

  std::uint64_t number = 0;
  for (const auto& [at, death] : those_to_try(deaths)) {
    next(++number);
    const auto died = Life(*world, at, death).run(registry, refresh());
    ASSERT_TRUE(died.error && died.error->code() == ErrorCode::Interrupted) << "at " << at;
    must_converge(*world, registry, refresh());
    EXPECT_EQ(standing(*world, stage()), undisturbed)
        << "died at durable write " << at << (death == MortalStore::Death::AfterWriting ? ", after it" : ", before it");
    EXPECT_EQ(world->leftovers(), "");
  }
  fmt::print("{} {}: {} deaths at {} durable writes\n", stage(), condition().name, number, writes);
}

INSTANTIATE_TEST_SUITE_P(Stages, StageContractTest, ::testing::ValuesIn(cases()), [](const auto& each) {
  auto name = ::testing::PrintToString(each.param);
  std::replace(name.begin(), name.end(), '-', '_');  // gtest takes no other character
  return name;
});

TEST(StageContractCoverageTest, EveryActionThatARuleCanGiveIsProvoked) {
  World world({.profiles = 20, .audiences = 1});
  Life life(world);
  const auto registry = program_stages();
  for (const auto& stage : registry.value().stages()) {
    std::set<std::string> wanted;
    auto everything = life.services().manifest;
    everything.target.name_lookup = true;
    auto desired = stage.desire(everything);
    everything.engine = Engine::QueryService;
    const auto by_query = stage.desire(everything);
    desired.insert(desired.end(), by_query.begin(), by_query.end());
    for (const auto& rule : stage.rules) {
      for (const auto& resource : desired) {
        if (resource.key.name.starts_with(rule.prefix))
          wanted.insert(fmt::format("{} {}", to_string(rule.missing), resource.key.text()));
      }
      if (rule.prune) wanted.insert(fmt::format("{} {}/{}", to_string(Action::Delete), stage.name, rule.prefix));
    }
    std::set<std::string> provoked;
    if (const auto found = conditions().find(stage.name); found != conditions().end()) {
      for (const auto& condition : found->second) provoked.insert(condition.expects.begin(), condition.expects.end());
    }
    for (const auto& action : wanted) {
      EXPECT_TRUE(provoked.contains(action)) << "no condition of stage '" << stage.name << "' leads to: " << action;
    }
  }
}

}  // namespace
}  // namespace audiencesync::testing
