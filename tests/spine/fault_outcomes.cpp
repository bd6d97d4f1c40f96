// What the services themselves may do wrong: exports that fail or hold too little, batches that fail, refused people,
// lists that are late.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "tests/spine/fault_bench.h"

namespace audiencesync::testing {
namespace {

constexpr auto kBothStarts = {Start::NewSync, Start::Changed};

std::string title(const char* what, Start start) { return fmt::format("{} ({})", what, to_string(start)); }

std::function<void(World&)> control(std::string path, std::string body) {
  return [path, body](World& world) {
    world.emulator().control_text(path == "settings" || path == "ingestion" ? "PUT" : "POST", "/_emulator/" + path,
                                  body);
  };
}

Case after_export(const char* what, Start start, const std::string& forced, std::set<int> codes) {
  Case one;
  one.name = title(what, start);
  one.start = start;
  one.codes = std::move(codes);
  one.arrange = [forced](World& world) {
    world.emulator().control_text("PUT", "/_emulator/exports", fmt::format(R"({{"next":"{}"}})", forced));
  };
  return one;
}

TEST(FaultOutcome, Export) {
  std::vector<Case> cases;
  for (const auto start : kBothStarts) {
    cases.push_back(after_export("export job FAILED", start, "FAILED", {1}));
    cases.push_back(after_export("export SUCCEEDED with nobody in it", start, "zero_rows", {4}));
    cases.push_back(after_export("export that lacks a part of its files", start, "partial", {1, 4}));
    cases.push_back(after_export("batch of the export failed", start, "batch_failed", {1}));
    cases.push_back(after_export("export job stuck until the deadline", start, "stuck", {1}));
  }
  play(cases);
}

Case batch_case(const char* what, Start start, const std::string& order, std::set<int> codes) {
  Case one;
  one.name = title(what, start);
  one.start = start;
  one.codes = std::move(codes);
  one.arrange = control("ingestion", order);
  one.repair = control("ingestion", "{}");
  return one;
}

/// Somebody processes the stuck batch at last, and it fails.
void end_stuck_batches(World& world) {
  for (const auto& [id, batch] : world.emulator().batches(world.target())) {
    if (batch.text("status") != "processing") continue;
    world.emulator().control_text("POST", "/_emulator/batches",
                                  fmt::format(R"({{"do":"set_status","batch":"{}","status":"failed"}})", id));
  }
}

TEST(FaultOutcome, Batch) {
  std::vector<Case> cases;
  for (const auto start : kBothStarts) {
    cases.push_back(batch_case("failed batch without a reason", start, R"({"next":"failed"})", {0}));
    cases.push_back(batch_case("three failed batches", start, R"({"next":"failed","times":3})", {0}));
    cases.push_back(batch_case("every batch fails", start, R"({"next":"failed","times":1000})", {1}));
    cases.push_back(batch_case("batch that is tried again", start, R"({"next":"retrying"})", {0}));
    auto stuck = batch_case("batch stuck until the deadline", start, R"({"next":"stuck"})", {5});
    stuck.repair = end_stuck_batches;
    cases.push_back(std::move(stuck));
  }
  play(cases);
}

/// People of the truth who are new somewhere, so that their record must be sent.
std::vector<std::string> some_who_changed(World& world, const Members& before, std::size_t count) {
  std::set<std::string> changed;
  for (const auto& audience : world.declared) {
    const auto truth = world.emulator().truth(audience.id);
    const auto was = before.find(audience.id);
    for (const auto& person : truth)
      if (was == before.end() || !was->second.contains(person)) changed.insert(person);
  }
  std::vector<std::string> some(changed.begin(), changed.end());
  if (some.size() > count) some.resize(count);
  return some;
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "\"" : ",\"") + text + "\"";
  return "[" + list + "]";
}

Members without(Members members, const std::set<std::string>& people) {
  for (auto& [audience, of] : members)
    for (const auto& person : people) of.erase(person);
  std::erase_if(members, [](const auto& entry) { return entry.second.empty(); });
  return members;
}

Members only(const Members& members, const std::set<std::string>& people) {
  Members some;
  for (const auto& [audience, of] : members)
    for (const auto& person : of)
      if (people.contains(person)) some[audience].insert(person);
  return some;
}

/// Those the platform rejects stay as they were; everybody else is as in truth.
std::string all_but(World& world, const Members& before, const std::set<std::string>& rejected) {
  Members truth;
  for (const auto& audience : world.declared) truth[audience.id] = world.emulator().truth(audience.id);
  const auto now = members_by_audience(world.emulator(), world.target());
  std::string problem;
  if (rejected.empty()) problem += "  nobody was rejected: the case tests nothing\n";
  if (without(now, rejected) != without(truth, rejected))
    problem += "  people who were not rejected are not as in truth\n";
  if (only(now, rejected) != only(before, rejected)) problem += "  people who were rejected are not as they were\n";
  return problem;
}

Case rejected_people(const char* what, Start start, std::size_t count, const std::string& more) {
  Case one;
  one.name = title(what, start);
  one.start = start;
  const auto rejected = std::make_shared<std::set<std::string>>();
  one.arrange = [rejected, count, more](World& world) {
    Members before;
    if (!world.emulator().datasets_tagged("uid:" + world.uid).empty())
      before = members_by_audience(world.emulator(), world.target());
    const auto people = some_who_changed(world, before, count);
    rejected->insert(people.begin(), people.end());
    world.emulator().control_text("PUT", "/_emulator/ingestion",
                                  fmt::format(R"({{"reject_person":{}{}}})", json_list(people), more));
  };
  one.expect = [rejected](World& world, const Members& before) {
    auto problem = all_but(world, before, *rejected);
    // They are not sent again and again: with nothing else to do, a run writes no batch.
    const auto batches = world.emulator().batches(world.target()).size();
    const auto again = world.seamed_apply("count");
    if (again.code != 0) problem += fmt::format("  the run after it: exit code {}: {}\n", again.code, again.err);
    if (world.emulator().batches(world.target()).size() != batches) problem += "  the run after it wrote a batch\n";
    world.emulator().control_text("PUT", "/_emulator/ingestion", "{}");
    return problem;
  };
  return one;
}

TEST(FaultOutcome, RejectedPeople) {
  // Row 9999 does not exist: it only turns the order into one about rows, whose diagnostics can be withheld.
  const std::string silent = R"(,"next":"failed","rows":[9999],"diagnostics":false,"times":1000)";
  std::vector<Case> cases;
  for (const auto start : kBothStarts) {
    cases.push_back(rejected_people("one person rejected by name", start, 1, ""));
    cases.push_back(rejected_people("three people rejected by name", start, 3, ""));
    cases.push_back(rejected_people("one person rejected without diagnostics", start, 1, silent));
    cases.push_back(rejected_people("two people rejected without diagnostics", start, 2, silent));
  }
  play(cases);
}

Case with_settings(const char* what, Start start, const std::string& settings, std::set<int> codes) {
  Case one;
  one.name = title(what, start);
  one.start = start;
  one.codes = std::move(codes);
  one.arrange = control("settings", settings);
  one.repair = control("settings", R"({"list_lag":0,"export_delay":0,"export_visibility":0,"batch_delay":0})");
  return one;
}

TEST(FaultOutcome, StaleLists) {
  std::vector<Case> cases;
  for (const auto start : {Start::NewPlatform, Start::NewSync, Start::Changed}) {
    cases.push_back(with_settings("lists late by less than settle", start, R"({"list_lag":100})", {0}));
    cases.push_back(with_settings("lists late by more than settle", start, R"({"list_lag":600})", {0, 1, 4, 5}));
    cases.push_back(with_settings("lists late by more than any patience", start, R"({"list_lag":4000})", {0, 1, 4, 5}));
  }
  play(cases);
}

TEST(FaultOutcome, SlowPlatform) {
  std::vector<Case> cases;
  for (const auto start : kBothStarts) {
    cases.push_back(with_settings("export batch visible late", start, R"({"export_visibility":400})", {0}));
    cases.push_back(with_settings("everything slow", start,
                                  R"({"export_delay":300,"export_visibility":100,"batch_delay":300})", {0}));
    cases.push_back(with_settings("export slower than its deadline", start, R"({"export_delay":7000})", {1}));
    cases.push_back(with_settings("batch slower than its deadline", start, R"({"batch_delay":6000})", {5}));
  }
  play(cases);
}

}  // namespace
}  // namespace audiencesync::testing
