#pragma once

#include <mutex>
#include <string>

#include "engine/base/clock.h"
#include "engine/report/event_sink.h"

namespace audiencesync {

/// Events of a child, one JSON object a line into a pipe: {"event","level","fields"} or {"progress",...}; progress at
/// most once a second. When nobody reads any more, events are lost and the work goes on.
class PipeEvents final : public EventSink {
 public:
  /// `descriptor` is borrowed.
  PipeEvents(int descriptor, const Clock& clock) : descriptor_(descriptor), clock_(clock) {}

  void emit(std::string_view name, std::initializer_list<Field> fields) override { write(name, "info", fields); }
  void warn(std::string_view name, std::initializer_list<Field> fields) override { write(name, "warning", fields); }
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) override;

 private:
  void write(std::string_view name, const char* level, std::initializer_list<Field> fields);
  void send(const Value& value);

  const int descriptor_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string what_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace audiencesync
