// P2, P3: whatever people, manifests and restarts do, an apply ends with the truth in the target dataset.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/base/json.h"
#include "tests/support/parallel.h"
#include "tests/support/world.h"

namespace audiencesync::testing {
namespace {

/// One random history of a sync; the same seed tells the same story.
class Story {
 public:
  Story(int seed, const std::string& row_rule)
      : random_(static_cast<unsigned>(seed)),
        world_({.profiles = 120 + static_cast<int>(random_() % 120), .audiences = 6, .seed = seed, .record = ""}) {
    world_.emulator().settings(fmt::format(R"({{"row_rule":"{}"}})", row_rule));
    all_ = world_.declared;
    world_.declared.resize(3);
  }

  /// "" when every promise held.
  std::string tell() {
    if (auto wrong = converge(); !wrong.empty()) return wrong;
    const int steps = 2 + static_cast<int>(random_() % 4);
    for (int step = 0; step < steps; ++step) {
      const int edits = 1 + static_cast<int>(random_() % 3);
      for (int edit = 0; edit < edits; ++edit) change_something();
      if (auto wrong = converge(); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  void change_something() {
    switch (random_() % 7) {
      case 0:
      case 1:
        told_ += " evolve";
        world_.emulator().evolve(0.02 + 0.1 * static_cast<double>(random_() % 4), static_cast<int>(random_() % 1000));
        break;
      case 2:
        add_audience();
        break;
      case 3:
        remove_audience();
        break;
      case 4: {
        auto& audience = world_.declared[random_() % world_.declared.size()];
        told_ += " relabel";
        audience.name = fmt::format("Label {}", random_() % 100'000);
        break;
      }
      case 5:
        told_ += " rename";
        world_.name = fmt::format("loyalty-{}", random_() % 1000);
        break;
      default:
        told_ += " restart";
        world_.emulator().restart();
        break;
    }
  }

  void add_audience() {
    for (const auto& audience : all_) {
      const bool there = std::any_of(world_.declared.begin(), world_.declared.end(),
                                     [&](const Declared& each) { return each.id == audience.id; });
      if (there) continue;
      told_ += " add";
      world_.declared.push_back(audience);
      return;
    }
  }

  void remove_audience() {
    if (world_.declared.size() < 2) return;
    told_ += " remove";
    world_.declared.erase(world_.declared.begin() + static_cast<std::ptrdiff_t>(random_() % world_.declared.size()));
  }

  std::string converge() {
    told_ += " apply";
    const auto applied = world_.seamed_apply("count");
    if (applied.code != 0)
      return fmt::format("after{}: apply ended {}: {}{}", told_, applied.code, applied.out, applied.err);
    if (auto wrong = world_.difference(); !wrong.empty()) return fmt::format("after{}: {}", told_, wrong);
    if (auto wrong = labels(); !wrong.empty()) return fmt::format("after{}: {}", told_, wrong);
    if (auto wrong = world_.leftovers(); !wrong.empty()) return fmt::format("after{}: {}", told_, wrong);
    return plan_is_empty();
  }

  /// Everyone's newest record writes the labels the manifest declares now.
  std::string labels() {
    std::map<std::string, std::string> wanted;
    for (const auto& audience : world_.declared) wanted[audience.id] = audience.name;
    for (const auto& [id, names] : labels_by_audience(world_.emulator(), world_.target())) {
      if (names.size() > 1 || (wanted.contains(id) && *names.begin() != wanted[id])) {
        return fmt::format("audience {} is written under {} names, one is '{}'", id, names.size(), *names.begin());
      }
    }
    return {};
  }

  std::string plan_is_empty() {
    world_.emulator().clear_calls();
    const auto planned = world_.seamed({"plan", "--fresh", "--detailed-exitcode", "--format", "json"}, "count");
    if (planned.code != 0)
      return fmt::format("after{}: plan --fresh ended {}: {}{}", told_, planned.code, planned.out, planned.err);
    const auto value = parse_json(planned.out);
    if (!value.ok()) return "the plan is no JSON";
    const auto& plan = *value->items("syncs").front().find("plan");
    if (!plan.items("changes").empty()) return fmt::format("after{}: the plan is not empty: {}", told_, planned.out);
    for (const auto& write : world_.emulator().writes()) {
      // A refresh makes an export and takes back our own older one; nothing else.
      const bool refresh =
          write == "POST /data/core/ups/export/jobs" || write.starts_with("POST /data/foundation/import/batches/");
      if (!refresh) return fmt::format("after{}: plan called {}", told_, write);
    }
    return {};
  }

  std::mt19937 random_;
  World world_;
  std::vector<Declared> all_;
  std::string told_;
};

std::string all_findings(const std::vector<std::string>& findings) {
  std::string text;
  for (std::size_t seed = 0; seed < findings.size(); ++seed) {
    if (!findings[seed].empty()) text += fmt::format("seed {}: {}\n", seed, findings[seed]);
  }
  return text;
}

TEST(Property, RandomHistoriesEndInTheTruth) {
  const int seeds = number_from_environment("AUDIENCESYNC_SEEDS", 200);
  EXPECT_EQ(all_findings(in_parallel(
                seeds, [](int seed) { return Story(seed, seed % 2 == 0 ? "replace_record" : "merge_fields").tell(); })),
            "");
}

}  // namespace
}  // namespace audiencesync::testing
