#include <ostream>

#include "daemon/commands.h"
#include "engine/base/json.h"
#include "engine/report/plan_schema.h"

namespace audiencesync {

ExitCode schema_command(const Options& options, const Console& console) {
  const auto& word = options.arguments.front();
  const auto schema = word == "plan"       ? plan_json_schema()
                      : word == "settings" ? settings_json_schema()
                                           : manifest_json_schema();
  console.out << to_json_pretty(schema) << "\n";
  return ExitCode::Converged;
}

}  // namespace audiencesync
