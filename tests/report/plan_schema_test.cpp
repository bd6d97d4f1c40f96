#include "engine/report/plan_schema.h"

#include <gmock/gmock.h>

#include <functional>

#include "engine/base/json.h"
#include "engine/model/outcome.h"
#include "tests/report/plan_fixtures.h"
#include "tests/report/schema_check.h"

namespace audiencesync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As `plan --format json` prints it, read back.
Value document_of(const Plan& plan) {
  const Value document = Value::Object{{"version", 1},
                                       {"syncs", Value::Array{Value::Object{{"sync", plan.sync},
                                                                            {"file", plan.file},
                                                                            {"verdict", to_string(Verdict::Pending)},
                                                                            {"applied", 0},
                                                                            {"exit_code", 0},
                                                                            {"plan", plan.to_value()}}}}};
  return *parse_json(to_json(document));
}

struct ShapeCase {
  const char* name;
  std::function<Plan()> make;
};

class PlanShape : public ::testing::TestWithParam<ShapeCase> {};

TEST_P(PlanShape, FitsTheSchema) {
  EXPECT_THAT(testing::schema_violations(plan_json_schema(), document_of(GetParam().make())), IsEmpty());
}

Plan every_field_kind() {
  auto plan = testing::full_plan();
  auto& after = plan.changes[0].after;
  after["text"] = Value("x");
  after["number"] = Value(1);
  after["share"] = Value(0.5);
  after["nothing"] = Value();
  after["list"] = Value(Value::Array{1, "two"});
  after["map"] = Value(Value::Object{{"a", true}});
  after["later"] = Ref{"dataset", "dataset_id"};
  return plan;
}

Plan every_action_and_severity() {
  auto plan = testing::rich_plan();
  for (const auto action :
       {Action::Create, Action::Update, Action::Delete, Action::Run, Action::Ingest, Action::Person}) {
    Change change;
    change.key = {"stage", to_string(action)};
    change.action = action;
    plan.changes.push_back(change);
  }
  for (const auto severity :
       {Severity::Note, Severity::Warning, Severity::Wait, Severity::Approve, Severity::Guard, Severity::Refuse}) {
    plan.findings.push_back({severity, "code", "text"});
  }
  return plan;
}

Plan unknown_yet() {
  auto plan = testing::luma_plan();
  plan.known = false;
  plan.source.clear();
  plan.source_created.reset();
  plan.base.clear();
  return plan;
}

Plan empty_plan() { return {}; }

Plan with_milliseconds() {
  auto plan = testing::guarded_plan();
  *plan.source_created += std::chrono::milliseconds(123);
  plan.hold->approved_by = "ada";
  plan.hold->reason = "campaign ended";
  return plan;
}

INSTANTIATE_TEST_SUITE_P(Table, PlanShape,
                         ::testing::Values(ShapeCase{"nothing_to_do", testing::luma_plan},
                                           ShapeCase{"full", testing::full_plan}, ShapeCase{"rich", testing::rich_plan},
                                           ShapeCase{"guarded_and_held", testing::guarded_plan},
                                           ShapeCase{"approved", with_milliseconds},
                                           ShapeCase{"every_field_kind", every_field_kind},
                                           ShapeCase{"every_action_and_severity", every_action_and_severity},
                                           ShapeCase{"unknown_yet", unknown_yet}, ShapeCase{"empty", empty_plan}),
                         [](const auto& tested) { return std::string(tested.param.name); });

// Every member is described: one that is added to the plan must be added to the schema.
void expect_described(const Value& root, const Value& schema, const Value& value, const std::string& path) {
  const Value* rule = &schema;
  if (const auto* reference = rule->find("$ref")) {
    rule = root.find_path({"$defs", reference->string_if()->substr(std::string("#/$defs/").size())});
  }
  if (const auto* object = value.object_if(); object != nullptr && rule->find("properties") != nullptr) {
    for (const auto& [name, member] : *object) {
      const auto* described = rule->find("properties")->find(name);
      ASSERT_NE(described, nullptr) << path << "/" << name << " is not in the schema";
      expect_described(root, *described, member, path + "/" + name);
    }
  }
  if (const auto* array = value.array_if(); array != nullptr && rule->find("items") != nullptr) {
    for (const auto& item : *array) expect_described(root, *rule->find("items"), item, path + "[]");
  }
}

TEST(PlanSchema, DescribesEveryMember) {
  const auto schema = plan_json_schema();
  expect_described(schema, schema, document_of(every_action_and_severity()), "");
  expect_described(schema, schema, document_of(testing::guarded_plan()), "");
}

struct BrokenCase {
  const char* name;
  std::function<void(Value& document, Value& plan)> harm;
  const char* says;
};

class BrokenPlan : public ::testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenPlan, IsFound) {
  auto document = document_of(testing::guarded_plan());
  auto& plan = (*document["syncs"].array_if())[0]["plan"];
  GetParam().harm(document, plan);
  EXPECT_THAT(testing::schema_violations(plan_json_schema(), document), ElementsAre(HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenPlan,
    ::testing::Values(
        BrokenCase{"another_version", [](Value& document, Value&) { document["version"] = 2; }, "/version: is not 1"},
        BrokenCase{"no_syncs", [](Value& document, Value&) { document.object_if()->erase("syncs"); },
                   "syncs is missing"},
        BrokenCase{"verdict", [](Value& document, Value&) { (*document["syncs"].array_if())[0]["verdict"] = "fine"; },
                   "/verdict: \"fine\" is not one of"},
        BrokenCase{"digest", [](Value&, Value& plan) { plan["digest"] = "7f3a"; }, "/plan/digest: \"7f3a\" does not"},
        BrokenCase{"no_digest", [](Value&, Value& plan) { plan.object_if()->erase("digest"); }, "digest is missing"},
        BrokenCase{"time", [](Value&, Value& plan) { plan["source_created"] = "yesterday"; }, "/source_created: "},
        BrokenCase{"count_below_none", [](Value&, Value& plan) { (*plan["memberships"].array_if())[1]["left"] = -1; },
                   "/memberships/1/left: is too small"},
        BrokenCase{"action", [](Value&, Value& plan) { (*plan["changes"].array_if())[0]["action"] = "jump"; },
                   "/changes/0/action: "},
        BrokenCase{"severity", [](Value&, Value& plan) { (*plan["findings"].array_if())[0]["severity"] = "bad"; },
                   "/findings/0/severity: "},
        BrokenCase{"bulk_in_words", [](Value&, Value& plan) { (*plan["changes"].array_if())[1]["bulk"] = "many"; },
                   "/bulk: is no object"},
        BrokenCase{"visible_once",
                   [](Value&, Value& plan) { plan["cost"]["visible_after_minutes"] = Value::Array{90}; },
                   "/visible_after_minutes: has too few"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(PlanSchema, AnErrorWithoutPlanFits) {
  const Value document = Value::Object{
      {"version", 1},
      {"syncs", Value::Array{Value::Object{{"sync", "luma"},
                                           {"file", "luma.yaml"},
                                           {"verdict", "failed"},
                                           {"applied", 0},
                                           {"exit_code", 7},
                                           {"error", Value::Object{{"code", "permission"}, {"text", "no access"}}}}}}};
  EXPECT_THAT(testing::schema_violations(plan_json_schema(), document), IsEmpty());
}

}  // namespace
}  // namespace audiencesync
