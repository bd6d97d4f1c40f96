#include "engine/store/state_lock.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>

#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;

// A child process that holds the lock until it is told to end.
class Holder {
 public:
  explicit Holder(const Path& state) {
    int ready[2];
    if (::pipe(ready) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      auto lock = StateLock::acquire(state, "apply");
      const char answer = lock.ok() ? 'y' : 'n';
      if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    ::close(ready[1]);
    if (::read(ready[0], &answer_, 1) != 1) answer_ = '?';
    ::close(ready[0]);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }
  bool holds() const { return answer_ == 'y'; }
  pid_t pid() const { return child_; }
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  pid_t child_ = -1;
  char answer_ = '?';
};

class StateLockTest : public testing::Test {
 protected:
  Scratch scratch;
  Path state = scratch.folder() / "state";
};

TEST_F(StateLockTest, OneHolderAtATimeAndTheOtherLearnsWho) {
  const Holder holder(state);
  ASSERT_TRUE(holder.holds());

  const auto second = StateLock::acquire(state, "plan");

  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::Locked);
  EXPECT_THAT(second.error().text(), HasSubstr("held by pid " + std::to_string(holder.pid()) + " (apply)"));
  EXPECT_THAT(second.error().text(), HasSubstr("since 20"));
  EXPECT_THAT(second.error().text(), HasSubstr("wait for it to end"));
}

TEST_F(StateLockTest, AKilledHolderNeverBlocksThoughItsTextIsLeft) {
  Holder holder(state);
  ASSERT_TRUE(holder.holds());
  const auto pid = std::to_string(holder.pid());
  holder.kill();
  EXPECT_THAT(lock_owner(state), HasSubstr(pid));

  const auto lock = StateLock::acquire(state, "apply");

  ASSERT_TRUE(lock.ok()) << lock.error().text();
  EXPECT_THAT(lock_owner(state), HasSubstr("pid " + std::to_string(::getpid()) + " (apply)"));
}

TEST_F(StateLockTest, TwoContendersNeverBothHoldIt) {
  for (int round = 0; round < 20; ++round) {
    Holder first(state);
    Holder second(state);
    EXPECT_TRUE(first.holds());
    EXPECT_FALSE(second.holds());
    first.kill();
    EXPECT_TRUE(StateLock::acquire(state, "apply").ok());
  }
}

TEST_F(StateLockTest, IsFreeAfterItsObjectIsGone) {
  {
    const auto lock = StateLock::acquire(state, "apply");
    ASSERT_TRUE(lock.ok());
    // Of the open file, not of the process: a second opening in the same process is refused as well.
    EXPECT_EQ(StateLock::acquire(state, "apply").error().code(), ErrorCode::Locked);
  }
  EXPECT_EQ(lock_owner(state), "another process") << "the text of a holder that ended was left";
  EXPECT_TRUE(StateLock::acquire(state, "apply").ok());
}

TEST_F(StateLockTest, MovesWithItsObject) {
  auto lock = must(StateLock::acquire(state, "apply"));
  StateLock moved(std::move(lock));
  EXPECT_FALSE(StateLock::acquire(state, "apply").ok());
  moved = must(StateLock::acquire(scratch.folder() / "other", "apply"));
  EXPECT_TRUE(StateLock::acquire(state, "apply").ok());
  EXPECT_FALSE(StateLock::acquire(scratch.folder() / "other", "apply").ok());
}

TEST_F(StateLockTest, AChildThatDropsItsCopyDoesNotUnlockForItsParent) {
  auto lock = std::make_unique<StateLock>(must(StateLock::acquire(state, "apply")));
  const auto child = ::fork();
  if (child == 0) {
    lock.reset();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(StateLock::acquire(state, "apply").error().code(), ErrorCode::Locked);
  EXPECT_THAT(lock_owner(state), HasSubstr("(apply)"));
}

TEST_F(StateLockTest, MakesThePrivateFolder) {
  const auto lock = StateLock::acquire(state / "deep", "apply");
  ASSERT_TRUE(lock.ok());
  struct stat about {};
  ASSERT_EQ(::stat((state / "deep").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat((state / "deep" / "lock").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
}

TEST_F(StateLockTest, RefusesAFolderThatOthersCanWriteTo) {
  std::filesystem::create_directories(state);
  for (const unsigned mode : {0770U, 0702U, 0777U}) {
    std::filesystem::permissions(state, std::filesystem::perms(mode));
    const auto lock = StateLock::acquire(state, "apply");
    ASSERT_FALSE(lock.ok());
    EXPECT_EQ(lock.error().code(), ErrorCode::Invalid);
    EXPECT_THAT(lock.error().text(), HasSubstr("chmod 0700 " + state.string()));
  }
  std::filesystem::permissions(state, std::filesystem::perms(0755));
  EXPECT_TRUE(StateLock::acquire(state, "apply").ok());
}

TEST_F(StateLockTest, DoesNotFollowALinkInPlaceOfTheLock) {
  std::filesystem::create_directories(state);
  std::ofstream(scratch.folder() / "precious") << "keep";
  std::filesystem::create_symlink(scratch.folder() / "precious", state / "lock");
  std::filesystem::permissions(state, std::filesystem::perms(0700));
  EXPECT_EQ(StateLock::acquire(state, "apply").error().code(), ErrorCode::Io);
  EXPECT_EQ(must(PosixFiles().read(scratch.folder() / "precious")), "keep");
}

TEST_F(StateLockTest, TextThatIsNoOwnerIsNotRepeated) {
  std::filesystem::create_directories(state);
  std::ofstream(state / "lock") << "gibberish";
  EXPECT_EQ(lock_owner(state), "another process");
}

}  // namespace
}  // namespace audiencesync
