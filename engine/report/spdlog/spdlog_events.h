#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/clock.h"
#include "engine/report/event_sink.h"

namespace spdlog {
class logger;
}

namespace audiencesync {

enum class Verbosity {
  Normal,    // every event
  Progress,  // warnings, and how far long work is
  Quiet,     // warnings only
};
enum class Terminal { Detect, Yes, No };

struct SpdlogEventsOptions {
  Verbosity verbosity = Verbosity::Normal;
  Terminal terminal = Terminal::Detect;  // of `stream`; one named "dumb" is none
  std::FILE* stream = stderr;            // borrowed
};

/// One line for each event: `name key=value ...`, values quoted as JSON where they would be ambiguous.
///
/// Progress is one line rewritten at most ten times a second on a terminal, else a plain line at most every five
/// seconds; work that ends sooner shows none. Whoever else writes to the same terminal calls `settle` first. Colours on
/// a terminal only, and not when NO_COLOR is set. Thread-safe.
class SpdlogEvents final : public EventSink {
 public:
  explicit SpdlogEvents(const Clock& clock, SpdlogEventsOptions options = {});
  SpdlogEvents(const SpdlogEvents&) = delete;
  SpdlogEvents& operator=(const SpdlogEvents&) = delete;
  ~SpdlogEvents() override;

  void emit(std::string_view name, std::initializer_list<Field> fields) override;
  void warn(std::string_view name, std::initializer_list<Field> fields) override;
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) override;

  /// Takes away the progress line that stands on the terminal, if any.
  void settle();

 private:
  struct Work {
    std::string what;
    std::uint64_t done = 0;
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point shown;  // when it was last shown, or began
    std::size_t lines = 0;                        // shown so far
  };
  void follow(std::string_view what, std::uint64_t done, std::chrono::steady_clock::time_point now);
  void show(const std::string& line);
  void clear_line();

  const Clock& clock_;
  SpdlogEventsOptions options_;
  bool terminal_;
  std::unique_ptr<spdlog::logger> logger_;
  std::mutex mutex_;
  Work work_;
  bool line_open_ = false;  // the cursor stands behind a progress line
};

}  // namespace audiencesync
