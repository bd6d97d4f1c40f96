#include "daemon/service/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "daemon/service/data_limit.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
// Above everything that a child is given, so that no copy of one overwrites another.
constexpr int kOutOfTheWay = 16;
// A run goes before the daemon when the machine has no memory left.
constexpr const char* kTakeMeFirst = "500";

Error failed_to(const char* what) {
  return Error(ErrorCode::Io, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

Result<void> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed_to("write down what a child is to do");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// In memory: nothing of it is on a disk, and it is gone with the last process that has it open.
Result<Descriptor> written_job(const ChildJob& job) {
  Descriptor file(::memfd_create("audiencesync-job", MFD_CLOEXEC));
  if (!file) return failed_to("make room for what a child is to do");
  TRY(write_all(file.get(), to_json(job.to_value())));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return failed_to("rewind what a child is to do");
  return file;
}

Result<Descriptor> out_of_the_way(int descriptor) {
  Descriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, kOutOfTheWay));
  if (!copy) return failed_to("copy a descriptor for a child");
  return copy;
}

struct Given {
  Descriptor source;
  int as = -1;
};

// Between fork and exec: only calls that are safe there, nothing is allocated.
[[noreturn]] void become_child(const std::vector<Given>& given, char* const* arguments, std::uint64_t data_limit,
                               pid_t parent) {
  constexpr int kCannotStart = 127;
  for (const auto& each : given) {
    if (::dup2(each.source.get(), each.as) < 0) ::_exit(kCannotStart);
  }
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(kCannotStart);
  limit_data(0, data_limit);
  const rlimit no_core{0, 0};  // its memory holds person ids
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    [[maybe_unused]] const auto written = ::write(score, kTakeMeFirst, std::strlen(kTakeMeFirst));
    ::close(score);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(kThisProgram, arguments);
  ::_exit(kCannotStart);
}

}  // namespace

Result<pid_t> start_child(const ChildJob& job, const ChildSetup& setup) {
  const auto text = TRY(written_job(job));
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing) return failed_to("open /dev/null");
  const auto or_nothing = [&](int descriptor) { return descriptor >= 0 ? descriptor : nothing.get(); };
  std::vector<Given> given;
  for (const auto& [source, as] :
       {std::pair(or_nothing(setup.in), STDIN_FILENO), std::pair(or_nothing(setup.out), STDOUT_FILENO),
        std::pair(or_nothing(setup.err), STDERR_FILENO), std::pair(text.get(), kJobDescriptor),
        std::pair(or_nothing(setup.lock), kLockDescriptor), std::pair(or_nothing(setup.events), kEventsDescriptor)}) {
    auto copy = TRY(out_of_the_way(source));
    given.push_back({std::move(copy), as});
  }
  std::string name = "audiencesync";
  std::string word = kChildWord;
  std::string title = setup.title;
  std::array<char*, 4> arguments{name.data(), word.data(), title.data(), nullptr};
  const auto parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return failed_to("start a process");
  if (child == 0) become_child(given, arguments.data(), setup.data_limit, parent);
  return child;
}

Result<ChildJob> read_child_job(int descriptor) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed_to("read what this child is to do; it is started by the daemon only");
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(descriptor);
  const auto value = TRY(parse_json(text).in("the job of a child of the daemon"));
  return ChildJob::from_value(value);
}

}  // namespace audiencesync
