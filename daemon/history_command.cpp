#include <ostream>

#include "daemon/commands.h"
#include "daemon/history_text.h"
#include "engine/base/json.h"

namespace audiencesync {

ExitCode history_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto syncs = read_syncs(options, *settings, adapters, options.limit);
  if (!syncs.ok()) {
    say_error(console, syncs.error());
    return exit_code(syncs.error().code());
  }
  if (options.format == Format::Json) {
    Value::Array values;
    for (const auto& records : *syncs) values.push_back(history_value(records));
    console.out << to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(values)}}) << "\n";
    return ExitCode::Converged;
  }
  std::string text;
  for (const auto& records : *syncs) text += (text.empty() ? "" : "\n") + history_text(records);
  console.out << (text.empty() ? "no sync ran yet\n" : text);
  return ExitCode::Converged;
}

}  // namespace audiencesync
