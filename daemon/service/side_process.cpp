#include "daemon/service/side_process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};

[[noreturn]] void become(char* const* arguments, pid_t parent) {
  constexpr int kCannotStart = 127;
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != parent) ::_exit(kCannotStart);
  // The daemon takes its signals by a descriptor and so has them blocked.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv("/proc/self/exe", arguments);
  ::_exit(kCannotStart);
}

}  // namespace

void SideProcess::keep(std::vector<std::string> words) {
  stop();
  words_ = std::move(words);
  pause_ = kFirstPause;
  if (!words_.empty()) start();
}

void SideProcess::stop() {
  words_.clear();
  again_ = {};
  exit_ = {};
  if (process_ == 0) return;
  ::kill(process_, SIGTERM);
  // It has nothing that would have to be finished.
  int status = 0;
  for (int looks = 0; looks < 100 && ::waitpid(process_, &status, WNOHANG) == 0; ++looks) ::usleep(10'000);
  if (::waitpid(process_, &status, WNOHANG) == 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, &status, 0);
  }
  process_ = 0;
}

void SideProcess::start() {
  std::vector<char*> arguments;
  static char own_name[] = "audiencesync";
  arguments.push_back(own_name);
  for (auto& word : words_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto parent = ::getpid();
  const auto child = ::fork();
  if (child == 0) become(arguments.data(), parent);
  started_ = clock_.steady();
  if (child < 0) return ended(127);
  process_ = child;
  auto watch = loop_.child(child, [this](int code) { ended(code); });
  if (watch.ok()) exit_ = std::move(watch).take();
  events_.emit(name_ + ".started", {{"pid", static_cast<std::int64_t>(child)}});
}

void SideProcess::ended(int code) {
  process_ = 0;
  // One that worked for a while is not in the same trouble again.
  if (clock_.steady() - started_ > kLongestPause) pause_ = kFirstPause;
  events_.warn(name_ + ".ended", {{"code", code},
                                  {"next", "it is started again"},
                                  {"after_s", std::chrono::duration_cast<std::chrono::seconds>(pause_).count()}});
  auto timer = loop_.at(clock_.steady() + pause_, [this] { start(); });
  pause_ = std::min<Duration>(pause_ * 2, kLongestPause);
  if (timer.ok()) again_ = std::move(timer).take();
}

}  // namespace audiencesync
