// Faults of the network and of the services, aimed at every call of a first run and of a run after changes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/spine/fault_bench.h"

namespace audiencesync::testing {
namespace {

const std::string kPage = R"("content_type":"text/html","body":"<!DOCTYPE html><html><body>Sorry</body></html>"})";

// Each passes: the run must end well in spite of it.
const std::vector<std::pair<std::string, std::string>>& passing_faults() {
  static const std::vector<std::pair<std::string, std::string>> kFaults{
      {"429", R"({"status":429})"},
      {"500", R"({"status":500})"},
      {"502", R"({"status":502})"},
      {"503", R"({"status":503})"},
      {"504", R"({"status":504})"},
      {"HTML page with 200", R"({"status":200,)" + kPage},
      {"HTML page with 503", R"({"status":503,)" + kPage},
      {"HTML page with 404", R"({"status":404,)" + kPage},
      {"reset before the effect", R"({"drop":"before"})"},
      {"reset after the effect", R"({"drop":"after"})"},
      {"truncated body", R"({"truncate":20})"},
  };
  return kFaults;
}

// A page that says "not found" where the call itself has no effect is a failed call like any other, but where it
// might have had one, the run may also stop and look again.
std::set<int> codes_of(const Step& step, const std::string& fault) {
  if (step.method == "POST" && fault == "HTML page with 404") return {0, 1};
  return {0};
}

Case at(const Step& step, Start start, const std::string& fault, const std::string& action, std::set<int> codes,
        int times = 1) {
  Case one;
  one.name = fmt::format("{} at {} ({})", fault, step.name(), to_string(start));
  one.start = start;
  one.faults = step.fault(action, times);
  one.codes = std::move(codes);
  if (step.method == "GET" && step.path.ends_with("*") && step.before > 0) one.meets = Case::Meets::Perhaps;
  return one;
}

/// Where a first run does what a later one never does again, that is the run to disturb.
std::vector<std::pair<Step, Start>> write_steps() {
  std::vector<std::pair<Step, Start>> steps;
  for (const auto& step : steps_of_run(Start::NewPlatform)) {
    if (!step.writes()) continue;
    const bool registry = step.path.find("/schemaregistry/") != std::string::npos;
    steps.emplace_back(step, registry ? Start::NewPlatform : Start::NewSync);
  }
  for (const auto& step : steps_of_run(Start::Changed)) {
    if (step.writes()) steps.emplace_back(step, Start::Changed);
  }
  return steps;
}

std::vector<Step> reads(Start start) {
  auto steps = steps_of_run(start);
  std::erase_if(steps, [](const Step& step) { return step.writes(); });
  return steps;
}

/// Faults at the first, third, fifth ... call of each kind: whatever is tried again passes.
std::string at_every_call(Start start, const std::string& action) {
  std::map<std::string, Step> kinds;
  for (const auto& step : steps_of_run(start)) kinds.emplace(step.method + step.path + step.query, step);
  std::string list;
  for (auto& [name, step] : kinds) {
    for (step.before = 0; step.before < 24; step.before += 2) {
      const auto one = step.fault(action);
      list += (list.empty() ? "" : ",") + one.substr(1, one.size() - 2);
    }
  }
  return "[" + list + "]";
}

TEST(Fault, AtEveryCallOfOneRun) {
  std::vector<Case> cases;
  for (const auto start : {Start::NewPlatform, Start::Changed}) {
    for (const auto& [name, action] : passing_faults()) {
      Case one;
      one.name = fmt::format("{} at every call ({})", name, to_string(start));
      one.start = start;
      one.codes = codes_of({"POST", "", "", 0}, name);
      one.faults = at_every_call(start, action);
      cases.push_back(std::move(one));
    }
  }
  play(cases);
}

TEST(Fault, AtEveryWrite) {
  std::vector<Case> cases;
  for (const auto& [step, start] : write_steps()) {
    for (const auto& [name, action] : passing_faults()) {
      cases.push_back(at(step, start, name, action, codes_of(step, name)));
    }
    cases.push_back(at(step, start, "401", R"({"status":401})", {0}));
    cases.push_back(at(step, start, "403", R"({"status":403})", {0, 7}));
    cases.push_back(at(step, start, "409", R"({"status":409})", {0, 1, 4}));
    cases.push_back(at(step, start, "412", R"({"status":412})", {0, 1, 4}));
    cases.push_back(at(step, start, "503 for good", R"({"status":503})", {1, 5}, 0));
    auto patient = at(step, start, "429 with Retry-After", R"({"status":429,"retry_after":1})", {0});
    patient.at_least = std::chrono::seconds(1);
    cases.push_back(std::move(patient));
    if (step.method == "PUT") {
      cases.push_back(at(step, start, "reset in the middle of an upload", R"({"upload_reset_after":500})", {0}));
    }
  }
  play(cases);
}

TEST(Fault, AtEveryRead) {
  std::vector<Case> cases;
  for (const auto start : {Start::NewSync, Start::Changed}) {
    for (const auto& step : reads(start)) {
      if (start == Start::Changed) cases.push_back(at(step, start, "503", R"({"status":503})", {0}));
      if (start == Start::Changed) cases.push_back(at(step, start, "truncated body", R"({"truncate":20})", {0}));
      if (step.is_list()) {
        auto empty = at(step, start, "empty list", R"({"empty_list":true})", {0, 1, 4});
        // A first run on a platform that has the schema reads other things than the one it was learned from.
        if (start == Start::NewSync) empty.meets = Case::Meets::Perhaps;
        cases.push_back(std::move(empty));
      }
    }
  }
  play(cases);
}

TEST(Fault, AtEveryKindOfRead) {
  std::vector<Case> cases;
  const auto start = Start::Changed;
  for (const auto& step : reads(start)) {
    if (step.before > 0) continue;
    const bool token = step.path.ends_with("/ims/token/v3");
    // The other passing faults meet every read in AtEveryCallOfOneRun.
    for (const auto& [name, action] : passing_faults()) {
      static const std::set<std::string> kAlone{"HTML page with 200", "HTML page with 404", "reset after the effect"};
      if (kAlone.contains(name)) cases.push_back(at(step, start, name, action, {0}));
    }
    cases.push_back(at(step, start, "401", R"({"status":401})", token ? std::set<int>{7} : std::set<int>{0}));
    cases.push_back(at(step, start, "401 for good", R"({"status":401})", {0, 7}, 0));
    cases.push_back(at(step, start, "403", R"({"status":403})", {0, 7}));
    cases.push_back(at(step, start, "409", R"({"status":409})", {0, 1, 4, 7}));
    cases.push_back(at(step, start, "412", R"({"status":412})", {0, 1, 4, 7}));
    cases.push_back(at(step, start, "503 for good", R"({"status":503})", {0, 1, 5}, 0));
    auto patient = at(step, start, "429 with Retry-After", R"({"status":429,"retry_after":1})", {0});
    patient.at_least = std::chrono::seconds(1);
    cases.push_back(std::move(patient));
    const bool file = step.query == "path=";
    cases.push_back(
        at(step, start, "slow drip", fmt::format(R"({{"drip_bytes_per_second":{}}})", file ? 2500 : 40), {0}));
  }
  play(cases);
}

}  // namespace
}  // namespace audiencesync::testing
