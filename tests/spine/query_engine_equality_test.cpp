// Whatever people, audiences and manifests do: both engines plan the same and leave the same records.
#include <algorithm>
#include <random>

#include "engine/base/json.h"
#include "tests/spine/query_engine_worlds.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

/// Person ids as JSON texts: those that a rule, a literal or a file could take for another one.
const std::vector<std::string>& odd_ids() {
  static const std::vector<std::string> kIds{R"("ann@x.io")",
                                             R"("Ann@X.io")",
                                             R"(" ann@x.io\t")",
                                             R"("zo\u00eb@ex\u00e4mple.de")",
                                             R"("ZO\u00cb@EX\u00c4MPLE.DE")",
                                             R"("\u212aelvin@x.io")",
                                             R"("e\u0301 apart@x.io")",
                                             R"("\u00a0no blank of ours\u3000")",
                                             R"("\ud83d\ude00@emoji.io")",
                                             R"("o'neil \\ \"quoted\" `x`")",
                                             R"("%_$1 ${env:HOME} $$ -- /* ; |,")",
                                             R"("tab\tand\nline\u0001@x.io")",
                                             R"("")",
                                             R"("  \r\n\u000b\f ")",
                                             "null",
                                             '"' + std::string(1024, 'L') + '"',
                                             '"' + std::string(1025, 'm') + '"',
                                             '"' + std::string(1023, 'n') + R"(\u00e4")",
                                             R"(" )" + std::string(1024, 'o') + R"( ")"};
  return kIds;
}

/// One random history, told to both engines; the same seed tells the same story.
class TwoStories {
 public:
  explicit TwoStories(int seed) : random_(static_cast<unsigned>(seed)), worlds_(seed) {
    worlds_.both([](World& world) { world.declared.resize(3); });
    static const std::vector<std::string> kRules{"none", "trim", "lower", "sha256_lower"};
    rule_ = kRules[static_cast<std::size_t>(seed) % kRules.size()];
    worlds_.both([&](World& world) { world.normalize = rule_; });
    if (pick(2) == 0) more_ = "source: { statuses: [realized] }\n";
  }

  std::string tell() {
    for (int person = 0; person < 12; ++person) somebody();
    if (auto wrong = converge(); !wrong.empty()) return wrong;
    const int steps = 2 + pick(3);
    for (int step = 0; step < steps; ++step) {
      for (int edit = 1 + pick(4); edit > 0; --edit) change_something();
      if (auto wrong = converge(); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  int pick(int choices) { return static_cast<int>(random_() % static_cast<unsigned>(choices)); }
  template <class Things>
  const auto& one_of(const Things& things) {
    return things[static_cast<std::size_t>(pick(static_cast<int>(things.size())))];
  }

  // Known ids come again with other audiences: duplicates, of which each export has any number.
  void somebody() {
    static const std::vector<std::string> kStatuses{"realized", "existing", "exited",     "entered",
                                                    "Realized", "REALIZED", "unheard of", ""};
    static const std::vector<std::string> kSpaces{"ups", "UPS", "Ups", "salesforce"};
    std::string memberships;
    for (const auto& audience : worlds_.local.emulator().audiences()) {
      if (pick(2) == 0) continue;
      memberships += fmt::format("{}\"{}\":\"{}\"", memberships.empty() ? "" : ",", audience.id, one_of(kStatuses));
    }
    worlds_.control("POST", "/_emulator/profiles",
                    fmt::format(R"({{"person_id":{},"memberships":{{{}}},"namespace":"{}"}})", one_of(odd_ids()),
                                memberships, pick(3) == 0 ? one_of(kSpaces) : "ups"));
  }

  void audience(const std::string& action, std::size_t number) {
    const auto id = worlds_.local.emulator().audiences()[number].id;
    worlds_.control("POST", "/_emulator/audiences", fmt::format(R"({{"do":"{}","id":"{}"}})", action, id));
  }

  void change_something() {
    static const std::vector<std::string> kNames{R"(It's \\ \"Big\" `x`)", R"($1 $$ -- /* ; 100 % _)",
                                                 R"(Größe \U0001F600 \u0130)", "Plain", R"(comma, and {x})"};
    switch (pick(9)) {
      case 0:
      case 1: {
        told_ += " evolve";
        const double churn = 0.05 + 0.1 * pick(4);
        const int seed = pick(1000);
        worlds_.both([&](World& world) { world.emulator().evolve(churn, seed); });
        break;
      }
      case 2:
        told_ += " somebody";
        somebody();
        somebody();
        break;
      case 3: {
        told_ += " nobody";
        worlds_.control("DELETE", "/_emulator/profiles?person_id=ann@x.io");
        break;
      }
      case 4: {
        told_ += " relabel";
        const auto at = static_cast<std::size_t>(pick(static_cast<int>(worlds_.local.declared.size())));
        const auto& name = one_of(kNames);
        worlds_.both([&](World& world) { world.declared[at].name = fmt::format("{} {}", name, at); });
        break;
      }
      case 5: {
        told_ += " audiences";
        audience("publish", 1);  // a new entry must be readable
        const auto size = static_cast<std::size_t>(1 + pick(4));
        worlds_.both([&](World& world) {
          const auto all = world.emulator().audiences();
          while (world.declared.size() > size) world.declared.pop_back();
          while (world.declared.size() < size)
            world.declared.push_back({all[world.declared.size()].id, all[world.declared.size()].name});
        });
        break;
      }
      case 6:
        told_ += " accumulate or not";
        target_ = target_.empty() ? "target: { row_rule: accumulate }\n" : "";
        break;
      case 7:
        told_ += " empty";
        audience("empty", static_cast<std::size_t>(pick(3)));
        break;
      default:
        told_ += " archive or publish";
        // One of several, so that there is always something to export.
        if (worlds_.local.declared.size() > 1) audience(pick(2) == 0 ? "archive" : "publish", 1);
        break;
    }
  }

  /// What a plan says of the people, without what names exports, engines and times.
  static std::string figures(const World& world, const ProcessResult& planned) {
    const auto value = parse_json(planned.out);
    if (!value.ok()) return "no JSON: " + planned.out + planned.err;
    const auto* plan = value->items("syncs").front().find("plan");
    if (plan == nullptr) return "no plan: " + planned.out + planned.err;
    std::string text;
    for (const auto& row : plan->items("memberships")) {
      // An audience in which nobody was and nobody will be is no news, whichever engine mentions it.
      text += fmt::format("{} '{}' {} -> {} +{} -{} renamed {}\n", row.text("id"), row.text("name"),
                          row.number("before").value_or(-1), row.number("after").value_or(-1),
                          row.number("entered").value_or(-1), row.number("left").value_or(-1),
                          row.number("renamed").value_or(0));
    }
    std::set<std::string> findings;
    for (const auto& finding : plan->items("findings")) {
      auto words = finding.text("text");
      replace_all(words, world.manifest().string(), "manifest");
      // When older batches go is a matter of seconds, and the local engine has seen the rows and tells of one.
      if (finding.text("code") == "older-generations") words.clear();
      findings.insert(finding.text("code") + ": " + words.substr(0, words.find(';')));
    }
    for (const auto& finding : findings) text += finding + "\n";
    for (const auto& change : plan->items("changes")) {
      const auto* bulk = change.find("bulk");
      if (bulk == nullptr || bulk->is_null()) continue;
      for (const auto* count : {"people", "added", "removed", "records"})
        text += fmt::format("{} {}\n", count, bulk->number(count).value_or(-1));
    }
    return text;
  }

  std::string converge() {
    told_ += " apply";
    worlds_.extra(more_ + target_);
    std::vector<std::string> planned;
    std::string wrong;
    int refused = 0;
    worlds_.both([&](World& world) {
      world.emulator().control("PUT", "/_emulator/clock", R"({"advance":"2m"})");
      const auto plan = world.plan({"--fresh", "--format", "json", "--detailed-exitcode"});
      // An export that holds nobody is refused, whoever would compare it.
      refused += plan.code == kRefused ? 1 : 0;
      if (plan.code != 0 && plan.code != kPending && plan.code != kRefused)
        wrong += fmt::format("plan ended {}: {}{}\n", plan.code, plan.out, plan.err);
      planned.push_back(figures(world, plan));
    });
    if (planned[0] != planned[1])
      wrong += fmt::format("the local engine plans\n{}and query-service\n{}", planned[0], planned[1]);
    if (refused > 0) return wrong.empty() ? wrong : fmt::format("{}, after{}: {}", rule_, told_, wrong);
    worlds_.both([&](World& world) {
      const auto applied = world.apply({"--no-refresh"});
      if (applied.code != 0) wrong += fmt::format("apply ended {}: {}{}\n", applied.code, applied.out, applied.err);
    });
    if (wrong.empty()) {
      const auto local = newest_records(worlds_.local);
      if (local.empty()) wrong += "nobody was written\n";
      if (newest_records(worlds_.query) != local) wrong += "the records differ\n";
      wrong += worlds_.query.leftovers();
    }
    return wrong.empty() ? wrong : fmt::format("{}, after{}: {}", rule_, told_, wrong);
  }

  std::mt19937 random_;
  BothEngines worlds_;
  std::string rule_;
  std::string more_;
  std::string target_;
  std::string told_;
};

TEST(QueryEngineEquality, RandomHistoriesLeaveTheSameRecords) {
  // Each is ten to twenty runs of the program: one for fifty of the local engine's own worlds.
  const int seeds = std::max(1, number_from_environment("AUDIENCESYNC_SEEDS", 200) / 50);
  std::string all;
  int seed = 0;
  for (const auto& wrong : in_parallel(seeds, [](int number) { return TwoStories(number).tell(); })) {
    if (!wrong.empty()) all += fmt::format("seed {}: {}\n", seed, wrong);
    ++seed;
  }
  EXPECT_EQ(all, "");
}

}  // namespace
}  // namespace audiencesync::testing
