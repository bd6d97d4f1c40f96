#include "engine/reconcile/diff.h"

#include <gmock/gmock.h>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Value json(std::string_view text) {
  auto value = parse_json(text);
  if (!value.ok()) {
    ADD_FAILURE() << "no JSON: " << text;
    return {};
  }
  return std::move(value).take();
}

Resource thing(std::string name, Fields fields = {}, std::string version = "") {
  return {{"dataset", std::move(name)}, std::move(fields), std::move(version), {}};
}

// `create target: does not exist`, one a change.
std::vector<std::string> told(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const auto& change : changes) {
    out.push_back(std::string(to_string(change.action)) + " " + change.key.name + ": " + change.reason);
  }
  return out;
}

std::vector<std::string> told(const std::vector<Resource>& desired, const std::vector<Resource>& seen,
                              const std::vector<ResourceRule>& rules) {
  return told(diff(desired, {seen, {}, {}, {}}, rules));
}

ResourceRule rule(std::string prefix, std::map<std::string, Compare> fields = {}) {
  ResourceRule made;
  made.prefix = std::move(prefix);
  made.fields = std::move(fields);
  return made;
}

TEST(Diff, EqualSidesNeedNothing) {
  EXPECT_THAT(told({thing("a", {{"ttl", Value(90)}})}, {thing("a", {{"ttl", Value(90)}})}, {rule("")}), IsEmpty());
  EXPECT_THAT(told({}, {}, {}), IsEmpty());
}

struct MissingCase {
  const char* name;
  Action action;
  const char* told;
};

class MissingResource : public testing::TestWithParam<MissingCase> {};

TEST_P(MissingResource, BecomesWhatItsRuleSays) {
  auto by_rule = rule("");
  by_rule.missing = GetParam().action;
  EXPECT_THAT(told({thing("a")}, {}, {by_rule}), ElementsAre(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(Table, MissingResource,
                         testing::Values(MissingCase{"created", Action::Create, "create a: does not exist"},
                                         MissingCase{"run", Action::Run, "run a: none that can be used yet"},
                                         MissingCase{"by_a_person", Action::Person,
                                                     "person a: only a person can do it"},
                                         MissingCase{"ingested", Action::Ingest, "ingest a: nothing was written yet"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Diff, AnUpdateNamesEveryFieldThatDiffersAndCarriesTheVersionSeen) {
  const auto wanted = thing("a", {{"name", Value("new")}, {"same", Value(1)}, {"ttl", Value(90)}});
  const auto seen = thing("a", {{"name", Value("old")}, {"same", Value(1)}}, "12");

  const auto changes = diff({wanted}, {{seen}, {}, {}, {}}, {rule("")});

  EXPECT_THAT(told(changes), ElementsAre("update a: name, ttl differs"));
  EXPECT_EQ(changes[0].expected_version, "12");
  EXPECT_EQ(changes[0].after, wanted.fields);
}

TEST(Diff, ADifferenceBecomesWhatItsRuleSays) {
  auto by_rule = rule("");
  by_rule.different = Action::Run;
  EXPECT_THAT(told({thing("a", {{"x", Value(1)}})}, {thing("a", {{"x", Value(2)}})}, {by_rule}),
              ElementsAre("run a: x differs"));
}

TEST(Diff, WhatTheDesiredSideDoesNotNameIsNotCompared) {
  EXPECT_THAT(told({thing("a", {{"x", Value(1)}})}, {thing("a", {{"x", Value(1)}, {"note", Value("by hand")}})}, {}),
              IsEmpty());
}

TEST(Diff, TheLongestPrefixDecides) {
  auto all = rule("");
  auto group = rule("group/");
  group.missing = Action::Run;
  auto special = rule("group/special");
  special.missing = Action::Person;
  const std::vector<Resource> desired{thing("other"), thing("group/plain"), thing("group/special")};
  const std::vector<std::string> expected{"create other: does not exist", "run group/plain: none that can be used yet",
                                          "person group/special: only a person can do it"};

  EXPECT_EQ(told(desired, {}, {all, group, special}), expected);
  EXPECT_EQ(told(desired, {}, {special, group, all}), expected) << "the order of the rules must not matter";
}

TEST(Diff, AFieldIsComparedAsItsRuleSays) {
  const auto wanted =
      thing("a", {{"exact", json(R"({"a":1})")}, {"loose", json(R"({"a":1})")}, {"written", Value("x")}});
  const auto more = json(R"({"a":1,"b":2})");
  const auto seen = thing("a", {{"exact", more}, {"loose", more}, {"written", Value("y")}});

  EXPECT_THAT(told({wanted}, {seen}, {rule("", {{"loose", Compare::Contains}, {"written", Compare::Given}})}),
              ElementsAre("update a: exact differs"));
}

TEST(Diff, AFieldThatWasNotSeenDiffersUnlessItIsOnlyGiven) {
  EXPECT_THAT(told({thing("a", {{"x", Value(1)}})}, {thing("a")}, {rule("")}), ElementsAre("update a: x differs"));
  EXPECT_THAT(told({thing("a", {{"x", Value(1)}})}, {thing("a")}, {rule("", {{"x", Compare::Given}})}), IsEmpty());
  EXPECT_THAT(told({thing("a", {{"x", Value{}}})}, {thing("a")}, {rule("")}), IsEmpty()) << "null is absence";
}

TEST(Diff, WhatIsKnownAfterApplyCountsAsEqualWhenTheObjectExists) {
  const Ref id{"schema", "schema_id"};
  EXPECT_THAT(told({thing("a", {{"schema", id}})}, {thing("a", {{"schema", Value("s1")}})}, {}), IsEmpty());

  const auto made = diff({thing("a", {{"schema", id}})}, {}, {});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(std::get<Ref>(made[0].after.at("schema")), id);
}

TEST(Diff, OnlyAPrunedKindIsDeleted) {
  auto leftovers = rule("leftover/");
  leftovers.prune = true;

  const auto changes =
      diff({}, {{thing("leftover/b", {{"batch", Value("b")}}, "3"), thing("theirs")}, {}, {}, {}}, {leftovers});

  EXPECT_THAT(told(changes), ElementsAre("delete leftover/b: no longer needed"));
  EXPECT_EQ(changes[0].expected_version, "3");
  EXPECT_EQ(changes[0].after.at("batch"), Field(Value("b")));
}

TEST(Diff, ComesAsDesiredListsItThenDeletionsByKey) {
  auto all = rule("");
  all.prune = true;
  const std::vector<Resource> desired{thing("z"), thing("a"), thing("m")};
  const std::vector<std::string> expected{"create z: does not exist", "create a: does not exist",
                                          "create m: does not exist", "delete b: no longer needed",
                                          "delete y: no longer needed"};

  EXPECT_EQ(told(desired, {thing("y"), thing("b")}, {all}), expected);
  EXPECT_EQ(told(desired, {thing("b"), thing("y")}, {all}), expected) << "the order of observing must not matter";
}

Bulk bulk_of(std::uint64_t people) {
  Bulk bulk;
  bulk.relation = "luma/analytics";
  bulk.content = "c0ffee";
  bulk.people = people;
  return bulk;
}

TEST(Diff, PendingPeopleBecomeOneIngestWithTheFieldsOfBothSides) {
  auto seen = thing("people", {{"relation", Value("luma/analytics")}, {"dataset", Value("seen")}}, "base-1");
  seen.pending = bulk_of(7);

  const auto changes =
      diff({thing("people", {{"dataset", Ref{"dataset", "dataset_id"}}})}, {{seen}, {}, {}, {}}, {rule("people")});

  EXPECT_THAT(told(changes), ElementsAre("ingest people: 7 people changed"));
  EXPECT_EQ(changes[0].bulk, seen.pending);
  EXPECT_EQ(changes[0].expected_version, "base-1");
  EXPECT_EQ(changes[0].after.at("relation"), Field(Value("luma/analytics")));
  EXPECT_EQ(changes[0].after.at("dataset"), (Field(Ref{"dataset", "dataset_id"}))) << "the manifest's side wins";
}

TEST(Diff, NobodyPendingIsNothingToIngest) {
  auto seen = thing("people");
  seen.pending = bulk_of(0);
  EXPECT_THAT(told({thing("people")}, {seen}, {}), IsEmpty());
}

TEST(Diff, IsPure) {
  auto all = rule("", {{"x", Compare::Contains}});
  all.prune = true;
  auto seen = thing("people", {{"x", Value(1)}}, "9");
  seen.pending = bulk_of(3);
  const std::vector<Resource> desired{thing("people", {{"x", Value(2)}}), thing("a", {{"r", Ref{"s", "o"}}})};
  const Observed observed{{seen, thing("gone")}, {}, {}, {}};
  const auto bytes = [&] {
    std::string text;
    for (const auto& change : diff(desired, observed, {all})) text += to_json(change.to_value()) + "\n";
    return text;
  };

  const auto first = bytes();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, bytes());
}

struct ContainsCase {
  const char* name;
  const char* observed;
  const char* wanted;
  bool holds;
};

class Contains : public testing::TestWithParam<ContainsCase> {};

TEST_P(Contains, SaysWhetherEverythingWantedIsThere) {
  EXPECT_EQ(contains(json(GetParam().observed), json(GetParam().wanted)), GetParam().holds);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Contains,
    testing::Values(ContainsCase{"equal", R"({"a":1})", R"({"a":1})", true},
                    ContainsCase{"more_members", R"({"a":1,"b":2})", R"({"a":1})", true},
                    ContainsCase{"member_missing", R"({"b":2})", R"({"a":1})", false},
                    ContainsCase{"member_differs", R"({"a":2})", R"({"a":1})", false},
                    ContainsCase{"deeper", R"({"a":{"b":{"c":1,"d":2}}})", R"({"a":{"b":{"c":1}}})", true},
                    ContainsCase{"deeper_differs", R"({"a":{"b":{"c":2}}})", R"({"a":{"b":{"c":1}}})", false},
                    ContainsCase{"array_in_any_order", R"([3,2,1])", R"([1,3])", true},
                    ContainsCase{"array_element_missing", R"([2,3])", R"([1])", false},
                    ContainsCase{"array_of_objects", R"([{"id":1,"x":0},{"id":2}])", R"([{"id":2},{"id":1}])", true},
                    ContainsCase{"array_wanted_text_seen", R"("abc")", R"(["abc"])", false},
                    ContainsCase{"empty_array_wants_an_array", R"({"a":1})", R"([])", false},
                    ContainsCase{"empty_object_wants_an_object", R"("abc")", R"({})", false},
                    ContainsCase{"empty_object_in_an_object", R"({"a":1})", R"({})", true},
                    ContainsCase{"text", R"("a")", R"("a")", true},
                    ContainsCase{"text_differs", R"("a")", R"("b")", false},
                    ContainsCase{"type_differs", R"("1")", R"(1)", false},
                    ContainsCase{"null_is_not_a_value", R"({"a":null})", R"({"a":1})", false}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace audiencesync
