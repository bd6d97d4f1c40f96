#include "daemon/service/pipe_events.h"

#include <unistd.h>

#include <cerrno>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kBetweenTwo{1};

}  // namespace

void PipeEvents::progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) {
  {
    const std::scoped_lock lock(mutex_);
    const auto now = clock_.steady();
    if (what == what_ && now - told_ < kBetweenTwo) return;
    what_ = what;
    told_ = now;
  }
  send(Value::Object{{"progress", what}, {"done", done}, {"total", total}, {"unit", unit}});
}

void PipeEvents::write(std::string_view name, const char* level, std::initializer_list<Field> fields) {
  Value::Object object;
  for (const auto& [key, value] : fields) object.emplace(key, value);
  send(Value::Object{{"event", name}, {"level", level}, {"fields", std::move(object)}});
}

void PipeEvents::send(const Value& value) {
  const auto line = to_json(value) + "\n";
  std::string_view rest = line;
  const std::scoped_lock lock(mutex_);
  while (!rest.empty()) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace audiencesync
