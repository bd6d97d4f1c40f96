// Faults aimed at the calls that only engine query-service makes: statements handed over and looked for, their scratch
// datasets named, given an end and dropped. What goes over the PostgreSQL protocol is told by the suites of the
// session.
#include <gtest/gtest.h>

#include "tests/spine/fault_bench.h"

namespace audiencesync::testing {
namespace {

std::vector<Step> steps_by_query() {
  std::set<std::string> local;
  for (const auto& step : steps_of_run(Start::Changed)) local.insert(step.method + step.path + step.query);
  auto steps = steps_of_run(Start::Changed, By::Query);
  std::erase_if(steps, [&](const Step& step) { return local.contains(step.method + step.path + step.query); });
  return steps;
}

class QueryFaults {
 public:
  void add(const Step& step, const std::string& fault, const std::string& action, std::set<int> codes, int times = 1) {
    Case one;
    one.name = fault + " at " + step.name();
    one.engine = By::Query;
    one.faults = step.fault(action, times);
    one.codes = std::move(codes);
    if (!step.writes() && step.before > 0) one.meets = Case::Meets::Perhaps;
    cases.push_back(std::move(one));
  }
  std::vector<Case> cases;
};

TEST(QueryFault, AtEveryWriteOfItsOwn) {
  QueryFaults faults;
  for (const auto& step : steps_by_query()) {
    if (!step.writes()) continue;
    faults.add(step, "500", R"({"status":500})", {0});
    faults.add(step, "reset before the effect", R"({"drop":"before"})", {0});
    faults.add(step, "reset after the effect", R"({"drop":"after"})", {0});
    faults.add(step, "truncated body", R"({"truncate":20})", {0});
    faults.add(step, "HTML page with 200", R"({"status":200,"content_type":"text/html","body":"<html>Sorry</html>"})",
               {0});
    faults.add(step, "403", R"({"status":403})", {0, 7});
    faults.add(step, "409", R"({"status":409})", {0, 1, 4});
    faults.add(step, "503 for good", R"({"status":503})", {0, 1, 5}, 0);
  }
  ASSERT_GE(faults.cases.size(), 5U * 8U)
      << "two statements, and a scratch dataset that is tagged, ends and is dropped";
  play(faults.cases);
}

TEST(QueryFault, AtEveryReadOfItsOwn) {
  QueryFaults faults;
  for (const auto& step : steps_by_query()) {
    if (step.writes()) continue;
    faults.add(step, "503", R"({"status":503})", {0});
    // A query that is not listed is not there, for one look: the intent's second look, or the count of what it wrote,
    // finds it.
    if (step.is_list()) faults.add(step, "empty list", R"({"empty_list":true})", {0, 1, 4, 5});
    if (step.before > 0) continue;
    faults.add(step, "truncated body", R"({"truncate":20})", {0});
    faults.add(step, "404", R"({"status":404})", {0, 1, 5});
    faults.add(step, "403", R"({"status":403})", {0, 7});
    faults.add(step, "503 for good", R"({"status":503})", {0, 1, 5}, 0);
  }
  ASSERT_GE(faults.cases.size(), 10U);
  play(faults.cases);
}

}  // namespace
}  // namespace audiencesync::testing
