#include "daemon/export_ledger.h"

#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;
using Process = ExportHolder::Process;

/// Each ledger is as good as a process: what it locks ends with it.
class ExportLedgerTest : public ::testing::Test {
 protected:
  ExportLedger process() { return {folder_.path() / "exports", "org-prod", stop_.get_token()}; }
  /// Who is before this sync, "" when the slot is its own.
  std::string take(ExportLedger& ledger, const std::string& uid, Time now = Time(1000s)) {
    const auto before = ledger.take({uid, uid, "dataset-" + uid, "", now});
    EXPECT_TRUE(before.ok()) << before.error().text();
    if (!before.ok() || !before->has_value()) return "";
    return (*before)->uid + ((*before)->process == Process::Alive ? "" : " (gone)");
  }

  TemporaryFolder folder_;
  std::stop_source stop_;
};

TEST_F(ExportLedgerTest, OneHasTheSlotAndTheOthersGetItInTheOrderOfAsking) {
  auto a = process();
  auto b = process();
  auto c = process();
  EXPECT_EQ(take(a, "a"), "");
  EXPECT_EQ(take(a, "a"), "") << "it stays its own";
  EXPECT_EQ(take(b, "b"), "a");
  EXPECT_EQ(take(c, "c"), "a");
  EXPECT_TRUE(a.release("a").ok());
  EXPECT_EQ(take(c, "c"), "b") << "who asked later waits for who asked first";
  EXPECT_EQ(take(a, "a"), "b") << "and who had it goes to the end";
  EXPECT_EQ(take(b, "b"), "");
  EXPECT_TRUE(b.release("b").ok());
  EXPECT_EQ(take(a, "a"), "c");
  EXPECT_EQ(take(c, "c"), "");
}

TEST_F(ExportLedgerTest, ASlotOutlivesItsProcessAndIsVacatedByWhoKnowsItsJob) {
  auto b = process();
  {
    auto a = process();
    EXPECT_EQ(take(a, "a", Time(900s)), "");
    EXPECT_TRUE(a.started("a", "11001").ok());
    EXPECT_EQ(take(b, "b"), "a");
  }
  const auto gone = b.take({"b", "b", "", "", Time(1000s)});
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(**gone, (ExportHolder{"a", "a", "dataset-a", "11001", Time(900s), Process::Gone}));
  auto other = **gone;
  other.since = Time(1s);
  EXPECT_TRUE(b.vacate(other).ok());
  EXPECT_EQ(take(b, "b"), "a (gone)") << "that was another time";
  EXPECT_TRUE(b.vacate(**gone).ok());
  EXPECT_EQ(take(b, "b"), "");
}

TEST_F(ExportLedgerTest, ASlotIsNotTakenFromAHolderThatIsBack) {
  auto b = process();
  {
    auto a = process();
    EXPECT_EQ(take(a, "a"), "");
    EXPECT_TRUE(a.started("a", "11001").ok());
  }
  const auto gone = b.take({"b", "b", "", "", Time(1000s)});
  ASSERT_TRUE(gone.ok());
  auto again = process();
  EXPECT_TRUE(again.started("a", "11001").ok());
  EXPECT_TRUE(b.vacate(**gone).ok());
  EXPECT_EQ(take(b, "b"), "a");
}

TEST_F(ExportLedgerTest, AnotherJobOfTheSameHolderIsNotNamedAfterTheOld) {
  auto b = process();
  {
    auto a = process();
    EXPECT_EQ(take(a, "a", Time(900s)), "");
    EXPECT_TRUE(a.started("a", "11001").ok());
  }
  {
    auto a = process();
    EXPECT_EQ(take(a, "a", Time(950s)), "");
  }
  const auto gone = b.take({"b", "b", "", "", Time(1000s)});
  ASSERT_TRUE(gone.ok() && gone->has_value());
  EXPECT_EQ((*gone)->job, "");
  EXPECT_EQ((*gone)->since, Time(900s)) << "what was begun since then may be its job";
}

TEST_F(ExportLedgerTest, WhoIsNotThereKeepsItsPlaceForAWhileAndHoldsNobodyUp) {
  auto a = process();
  auto c = process();
  EXPECT_EQ(take(a, "a"), "");
  {
    auto b = process();
    EXPECT_EQ(take(b, "b"), "a");
  }
  EXPECT_EQ(take(c, "c"), "a");
  {
    auto b = process();
    EXPECT_EQ(take(b, "b"), "a");
    EXPECT_TRUE(a.release("a").ok());
    EXPECT_EQ(take(c, "c"), "b") << "back in time, it is still before the other";
  }
  EXPECT_EQ(take(c, "c"), "");
  EXPECT_TRUE(c.release("c").ok());

  EXPECT_EQ(take(a, "a", Time(1000s + 24h)), "");
  EXPECT_EQ(take(c, "c", Time(1000s + 24h)), "a");
  auto b = process();
  EXPECT_EQ(take(b, "b", Time(1000s + 24h)), "a");
  EXPECT_TRUE(a.release("a").ok());
  EXPECT_EQ(take(b, "b", Time(1000s + 24h)), "c") << "after a day its place is gone";
}

TEST_F(ExportLedgerTest, ADamagedFileIsNobodys) {
  auto a = process();
  auto b = process();
  EXPECT_EQ(take(a, "a"), "");
  testing::write_file(folder_.path() / "exports" / "org-prod.json", R"({"holder":{"uid":)");
  EXPECT_EQ(take(b, "b"), "");
}

TEST_F(ExportLedgerTest, WhoIsStoppedDoesNotWaitForTheFile) {
  auto a = process();
  EXPECT_EQ(take(a, "a"), "");
  const auto book = LockedFile::open(folder_.path() / "exports" / "org-prod.lock");
  ASSERT_TRUE(book.has_value());
  stop_.request_stop();
  auto b = process();
  const auto taken = b.take({"b", "b", "", "", Time(1000s)});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code(), ErrorCode::Interrupted);
}

}  // namespace
}  // namespace audiencesync
