#pragma once

#include <string>
#include <vector>

#include "engine/report/event_sink.h"

namespace audiencesync {

/// Events of the daemon: into the journal with their fields (`journalctl SYNC=luma-loyalty`), when stderr leads there;
/// else one line each to stderr. Progress is not kept. Thread-safe.
class JournalEvents final : public EventSink {
 public:
  using Fields = std::vector<std::pair<std::string, Value>>;

  JournalEvents();
  void emit(std::string_view name, std::initializer_list<Field> fields) override;
  void warn(std::string_view name, std::initializer_list<Field> fields) override;
  void progress(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}

  /// The same with fields that are known at run time only. `priority` as syslog numbers it.
  void write(int priority, std::string_view name, const Fields& fields);

 private:
  bool journal_;
};

}  // namespace audiencesync
