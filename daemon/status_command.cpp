#include <ostream>

#include "daemon/commands.h"
#include "daemon/status_text.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

// Enough to see since when a person is waited for, with a run every hour.
constexpr std::size_t kRunsLookedThrough = 1000;

}  // namespace

ExitCode status_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto syncs = read_syncs(options, *settings, adapters, kRunsLookedThrough);
  if (!syncs.ok()) {
    say_error(console, syncs.error());
    return exit_code(syncs.error().code());
  }
  const Time now = adapters.clock.now();
  if (options.format == Format::Json) {
    Value::Array values;
    for (const auto& records : *syncs) values.push_back(status_value(records, now));
    console.out << to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(values)}}) << "\n";
    return ExitCode::Converged;
  }
  std::string text;
  for (const auto& records : *syncs) text += (text.empty() ? "" : "\n") + status_text(records, now);
  console.out << (text.empty() ? "no sync ran yet\n" : text);
  return ExitCode::Converged;
}

}  // namespace audiencesync
