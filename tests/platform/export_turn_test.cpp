#include "plugins/export/export_turn.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/platform/fake_world.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Process = ExportHolder::Process;

/// One slot in memory; its holder is set by the test.
class MemorySlots final : public ExportSlots {
 public:
  Result<std::optional<ExportHolder>> take(const ExportHolder& ours) override {
    if (on_take) on_take();
    ++asked;
    if (!holder || holder->uid == ours.uid) holder = ours;
    return holder->uid == ours.uid ? std::optional<ExportHolder>() : holder;
  }
  Result<void> started(const std::string& uid, const std::string& job) override {
    if (holder && holder->uid == uid) holder->job = job;
    return {};
  }
  Result<void> release(const std::string& uid) override {
    if (holder && holder->uid == uid) holder.reset();
    return {};
  }
  Result<void> vacate(const ExportHolder& gone) override {
    if (holder && holder->uid == gone.uid) holder.reset();
    return {};
  }

  std::optional<ExportHolder> holder;
  std::function<void()> on_take;
  int asked = 0;
};

class ExportTurnTest : public testing::Test {
 protected:
  ExportTurnTest() { world.services.export_slots = &slots; }

  void holds(Process process, const std::string& job) {
    slots.holder = ExportHolder{"red", "Red", "S-red", job, world.clock.now(), process};
  }
  void job(const std::string& status, Duration age = {}) {
    world.client.on("GET /data/core/ups/export/jobs/9", text(status, age));
  }
  std::string text(const std::string& status, Duration age = {}) const {
    return fmt::format(R"({{"id":9,"status":"{}","creationTime":{},"destination":{{"datasetId":"S-red"}}}})", status,
                       to_epoch_ms(world.clock.now() - age));
  }
  Result<void> wait() {
    auto context = world.write();
    return await_export_turn(world.client, "S-luma", context);
  }

  FakeWorld world;
  MemorySlots slots;
};

TEST_F(ExportTurnTest, AFreeSlotIsTakenWithoutAWord) {
  EXPECT_TRUE(wait().ok());
  EXPECT_EQ(slots.holder->uid, "luma");
  EXPECT_THAT(world.events.names, ElementsAre());
  ASSERT_TRUE(name_export_job("12", world.write()).ok());
  EXPECT_EQ(slots.holder->job, "12");
  ASSERT_TRUE(end_export_turn(world.write()).ok());
  EXPECT_FALSE(slots.holder.has_value());
}

TEST_F(ExportTurnTest, AHolderThatLivesIsWaitedForAndNobodyIsAsked) {
  holds(Process::Alive, "9");
  slots.on_take = [&] {
    if (slots.asked == 5) slots.holder.reset();
  };
  EXPECT_TRUE(wait().ok());
  EXPECT_EQ(slots.holder->uid, "luma");
  EXPECT_THAT(world.events.names, ElementsAre("export.waits", "export.turn"));
  EXPECT_EQ(world.client.count("GET"), 0U);
}

TEST_F(ExportTurnTest, ALongWaitEndsWithWhoHoldsTheSlot) {
  holds(Process::Alive, "9");
  const auto waited = wait();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), ErrorCode::NotFinished);
  EXPECT_THAT(waited.error().text(), HasSubstr("waits for the export slot of sandbox prod, held by Red (job 9) since"));
  EXPECT_EQ(slots.holder->uid, "red");
}

TEST_F(ExportTurnTest, TheJobOfAHolderThatIsGoneKeepsTheSlotWhileItRuns) {
  holds(Process::Gone, "9");
  world.client.on("GET /data/core/ups/export/jobs/9",
                  {{200, text("PROCESSING")}, {200, text("PROCESSING")}, {200, text("SUCCEEDED")}});
  EXPECT_TRUE(wait().ok());
  EXPECT_EQ(slots.holder->uid, "luma");
  EXPECT_EQ(world.client.count("GET"), 3U) << "once in a poll_export, however often the queue is looked at";
  EXPECT_EQ(world.client.count("DELETE"), 0U);
}

TEST_F(ExportTurnTest, ItIsCancelledOncePastItsDeadline) {
  holds(Process::Gone, "9");
  job("PROCESSING", world.settings.timing.deadline_export + std::chrono::minutes(1));
  world.client.on("DELETE /data/core/ups/export/jobs/9", "");
  EXPECT_TRUE(wait().ok());
  EXPECT_EQ(slots.holder->uid, "luma");
  EXPECT_EQ(world.client.count("DELETE"), 1U);
  EXPECT_THAT(world.events.names, ElementsAre("export.waits", "export.cancelled", "export.turn"));
}

TEST_F(ExportTurnTest, AJobThatNobodyNamedIsFoundByItsDataset) {
  holds(Process::Gone, "");
  world.client.on("GET /data/core/ups/export/jobs",
                  fmt::format(R"({{"records":[{}],"link":{{"next":""}}}})", text("PROCESSING")));
  const auto waited = wait();
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), ErrorCode::NotFinished);
  EXPECT_EQ(slots.holder->uid, "red");
}

TEST_F(ExportTurnTest, WithoutAnyJobTheSlotIsFreeOnceThatIsProven) {
  holds(Process::Gone, "");
  world.client.on("GET /data/core/ups/export/jobs", R"({"records":[],"link":{"next":""}})");
  const auto begun = world.clock.now();
  EXPECT_TRUE(wait().ok());
  EXPECT_EQ(slots.holder->uid, "luma");
  EXPECT_GE(world.clock.now() - begun, world.settings.timing.settle);
}

TEST_F(ExportTurnTest, WithoutSlotsNobodyWaits) {
  world.services.export_slots = nullptr;
  EXPECT_TRUE(wait().ok());
  EXPECT_TRUE(name_export_job("12", world.write()).ok());
  EXPECT_TRUE(end_export_turn(world.write()).ok());
}

}  // namespace
}  // namespace audiencesync
