#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/hidden_prompt.h"
#include "daemon/program.h"
#include "daemon/settling_buffer.h"
#include "daemon/signals.h"
#include "daemon/user.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/report/spdlog/spdlog_events.h"
#include "engine/store/sqlite/sqlite_store.h"

int main(int argc, char** argv) {
  using namespace audiencesync;
  const Signals signals;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool verbose = std::find(arguments.begin(), arguments.end(), "--verbose") != arguments.end();

  PosixFiles files;
  const SystemClock clock;
  http::CurlTransport transport;
  SpdlogEvents events(clock, {.verbosity = verbose ? Verbosity::Normal : Verbosity::Progress});
  const Adapters adapters{files, clock, transport,     events, process_environment(), open_sqlite_store,
                          {},    {},    current_user()};

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
