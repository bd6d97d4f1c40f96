#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/report/event_sink.h"

namespace audiencesync {

/// Keeps events instead of showing them: for tests and for callers that look at them afterwards. Thread-safe.
class MemoryEvents final : public EventSink {
 public:
  enum class Kind { Event, Warning };
  struct Event {
    Kind kind = Kind::Event;
    std::string name;
    std::map<std::string, Value, std::less<>> fields;
  };
  struct Progress {
    std::string what;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::string unit;
  };

  void emit(std::string_view name, std::initializer_list<Field> fields) override { add(Kind::Event, name, fields); }
  void warn(std::string_view name, std::initializer_list<Field> fields) override { add(Kind::Warning, name, fields); }
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) override {
    const std::scoped_lock lock(mutex_);
    progress_.push_back({std::string(what), done, total, std::string(unit)});
  }

  std::vector<Event> all() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  std::vector<Event> named(std::string_view name) const {
    std::vector<Event> out;
    for (auto& event : all()) {
      if (event.name == name) out.push_back(std::move(event));
    }
    return out;
  }
  std::vector<Progress> all_progress() const {
    const std::scoped_lock lock(mutex_);
    return progress_;
  }

 private:
  void add(Kind kind, std::string_view name, std::initializer_list<Field> fields) {
    Event event{kind, std::string(name), {}};
    for (const auto& [key, value] : fields) event.fields.insert_or_assign(std::string(key), value);
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
  }

  mutable std::mutex mutex_;
  std::vector<Event> events_;
  std::vector<Progress> progress_;
};

}  // namespace audiencesync
