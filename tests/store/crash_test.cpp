#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <random>
#include <set>

#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

// What one life of a process does, over and over: run, change, intents, commit, ends. Picks up what an earlier life
// left. Reports each durable step through a pipe, after the call returned: what was reported must be found again.
class Life {
 public:
  Life(Store& store, int report) : store_(store), report_(report) {}

  [[noreturn]] void live() {
    while (true) {
      const auto run = must(store_.begin_run("loyalty", "d", Value::Object{}, at(1)));
      auto open = must(store_.open_changes("loyalty"));
      const auto change = open.empty() ? must(store_.open_change(run.id, change_named("target"), at(2))) : open.front();
      ingest(change.id);
      must(store_.close_change(change.id, "done", Value(), at(6)));
      must(store_.end_run(run.id, "converged", Value(), at(7)));
    }
  }

 private:
  void ingest(std::int64_t change) {
    const auto batch = must(store_.open_intent(change, "batch", "generation", at(3)));
    if (batch.fresh) say(batch.number);
    if (!batch.result) must(store_.close_intent(batch.id, batch.number, at(4)));
    const auto commit = must(store_.open_intent(change, "commit", "", at(5)));
    if (commit.result) return;
    const auto snapshot = snapshot_of("loyalty/analytics", batch.number);
    must(store_.commit(commit.id, snapshot, batch_of(snapshot),
                       {{"loyalty/analytics", fmt::format("person-{}", batch.number), "bad", snapshot.batch, at(5)}},
                       at(5)));
    say(-batch.number);
  }

  void say(std::int64_t what) {
    if (::write(report_, &what, sizeof what) != sizeof what) ::_exit(2);
  }

  Store& store_;
  int report_;
};

class CrashTest : public testing::Test {
 protected:
  enum class Count { FromItsBirth, FromItsFirstCommit };  // a slow machine may not get to a commit in a short life

  // Lets a child live for a while, kills it, and takes down what it reported.
  void live_and_die(std::chrono::microseconds lifetime, Count count) {
    int report[2];
    ASSERT_EQ(::pipe(report), 0);
    const auto child = ::fork();
    if (child == 0) {
      ::close(report[0]);
      auto store = open_sqlite_store(file, OpenMode::ReadWrite);
      if (!store.ok()) {
        std::fprintf(stderr, "%s\n", store.error().text().c_str());
        ::_exit(1);
      }
      Life(**store, report[1]).live();
    }
    ::close(report[1]);
    std::int64_t said = 0;
    while (count == Count::FromItsFirstCommit && said >= 0 && hear(report[0], said)) {
    }
    ::usleep(static_cast<useconds_t>(lifetime.count()));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
    while (hear(report[0], said)) {
    }
    ::close(report[0]);
  }

  // Takes down one report; false at the end of them.
  bool hear(int report, std::int64_t& said) {
    if (::read(report, &said, sizeof said) != sizeof said) return false;
    if (said < 0) {
      committed.insert(-said);
    } else {
      EXPECT_TRUE(handed_out.insert(said).second) << "number " << said << " was handed out twice";
    }
    return true;
  }

  void check_what_is_left() {
    auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
    const auto current = must(store->current("loyalty/analytics"));
    const auto batches = must(store->batches("loyalty/analytics"));
    std::set<std::int64_t> ledger;
    for (const auto& batch : batches) EXPECT_TRUE(ledger.insert(batch.generation).second);
    for (const auto generation : committed) EXPECT_TRUE(ledger.contains(generation)) << "lost commit " << generation;
    ASSERT_EQ(current.has_value(), !ledger.empty());
    if (current) {
      EXPECT_EQ(current->generation, *ledger.rbegin());
      const auto people = must(store->quarantine("loyalty/analytics"));
      ASSERT_EQ(people.size(), 1U);
      EXPECT_EQ(people[0].person, fmt::format("person-{}", current->generation));
    }
    std::size_t open_runs = 0;
    for (const auto& run : must(store->runs("loyalty", 100'000))) open_runs += run.ended ? 0 : 1;
    EXPECT_LE(open_runs, 1U);
    EXPECT_LE(must(store->open_changes("loyalty")).size(), 1U);
  }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "store.db";
  std::set<std::int64_t> handed_out;
  std::set<std::int64_t> committed;
};

TEST_F(CrashTest, KilledAtAnyMomentNothingReportedIsLostAndNothingIsDoubled) {
  std::mt19937 random(20260102);
  std::uniform_int_distribution<int> lifetime(500, 60'000);
  for (int round = 0; round < 60; ++round) {
    live_and_die(std::chrono::microseconds(lifetime(random)),
                 round % 2 == 0 ? Count::FromItsBirth : Count::FromItsFirstCommit);
    check_what_is_left();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(committed.size(), 10U) << "the children hardly did anything: the test proves nothing";
}

TEST_F(CrashTest, AReaderOpensWhatAKilledWriterLeft) {
  for (int round = 0; round < 5; ++round) {
    live_and_die(std::chrono::milliseconds(20), Count::FromItsFirstCommit);
    const auto reader = must(open_sqlite_store(file, OpenMode::ReadOnly));
    const auto current = must(reader->current("loyalty/analytics"));
    ASSERT_TRUE(current.has_value());
    EXPECT_GE(current->generation, *committed.rbegin());
  }
}

}  // namespace
}  // namespace audiencesync
