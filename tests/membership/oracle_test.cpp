#include <fmt/format.h>

#include <random>
#include <set>

#include "engine/membership/person_rule.h"

#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

using Named = std::map<std::string, std::string>;  // audience id -> name as written
using State = std::map<std::string, Named>;        // person -> what the dataset says of them

/// What compare() must answer, computed the slow and obvious way.
struct Expected {
  State state;
  std::map<std::string, std::pair<Named, Named>> changed;
  std::map<std::string, AudienceDelta> audiences;
  DroppedRows dropped;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
};

std::optional<std::string> normal(PersonRule rule, const std::string& raw, DroppedRows& dropped) {
  auto text = raw;
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  if (rule == PersonRule::Trim) {
    while (!text.empty() && blank(text.back())) text.pop_back();
    while (!text.empty() && blank(text.front())) text.erase(text.begin());
  }
  if (text.empty()) return ++dropped.without_person, std::nullopt;
  if (text.size() > 1024) return ++dropped.over_long, std::nullopt;
  if (text.find('\xFF') != std::string::npos) return ++dropped.not_utf8, std::nullopt;
  if (rule == PersonRule::Lower || rule == PersonRule::Sha256Lower) {
    for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return rule == PersonRule::Sha256Lower ? sha256(text) : text;
}

Expected oracle(const RelationSpec& spec, const State& base, const std::vector<ExportRow>& rows, bool rewrite) {
  Expected out;
  std::map<std::string, const RelationAudience*> wanted;
  for (const auto& one : spec.audiences) wanted[one.id] = &one;
  std::map<std::string, Named> desired;
  for (const auto& row : rows) {
    ++out.dropped.read;
    for (const auto& one : row.memberships) {
      const auto found = wanted.find(one.audience);
      if (found == wanted.end() || found->second->held) continue;
      if (one.membership_namespace != "ups" && one.membership_namespace != "UPS") continue;
      if (one.status == "strange") ++out.dropped.unknown_status;
    }
    const auto person = normal(spec.person, row.person, out.dropped);
    if (!person) continue;
    auto& mine = desired[*person];
    for (const auto& one : row.memberships) {
      const auto found = wanted.find(one.audience);
      if (found == wanted.end() || found->second->held) continue;
      if (one.membership_namespace != "ups" && one.membership_namespace != "UPS") continue;
      if (one.status == "realized" || one.status == "existing" || one.status == "entered") {
        mine[one.audience] = found->second->name;
      }
    }
  }
  std::set<std::string> people;
  for (const auto& [person, set] : base) people.insert(person);
  for (const auto& [person, set] : desired) people.insert(person);
  for (const auto& person : people) {
    const auto known = base.find(person);
    const Named before = known == base.end() ? Named{} : known->second;
    Named after = desired.contains(person) ? desired[person] : Named{};
    for (const auto& [id, name] : before) {
      if (wanted.contains(id) && wanted[id]->held) after[id] = name;
    }
    const bool quarantined = spec.quarantined.contains(PersonId(person));
    if (quarantined) after = before;
    if (known == base.end() && after.empty()) continue;
    out.state[person] = after;
    for (const auto& [id, name] : before) {
      ++out.audiences[id].before;
      if (!after.contains(id)) ++out.audiences[id].left;
    }
    for (const auto& [id, name] : after) {
      ++out.audiences[id].after;
      if (!before.contains(id)) ++out.audiences[id].entered;
    }
    const bool same = known != base.end() && before == after;
    if (same && (!rewrite || quarantined)) continue;
    out.changed[person] = {before, after};
    if (known == base.end()) ++out.added;
    if (after.empty()) ++out.removed;
  }
  for (const auto& [id, one] : wanted) out.audiences[id];
  return out;
}

std::uint64_t weak_hash(std::string_view person) { return person.size() % 3; }

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    spec = simple_spec();
    spec.person = static_cast<PersonRule>(below(4));
    people_ = 1 + below(120);
    audiences_ = 1 + below(9);
    choose_audiences();
  }

  RelationSpec spec;

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

  void choose_audiences() {
    spec.audiences.clear();
    for (std::size_t i = 0; i < audiences_; ++i) {
      if (chance(20)) continue;  // not yet, or withdrawn
      auto one = audience(fmt::format("id-{}", i), fmt::format("Näme {}{}", i, chance(25) ? " renamed" : ""));
      one.held = chance(10);
      if (chance(30)) one.membership_namespace = "UPS";
      spec.audiences.push_back(one);
    }
    std::shuffle(spec.audiences.begin(), spec.audiences.end(), random_);
  }

  void choose_quarantined(const State& known) {
    spec.quarantined.clear();
    for (const auto& [person, set] : known) {
      if (chance(5)) spec.quarantined.insert(PersonId(person));
    }
    if (chance(50)) spec.quarantined.insert(PersonId("p1@x.io"));
  }

  std::vector<ExportRow> export_rows() {
    std::vector<ExportRow> rows;
    for (std::size_t i = 0; i < people_; ++i) {
      if (chance(15)) continue;  // gone, or not there yet
      const auto copies = chance(15) ? 1 + below(4) : 1;
      for (std::size_t copy = 0; copy < copies; ++copy) rows.push_back(export_row(i));
    }
    if (chance(30)) rows.push_back({"", {{"ups", "id-0", "realized"}}});
    if (chance(30)) rows.push_back({std::string(1025, 'x'), {{"ups", "id-0", "realized"}}});
    if (chance(30)) rows.push_back({"bad\xFF@x.io", {{"ups", "id-0", "strange"}}});
    if (rows.empty()) rows.push_back({"p0@x.io", {}});
    std::shuffle(rows.begin(), rows.end(), random_);
    return rows;
  }

 private:
  ExportRow export_row(std::size_t number) {
    ExportRow row{fmt::format("{}{}@{}.io", number % 7 == 0 ? "P" : "p", number, number % 5 == 0 ? "größe" : "x"), {}};
    if (chance(20)) row.person = " " + row.person + "\t";
    static constexpr const char* kStatuses[] = {"realized", "existing", "exited", "entered", "strange"};
    static constexpr const char* kNamespaces[] = {"ups", "UPS", "other"};
    for (std::size_t i = 0; i < audiences_; ++i) {
      if (!chance(40)) continue;
      row.memberships.push_back(
          {kNamespaces[chance(10) ? below(3) : 0], fmt::format("id-{}", i), kStatuses[chance(30) ? below(5) : 0]});
    }
    if (chance(30)) row.memberships.push_back({"ups", "nobody asked for this", "realized"});
    return row;
  }

  std::mt19937_64 random_;
  std::size_t people_ = 0;
  std::size_t audiences_ = 0;
};

std::vector<std::string> ids_in(const Named& named) {
  std::vector<std::string> ids;
  for (const auto& [id, name] : named) ids.push_back(id);
  return ids;
}

void expect_bulk(const Bulk& bulk, const Expected& expected, const RelationSpec& spec) {
  EXPECT_EQ(bulk.people, expected.changed.size());
  EXPECT_EQ(bulk.added, expected.added);
  EXPECT_EQ(bulk.removed, expected.removed);
  EXPECT_EQ(bulk.dropped, expected.dropped);
  ASSERT_EQ(bulk.audiences.size(), expected.audiences.size());
  auto at = bulk.audiences.begin();
  for (const auto& [id, delta] : expected.audiences) {
    EXPECT_EQ(at->id, id);
    EXPECT_EQ(at->before, delta.before) << id;
    EXPECT_EQ(at->after, delta.after) << id;
    EXPECT_EQ(at->entered, delta.entered) << id;
    EXPECT_EQ(at->left, delta.left) << id;
    for (const auto& one : spec.audiences) {
      if (one.id == id && !one.held) {
        EXPECT_EQ(at->name, one.name);
      }
    }
    ++at;
  }
}

void expect_records(const Upload& upload, const Expected& expected) {
  const auto records = read_records(upload);
  ASSERT_EQ(records.size(), expected.changed.size());
  for (const auto& [person, change] : expected.changed) {
    const auto found = records.find(person);
    ASSERT_NE(found, records.end());
    const auto& tenant = *found->second.find("_demo");
    Named written;
    std::vector<std::string> order;
    for (const auto& item : tenant.items("audienceMembership")) {
      written[item.text("audienceMembershipId")] = item.text("audienceMembershipName");
      order.push_back(item.text("audienceMembershipId"));
    }
    EXPECT_EQ(written, change.second);
    EXPECT_EQ(order, ids_in(change.second)) << "sorted by id";
    EXPECT_EQ(tenant.number("audienceMembershipCount"), static_cast<std::int64_t>(written.size()));
    EXPECT_EQ(found->second.text("_id"), sha256("luma\x1F" + person));
  }
}

class OracleTest : public ::testing::TestWithParam<std::uint64_t> {};

// Six generations of one world; every answer equals the naive one, whatever budget and hash the engine has.
TEST_P(OracleTest, ComparesAsTheNaiveImplementationDoes) {
  World world(GetParam());
  PosixFiles files;
  MemorySource source;
  const TestFolder folder;
  static constexpr std::size_t kBudgets[] = {0, 40'000, kAmpleMemory.bytes};
  const MemoryBudget budget{kBudgets[world.below(3)]};
  LocalMemberships engine(files, source, folder.path(), budget, world.chance(30) ? weak_hash : person_hash);

  State state;
  BaseRef base;
  for (int generation = 1; generation <= 6; ++generation) {
    SCOPED_TRACE(fmt::format("seed {} generation {}", GetParam(), generation));
    if (generation > 1 && world.chance(60)) world.choose_audiences();
    world.choose_quarantined(state);
    base.rewrite = world.chance(15);
    source.rows = world.export_rows();

    const auto expected = oracle(world.spec, state, source.rows, base.rewrite);
    const auto bulk = must(engine.compare(world.spec, export_named("b"), base, {}));
    expect_bulk(bulk, expected, world.spec);
    EXPECT_TRUE(engine.holds(bulk));

    Members members;
    for (const auto& [person, named] : expected.state) members[person] = ids_in(named);
    EXPECT_EQ(read_members(engine, bulk.candidate), members);
    must(engine.check(bulk.candidate));

    const auto upload = must(engine.encode(world.spec, bulk, EncodeOptions(), folder.path() / "upload", {}));
    EXPECT_EQ(upload.candidate, bulk.candidate);
    expect_records(upload, expected);
    std::uint64_t bytes = 0;
    for (const auto& part : upload.parts) bytes += part.bytes;
    EXPECT_EQ(bytes, bulk.bytes);

    std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> changed;
    for (const auto& row : must(engine.sample(bulk, 10'000))) changed[row.person.reveal()] = {row.before, row.after};
    ASSERT_EQ(changed.size(), expected.changed.size());
    for (const auto& [person, change] : expected.changed) {
      EXPECT_EQ(changed[person].first, ids_in(change.first));
      EXPECT_EQ(changed[person].second, ids_in(change.second));
    }

    // The same again has nothing to do.
    const auto quiet = must(engine.compare(world.spec, export_named("b"), {bulk.candidate}, {}));
    EXPECT_EQ(quiet.people, 0U);
    EXPECT_EQ(quiet.candidate, bulk.candidate);

    state = expected.state;
    base.content = bulk.candidate;
  }
  must(engine.clean({*base.content}));
  EXPECT_EQ(names_below(folder.path()).size(), 1 + must(files.list(folder.path() / "upload")).size());
}

INSTANTIATE_TEST_SUITE_P(Worlds, OracleTest, ::testing::Range<std::uint64_t>(0, kSanitized ? 60 : 150));

}  // namespace
}  // namespace audiencesync::testing
