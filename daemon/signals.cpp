#include "daemon/signals.h"

#include <csignal>

namespace audiencesync {
namespace {

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A peer that closes its connection must be an error of that call, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  waiter_ = std::jthread([this](const std::stop_token& over) {
    const sigset_t waited = stopping_signals();
    while (true) {
      const int signal = sigwaitinfo(&waited, nullptr);
      if (over.stop_requested()) return;
      if (signal <= 0) continue;
      // The second one does not wait for an orderly end; the intent log makes that safe.
      if (caught_ != 0) std::_Exit(128 + signal);
      caught_ = signal;
      source_.request_stop();
    }
  });
}

Signals::~Signals() {
  waiter_.request_stop();
  // For that thread alone, which then ends at once: no command may take longer than its work.
  pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
}

}  // namespace audiencesync
