#include <ostream>

#include "daemon/commands.h"
#include "daemon/history_text.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

Result<std::vector<AuditRecord>> read_audit(const Options& options, const Settings& settings,
                                            const Adapters& adapters) {
  const auto store = adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly);
  if (store.ok()) return (*store)->audit(options.limit);
  if (store.error().code() == ErrorCode::NotFound) return std::vector<AuditRecord>();
  return store.error();
}

ExitCode history_of_commands(const Options& options, const Settings& settings, const Adapters& adapters,
                             const Console& console) {
  const auto commands = read_audit(options, settings, adapters);
  if (!commands.ok()) {
    say_error(console, commands.error());
    return exit_code(commands.error().code());
  }
  if (options.format == Format::Json) {
    console.out << to_json_pretty(Value::Object{{"version", 1}, {"commands", audit_value(*commands)}}) << "\n";
  } else {
    console.out << audit_text(*commands);
  }
  return ExitCode::Converged;
}

}  // namespace

ExitCode history_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  if (options.audit) return history_of_commands(options, *settings, adapters, console);
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
