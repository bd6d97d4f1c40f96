#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/control_client.h"
#include "daemon/daemon_command.h"
#include "daemon/hidden_prompt.h"
#include "daemon/program.h"
#include "daemon/run_child.h"
#include "daemon/service/child_process.h"
#include "daemon/service/pipe_events.h"
#include "daemon/settling_buffer.h"
#include "daemon/signals.h"
#include "daemon/user.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/report/spdlog/spdlog_events.h"
#include "engine/store/sqlite/sqlite_store.h"

namespace audiencesync {
namespace {

int run_command(const std::vector<std::string>& arguments, const Signals& signals, const UnderDaemon* daemon) {
  const bool verbose = std::find(arguments.begin(), arguments.end(), "--verbose") != arguments.end();
  PosixFiles files;
  const SystemClock clock;
  http::CurlTransport transport;
  SpdlogEvents events(clock, {.verbosity = verbose ? Verbosity::Normal : Verbosity::Progress});
  const auto user = daemon == nullptr ? current_user() : daemon->job.user;
  const Adapters adapters{files, clock, transport, events, process_environment(), open_sqlite_store,
                          {},    {},    user,      daemon};

  SettlingBuffer settled_out(*std::cout.rdbuf(), [&] { events.settle(); });
  SettlingBuffer settled_err(*std::cerr.rdbuf(), [&] { events.settle(); });
  std::ostream out(&settled_out);
  std::ostream err(&settled_err);
  Console console{out, err, {}};
  if (isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0) {
    console.ask = [](const std::string& question) {
      std::cerr << question << std::flush;
      std::string answer;
      return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
    };
  }
  console.in = &std::cin;
  if (isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0) {
    console.ask_hidden = [&](const std::string& question) { return ask_without_echo(question, signals.stop()); };
  }
  const auto code = run_program(arguments, adapters, console, signals.stop());
  out.flush();
  if (signals.caught() != 0) return 128 + signals.caught();
  return static_cast<int>(code);
}

// Started by a daemon: a run, or the command of an operator whose terminal we were given.
int run_for_daemon() {
  const Signals signals;
  auto job = read_child_job();
  if (!job.ok()) {
    std::cerr << "error: " << job.error().text() << "\n";
    return static_cast<int>(ExitCode::Usage);
  }
  const UnderDaemon daemon{std::move(job).take(), kLockDescriptor};
  if (daemon.job.kind == ChildJob::Kind::Command) return run_command(daemon.job.words, signals, &daemon);
  PosixFiles files;
  const SystemClock clock;
  http::CurlTransport transport;
  PipeEvents events(kEventsDescriptor, clock);
  const Adapters adapters{files, clock, transport,       events, process_environment(), open_sqlite_store,
                          {},    {},    daemon.job.user, &daemon};
  return static_cast<int>(run_child(adapters, signals.stop()));
}

}  // namespace
}  // namespace audiencesync

int main(int argc, char** argv) {
  using namespace audiencesync;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto first = arguments.empty() ? std::string() : arguments.front();
  if (first == kChildWord) return run_for_daemon();
  // Before anything makes a thread: the daemon forks.
  if (first == "daemon") return daemon_command(arguments);
  if (const auto code = ask_daemon(arguments)) return *code;
  const Signals signals;
  return run_command(arguments, signals, nullptr);
}
