#include "engine/reconcile/guard.h"

#include <gmock/gmock.h>

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Limit kAny{.share = {}, .count = {}};

// Limits that never trip: each case sets the one it is about.
Guard open_guard() {
  Guard limits;
  limits.max_removals = kAny;
  limits.max_audience_shrink = kAny;
  limits.max_audience_growth = kAny;
  limits.min_people = 0;
  limits.allow_empty_audience = true;
  return limits;
}

Bulk moving(std::uint64_t before, std::uint64_t after, std::uint64_t left, std::uint64_t entered = 0) {
  Bulk bulk;
  bulk.audiences.push_back({"A1", "Gold", before, after, entered, left});
  return bulk;
}

struct LimitCase {
  const char* name;
  Limit Guard::*limit;
  Limit value;
  Bulk bulk;
  bool trips;
};

class GuardLimit : public testing::TestWithParam<LimitCase> {};

TEST_P(GuardLimit, TripsOnlyBeyondItsNumber) {
  auto limits = open_guard();
  limits.*GetParam().limit = GetParam().value;
  EXPECT_THAT(guard(limits, GetParam().bulk, {"A1"}), SizeIs(GetParam().trips ? 1U : 0U));
}

Limit share(double part) { return {.share = part, .count = {}}; }
Limit count(std::uint64_t number) { return {.share = {}, .count = number}; }
Limit both(double part, std::uint64_t number) { return {.share = part, .count = number}; }

INSTANTIATE_TEST_SUITE_P(
    Removals, GuardLimit,
    testing::Values(LimitCase{"at_the_share", &Guard::max_removals, share(0.1), moving(1000, 900, 100), false},
                    LimitCase{"over_the_share", &Guard::max_removals, share(0.1), moving(1000, 899, 101), true},
                    // 0.29 * 100 is a little less than 29 in binary
                    LimitCase{"at_an_inexact_share", &Guard::max_removals, share(0.29), moving(100, 71, 29), false},
                    LimitCase{"over_an_inexact_share", &Guard::max_removals, share(0.29), moving(100, 70, 30), true},
                    LimitCase{"at_the_count", &Guard::max_removals, count(50), moving(1000, 950, 50), false},
                    LimitCase{"over_the_count", &Guard::max_removals, count(50), moving(1000, 949, 51), true},
                    LimitCase{"both_share_first", &Guard::max_removals, both(0.01, 50), moving(1000, 989, 11), true},
                    LimitCase{"both_count_first", &Guard::max_removals, both(0.5, 10), moving(1000, 989, 11), true},
                    LimitCase{"both_within", &Guard::max_removals, both(0.5, 50), moving(1000, 989, 11), false},
                    LimitCase{"leavers_count_though_others_enter", &Guard::max_removals, share(0.1),
                              moving(1000, 1000, 200, 200), true},
                    LimitCase{"none_allowed", &Guard::max_removals, count(0), moving(1000, 999, 1), true},
                    LimitCase{"none_allowed_none_leaves", &Guard::max_removals, count(0), moving(1000, 1000, 0), false},
                    LimitCase{"nothing_before", &Guard::max_removals, share(0.1), moving(0, 10, 0, 10), false}),
    [](const auto& tested) { return std::string(tested.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Shrink, GuardLimit,
    testing::Values(LimitCase{"at_the_share", &Guard::max_audience_shrink, share(0.5), moving(200, 100, 100), false},
                    LimitCase{"over_the_share", &Guard::max_audience_shrink, share(0.5), moving(200, 99, 101), true},
                    LimitCase{"at_the_count", &Guard::max_audience_shrink, count(5), moving(200, 195, 5), false},
                    LimitCase{"over_the_count", &Guard::max_audience_shrink, count(5), moving(200, 194, 6), true},
                    LimitCase{"growing", &Guard::max_audience_shrink, count(0), moving(200, 900, 0, 700), false},
                    LimitCase{"leavers_replaced", &Guard::max_audience_shrink, share(0.1), moving(200, 200, 90, 90),
                              false}),
    [](const auto& tested) { return std::string(tested.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Growth, GuardLimit,
    testing::Values(LimitCase{"at_the_share", &Guard::max_audience_growth, share(2.0), moving(100, 300, 0, 200), false},
                    LimitCase{"over_the_share", &Guard::max_audience_growth, share(2.0), moving(100, 301, 0, 201),
                              true},
                    LimitCase{"at_the_count", &Guard::max_audience_growth, count(5), moving(100, 105, 0, 5), false},
                    LimitCase{"over_the_count", &Guard::max_audience_growth, count(5), moving(100, 106, 0, 6), true},
                    LimitCase{"shrinking", &Guard::max_audience_growth, count(0), moving(100, 10, 90), false}),
    [](const auto& tested) { return std::string(tested.param.name); });

std::vector<std::string> texts(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const auto& finding : findings) {
    EXPECT_EQ(finding.severity, Severity::Guard);
    EXPECT_EQ(finding.code, "guard");
    out.push_back(finding.text);
  }
  return out;
}

TEST(GuardText, SaysTheNumbersAndTheWayOut) {
  EXPECT_THAT(
      texts(guard(Guard{}, moving(1000, 400, 600), {"A1"})),
      ElementsAre("600 of 1000 memberships would be removed (60.0 %, allowed 10%); the limit is guard.max_removals",
                  "audience 'Gold' would shrink from 1000 to 400 people (60.0 %, allowed 50%); the limit is "
                  "guard.max_audience_shrink"));
  EXPECT_THAT(texts(guard(Guard{}, moving(1000, 4000, 0, 3000), {"A1"})),
              ElementsAre("audience 'Gold' would grow from 1000 to 4000 people (300.0 %, allowed 200%); the limit is "
                          "guard.max_audience_growth"));
}

TEST(GuardText, AnEmptiedAudienceIsToldAsThatAndNotAlsoAsShrinking) {
  auto limits = open_guard();
  limits.allow_empty_audience = false;
  limits.max_audience_shrink = share(0.5);
  EXPECT_THAT(
      texts(guard(limits, moving(150, 0, 150), {"A1"})),
      ElementsAre(
          "audience 'Gold' would be emptied: 150 people before, none after; the limit is guard.allow_empty_audience"));
}

TEST(Guard, AnEmptiedAudienceMayBeAllowedButStillShrinks) {
  auto limits = open_guard();
  EXPECT_THAT(guard(limits, moving(150, 0, 150), {"A1"}), IsEmpty());
  limits.max_audience_shrink = share(0.5);
  EXPECT_THAT(guard(limits, moving(150, 0, 150), {"A1"}), SizeIs(1));
}

TEST(Guard, AnAudienceThatWasEmptyBeforeIsNotEmptied) {
  auto limits = open_guard();
  limits.allow_empty_audience = false;
  EXPECT_THAT(guard(limits, moving(0, 0, 0), {"A1"}), IsEmpty());
}

TEST(Guard, NothingTripsBelowMinPeople) {
  Guard strict;
  strict.max_removals = strict.max_audience_shrink = strict.max_audience_growth = count(0);
  strict.min_people = 100;
  EXPECT_THAT(guard(strict, moving(99, 0, 99), {"A1"}), IsEmpty());
  EXPECT_THAT(guard(strict, moving(99, 5000, 0, 4901), {"A1"}), IsEmpty());
  EXPECT_THAT(guard(strict, moving(100, 0, 100), {"A1"}), SizeIs(2));
}

TEST(Guard, ASmallAudienceMayVanishWhereTheWholeIsLarge) {
  Guard limits;
  Bulk bulk = moving(50, 0, 50);
  bulk.audiences.push_back({"A2", "Silver", 5000, 5000, 0, 0});
  EXPECT_THAT(guard(limits, bulk, {"A1", "A2"}), IsEmpty());
}

TEST(Guard, AWithdrawnAudienceCountsForRemovalsOnly) {
  Guard limits;
  limits.max_removals = share(0.5);
  Bulk bulk = moving(400, 0, 400);
  bulk.audiences.push_back({"A2", "Silver", 600, 600, 0, 0});
  EXPECT_THAT(guard(limits, bulk, {"A2"}), IsEmpty());

  limits.max_removals = share(0.1);
  EXPECT_THAT(
      texts(guard(limits, bulk, {"A2"})),
      ElementsAre("400 of 1000 memberships would be removed (40.0 %, allowed 10%); the limit is guard.max_removals"));
}

TEST(Guard, RemovalsAreCountedOverAllAudiences) {
  Guard limits = open_guard();
  limits.max_removals = share(0.1);
  Bulk bulk = moving(500, 440, 60);
  bulk.audiences.push_back({"A2", "Silver", 500, 450, 0, 50});
  EXPECT_THAT(guard(limits, bulk, {"A1", "A2"}), SizeIs(1)) << "110 of 1000";
  bulk.audiences.back().left = 40;
  EXPECT_THAT(guard(limits, bulk, {"A1", "A2"}), IsEmpty()) << "100 of 1000";
}

TEST(Guard, AFirstIngestTripsNothing) { EXPECT_THAT(guard(Guard{}, moving(0, 50'000, 0, 50'000), {"A1"}), IsEmpty()); }

}  // namespace
}  // namespace audiencesync
