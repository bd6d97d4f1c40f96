#include <gmock/gmock.h>

#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class HeldPlanTest : public testing::Test {
 protected:
  HeldPlan plan(const std::string& uid, const std::string& digest, HoldState state = HoldState::Held) {
    HeldPlan made;
    made.uid = uid;
    made.digest = digest;
    made.definition = "d1";
    made.source = "B1";
    made.plan = Value::Object{{"digest", digest}};
    made.since = at(1);
    made.until = at(100);
    made.state = state;
    return must(store->hold_plan(made));
  }
  HeldPlan newest(const std::string& uid) { return must(store->held_plans(uid, 1)).front(); }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "state.db";
  std::unique_ptr<Store> store = must(open_sqlite_store(file, OpenMode::ReadWrite));
};

TEST_F(HeldPlanTest, ComesBackAsItWasHeld) {
  plan("loyalty", "aaaa1111");
  store.reset();
  store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  const auto held = newest("loyalty");
  EXPECT_EQ(held.digest, "aaaa1111");
  EXPECT_EQ(held.definition, "d1");
  EXPECT_EQ(held.source, "B1");
  EXPECT_EQ(held.plan.text("digest"), "aaaa1111");
  EXPECT_EQ(held.since, at(1));
  EXPECT_EQ(held.until, at(100));
  EXPECT_TRUE(held.live());
  EXPECT_FALSE(held.decided);
}

TEST_F(HeldPlanTest, OneOfEachSyncIsLive) {
  plan("loyalty", "aaaa1111");
  plan("other", "bbbb1111");
  plan("loyalty", "cccc1111");
  const auto plans = must(store->held_plans("loyalty", 9));
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_EQ(plans[0].state, HoldState::Held);
  EXPECT_EQ(plans[1].state, HoldState::Stale);
  EXPECT_EQ(newest("other").state, HoldState::Held);
}

TEST_F(HeldPlanTest, AnApprovalKeepsWhoAndWhyAfterItWasApplied) {
  const auto held = plan("loyalty", "aaaa1111");
  must(store->decide_plan(held.id, HoldState::Approved, "alice", "the campaign ended", at(5)));
  EXPECT_TRUE(newest("loyalty").live());
  must(store->decide_plan(held.id, HoldState::Applied, "", "", at(9)));
  EXPECT_EQ(newest("loyalty").state, HoldState::Applied);
  EXPECT_EQ(newest("loyalty").by, "alice");
  EXPECT_EQ(newest("loyalty").reason, "the campaign ended");
  EXPECT_EQ(newest("loyalty").decided, at(9));
  EXPECT_FALSE(store->decide_plan(held.id, HoldState::Approved, "bob", "again", at(10)).ok()) << "once";
}

TEST_F(HeldPlanTest, WhatWasOnlyOfferedIsNotHeldButCanBeApproved) {
  plan("loyalty", "aaaa1111", HoldState::Offered);
  EXPECT_THAT(must(store->held_plans("loyalty", 9)), IsEmpty());
  plan("loyalty", "aaaa2222", HoldState::Offered);
  EXPECT_THAT(must(store->plans_to_approve("aaaa1111")), IsEmpty()) << "a newer one took its place";
  const auto found = must(store->plans_to_approve("aaaa2"));
  ASSERT_THAT(found, SizeIs(1));

  const auto live = plan("loyalty", "bbbb1111");
  EXPECT_THAT(must(store->plans_to_approve("aaaa2")), IsEmpty()) << "what is held takes the place of an offer";
  plan("loyalty", "aaaa3333", HoldState::Offered);
  EXPECT_EQ(newest("loyalty").id, live.id) << "an offer does not touch what is held";
  must(store->decide_plan(must(store->plans_to_approve("aaaa3")).front().id, HoldState::Approved, "a", "b", at(3)));
  EXPECT_EQ(newest("loyalty").digest, "aaaa3333");
  EXPECT_EQ(must(store->held_plans("loyalty", 9))[1].state, HoldState::Stale);
}

TEST_F(HeldPlanTest, APrefixFindsPlansOfEverySync) {
  plan("loyalty", "aaaa1111");
  plan("other", "aaaa2222");
  EXPECT_THAT(must(store->plans_to_approve("aaaa")), SizeIs(2));
  EXPECT_THAT(must(store->plans_to_approve("aaaa2")), SizeIs(1));
  EXPECT_THAT(must(store->plans_to_approve("%")), IsEmpty()) << "a prefix is text, not a pattern";
}

}  // namespace
}  // namespace audiencesync
