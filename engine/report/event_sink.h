#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "engine/base/value.h"

namespace audiencesync {

/// Where events go: the journal, a terminal, a test. Names are constant and searchable, all that varies is a field.
/// Fields never hold secrets or person ids. Thread-safe.
class EventSink {
 public:
  using Field = std::pair<std::string_view, Value>;
  virtual ~EventSink() = default;
  virtual void emit(std::string_view name, std::initializer_list<Field> fields) = 0;
  /// Something went wrong and was tolerated; the event says what goes on instead.
  virtual void warn(std::string_view name, std::initializer_list<Field> fields) = 0;
  /// Long work moved on: `done` of `total` in `unit`; shown on terminals, not kept.
  virtual void progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) = 0;
};

}  // namespace audiencesync
