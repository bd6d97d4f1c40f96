#include "daemon/hidden_prompt.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace audiencesync {
namespace {

constexpr int kBetweenLooks = 100;  // milliseconds

class EchoOff {
 public:
  EchoOff() : known_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (known_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  bool known_;
};

}  // namespace

std::optional<std::string> ask_without_echo(const std::string& question, const std::stop_token& stop) {
  // In this order: what is typed at the sight of the question must neither be shown nor thrown away.
  const EchoOff quiet;
  std::cerr << question << std::flush;
  // A signal is taken by another thread, so reading would go on through it.
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (!stop.stop_requested() && poll(&input, 1, kBetweenLooks) <= 0) {
  }
  std::string answer;
  const bool read = !stop.stop_requested() && std::getline(std::cin, answer);
  std::cerr << "\n" << std::flush;
  return read ? std::optional(answer) : std::nullopt;
}

}  // namespace audiencesync
