#include "tests/spine/fault_bench.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tests/spine/told.h"
#include "tests/support/parallel.h"

namespace audiencesync::testing {
namespace {

constexpr int kWorkers = 2;
constexpr int kMostUses = 24;              // of one platform: its lists grow with every run
constexpr int kMostLooks = 3;              // at one job or batch that a step is made of
constexpr std::size_t kTokenLength = 100;  // of hex digits in a row: no digest of ours is that long

bool is_id(const std::string& segment) {
  if (segment.find('%') != std::string::npos || segment.find('.') != std::string::npos) return true;
  if (segment.find_first_not_of("0123456789") == std::string::npos) return true;
  return segment.size() >= 24 && segment.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

std::string glob_of(const std::string& path) {
  std::string glob;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    glob += "/" + (!segment.empty() && is_id(segment) ? std::string("*") : segment);
    begin = end + 1;
  }
  return glob;
}

std::string query_mark(const std::string& query) {
  const auto first = query.substr(0, query.find('&'));
  return first.starts_with("action=") ? first : first.substr(0, first.find('=') + 1);
}

std::vector<Step> steps_from(const Value& calls) {
  std::vector<Step> steps;
  std::map<std::string, int> seen;
  for (const auto& call : *calls.array_if()) {
    Step step{call.text("method"), glob_of(call.text("path")), query_mark(call.text("query")), 0};
    step.before = seen[step.method + step.path + step.query]++;
    const bool polls =
        step.method == "GET" && (step.path.ends_with("/export/jobs/*") || step.path.ends_with("/catalog/batches/*") ||
                                 step.path.ends_with("/query/queries/*"));
    if (!polls || step.before < kMostLooks) steps.push_back(std::move(step));
  }
  return steps;
}

std::unique_ptr<World> small_world(By engine) {
  Emulator::Options options;
  options.profiles = 60;
  options.audiences = 4;
  if (engine == By::Query) options.query = Emulator::Options::Query::Listens;
  auto world = std::make_unique<World>(std::move(options));
  if (engine == By::Query) {
    world->extra = "engine: query-service\n";
    // Queries run in the emulator's own engine, which on a busy machine may take longer than the rest of it.
    auto settings = read_file(world->emulator().config());
    replace_all(settings, "deadline_export: 5s, deadline_batch: 5s", "deadline_export: 90s, deadline_batch: 90s");
    write_file(world->emulator().config(), settings);
  }
  return world;
}

void must_converge(World& world, const char* when) {
  const auto result = world.seamed_apply("count");
  if (result.code != 0) throw std::runtime_error(fmt::format("{}: exit code {}: {}", when, result.code, result.err));
}

Members members_of(World& world) {
  if (world.emulator().datasets_tagged("uid:" + world.uid).empty()) return {};
  std::string target;
  try {
    target = world.target();
  } catch (const std::runtime_error&) {
    return {};  // two of them are found by leftovers()
  }
  return members_by_audience(world.emulator(), target);
}

Members truth_of(World& world) {
  Members truth;
  for (const auto& audience : world.declared) truth[audience.id] = world.emulator().truth(audience.id);
  return truth;
}

const std::set<std::string>& in(const Members& members, const std::string& audience) {
  static const std::set<std::string> kNobody;
  const auto found = members.find(audience);
  return found == members.end() ? kNobody : found->second;
}

/// People who belong before and after must be there all the time; others may be there or not yet, but nobody else.
std::string unsafe(const Members& before, const Members& now, const Members& truth) {
  std::string text;
  for (const auto& [audience, wanted] : truth) {
    const auto& was = in(before, audience);
    const auto& is = in(now, audience);
    const auto lost = std::count_if(
        was.begin(), was.end(), [&](const auto& person) { return wanted.contains(person) && !is.contains(person); });
    const auto strange = std::count_if(
        is.begin(), is.end(), [&](const auto& person) { return !wanted.contains(person) && !was.contains(person); });
    if (lost > 0) text += fmt::format("  {} people of audience {} were lost\n", lost, audience);
    if (strange > 0) text += fmt::format("  {} people in audience {} never were in it\n", strange, audience);
  }
  return text;
}

std::string leaks(World& world, const ProcessResult& result, const Members& before, const Members& truth) {
  const auto printed = result.out + result.err;
  std::string text;
  std::size_t digits = 0;
  for (const char c : printed) {
    digits = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
    if (digits == kTokenLength) text += "  a token is printed\n";
  }
  if (printed.find(world.emulator().ready().text("client_secret")) != std::string::npos) {
    text += "  the client secret is printed\n";
  }
  for (const auto* members : {&before, &truth}) {
    for (const auto& [audience, people] : *members) {
      for (const auto& person : people) {
        if (printed.find(person) != std::string::npos) return text + "  a person id is printed: " + printed;
      }
    }
  }
  return text;
}

std::string duplicates(World& world) {
  std::string text;
  const auto ledger = world.emulator().control("GET", "/_emulator/ledger");
  for (const auto& [kind, part] : *ledger.object_if()) {
    const auto& twice = part.items("duplicates");
    if (!twice.empty()) text += fmt::format("  {} of the same name: {}\n", kind, twice.size());
  }
  return text;
}

std::size_t exports_made(World& world) {
  const auto ledger = world.emulator().control("GET", "/_emulator/ledger");
  return ledger.find("export_jobs")->items("created").size();
}

/// Plays cases one after the other, on one platform for as long as that is possible.
class Bench {
 public:
  std::string play(const Case& one) {
    std::string problem;
    try {
      problem = run(one);
    } catch (const std::exception& error) {
      problem = std::string("  ") + error.what() + "\n";
    }
    // Who was rejected stays in quarantine: no base for another case.
    if (!problem.empty() || one.expect) world_.reset();
    return problem;
  }

 private:
  World& begin(const Case& one) {
    if (one.start == Start::NewPlatform || world_ == nullptr || uses_ >= kMostUses || one.engine != engine_) {
      world_ = small_world(one.engine);
      engine_ = one.engine;
      uses_ = 0;
      converged_ = false;
      if (one.start == Start::NewSync) must_converge(*world_, "the run before the first new sync");
    }
    ++uses_;
    if (one.start == Start::NewSync) {
      world_->uid = world_->name = fmt::format("sync-{}", ++syncs_);
      converged_ = false;
    }
    if (one.start == Start::Changed) {
      if (!converged_) must_converge(*world_, "the run before the change");
      world_->emulator().evolve(0.3, ++seed_);
    }
    converged_ = false;
    return *world_;
  }

  std::string run(const Case& one) {
    World& world = begin(one);
    auto& emulator = world.emulator();
    const auto before = members_of(world);
    const auto truth = truth_of(world);
    const auto exports = exports_made(world);
    if (one.arrange) one.arrange(world);
    emulator.faults(one.faults);
    const auto started = std::chrono::steady_clock::now();
    const auto result = world.seamed_apply(one.seam);
    const auto took = std::chrono::steady_clock::now() - started;
    const auto hits = hits_of(emulator);
    emulator.faults("[]");
    if (one.repair) one.repair(world);

    std::string problem = leaks(world, result, before, truth) + unsafe(before, members_of(world), truth);
    if (!one.codes.contains(result.code)) problem += fmt::format("  exit code {}\n", result.code);
    if (hits == 0 && one.faults != "[]" && one.meets == Case::Meets::Surely) problem += "  the fault met no call\n";
    if (took < one.at_least) problem += "  it did not wait as long as it was asked to\n";
    // A refusal is part of the plan, which goes to stdout.
    if (result.code != 0 && result.err.empty() && result.out.empty()) problem += "  it failed without a word\n";
    if (result.code == 0 && exports_made(world) > exports + 1) problem += "  it made more than one export\n";
    if (result.code != 0) {
      const auto again = world.seamed_apply("count");
      problem += leaks(world, again, before, truth);
      if (again.code != 0) problem += fmt::format("  applied again: exit code {}: {}\n", again.code, again.err);
    }
    problem += one.expect ? one.expect(world, before) : world.difference();
    problem += world.leftovers() + duplicates(world);
    if (!problem.empty()) problem += "  first run said: " + (result.out + result.err).substr(0, 3000) + "\n";
    converged_ = problem.empty();
    return problem;
  }

  static std::int64_t hits_of(Emulator& emulator) {
    std::int64_t hits = 0;
    const auto list = emulator.control("GET", "/_emulator/faults");
    for (const auto& fault : *list.array_if()) hits += fault.number("hits").value_or(0);
    return hits;
  }

  std::unique_ptr<World> world_;
  By engine_ = By::Local;
  int uses_ = 0;
  int syncs_ = 0;
  int seed_ = 0;
  bool converged_ = false;
};

}  // namespace

const char* to_string(Start start) {
  switch (start) {
    case Start::NewPlatform:
      return "new platform";
    case Start::NewSync:
      return "new sync";
    case Start::Changed:
      return "changed";
  }
  return "";
}

bool Step::writes() const {
  return method != "GET" && !path.ends_with("/ims/token/v3") && !path.ends_with("/bulk-get");
}

bool Step::is_list() const {
  if (path.ends_with("/bulk-get") || (path.ends_with("/export/files/*") && query != "path=")) return true;
  return method == "GET" && !path.ends_with("*") && !path.ends_with("/stats");
}

std::string Step::name() const {
  return fmt::format("{} {}{}{} #{}", method, path, query.empty() ? "" : "?", query, before + 1);
}

std::string Step::fault(const std::string& action, int times) const {
  return fmt::format(R"([{{"method":"{}","path":"{}","query":"{}","after":{},"times":{},"action":{}}}])", method, path,
                     query, before, times, action);
}

const std::vector<Step>& steps_of_run(Start start, By engine) {
  struct Runs {
    explicit Runs(By by) {
      const auto world = small_world(by);
      must_converge(*world, "first run");
      first = steps_from(world->emulator().control("GET", "/_emulator/calls"));
      world->emulator().evolve(0.3, 1);
      world->emulator().clear_calls();
      must_converge(*world, "second run");
      second = steps_from(world->emulator().control("GET", "/_emulator/calls"));
    }
    std::vector<Step> first;
    std::vector<Step> second;
  };
  static std::map<By, Runs> known;
  const auto& runs = known.try_emplace(engine, engine).first->second;
  return start == Start::Changed ? runs.second : runs.first;
}

void play(const std::vector<Case>& all) {
  // Shorter runs under sanitizers: every n-th case of each list.
  const auto step = static_cast<std::size_t>(std::max(1, number_from_environment("AUDIENCESYNC_FAULT_STEP", 1)));
  std::vector<Case> cases;
  for (std::size_t number = 0; number < all.size(); number += step) cases.push_back(all[number]);
  const auto started = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::size_t failures = 0;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&] {
      Bench bench;
      for (auto number = next++; number < cases.size(); number = next++) {
        const auto problem = bench.play(cases[number]);
        const std::lock_guard lock(mutex);
        if (problem.empty()) continue;
        ++failures;
        ADD_FAILURE() << cases[number].name << "\n" << problem;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print("{} cases in {:.1f} s, {} failed\n", cases.size(), took.count(), failures);
}

}  // namespace audiencesync::testing
