#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/session.h"
#include "engine/base/json.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

const char* phase_text(Phase phase) {
  switch (phase) {
    case Phase::Refresh:
      return "refresh";
    case Phase::Converge:
      return "converge";
    case Phase::Prove:
      return "prove";
  }
  return "";
}

Value stages_value(const Registry& registry) {
  Value::Array stages;
  for (const auto& stage : registry.stages()) {
    stages.push_back(Value::Object{{"name", stage.name},
                                   {"phase", phase_text(stage.phase)},
                                   {"needs", Value::Array(stage.needs.begin(), stage.needs.end())},
                                   {"summary", stage.summary}});
  }
  return Value::Object{{"version", 1}, {"stages", std::move(stages)}};
}

std::string stages_text(const Registry& registry) {
  std::size_t width = 0;
  for (const auto& stage : registry.stages()) width = std::max(width, stage.name.size());
  const auto row = [&](std::string_view name, std::string_view phase, std::string_view tells) {
    return paragraph(fmt::format("{:<{}}  {:<8}  ", name, width, phase), tells);
  };
  std::string out = row("stage", "phase", "what it does");
  for (const auto& stage : registry.stages()) {
    std::string tells = stage.summary;
    if (!stage.needs.empty()) tells += fmt::format(" Needs {}.", fmt::join(stage.needs, ", "));
    out += row(stage.name, phase_text(stage.phase), tells);
  }
  return out +
         "\nrefresh: makes a new export, needs no approval; converge: makes the target as\n"
         "the manifest declares it; prove: only reads, and stops nothing\n";
}

}  // namespace

ExitCode stages_command(const Options& options, const Console& console) {
  const auto registry = program_stages();
  if (!registry.ok()) {
    say_error(console, registry.error());
    return exit_code(registry.error().code());
  }
  console.out << (options.format == Format::Json ? to_json_pretty(stages_value(*registry)) + "\n"
                                                 : stages_text(*registry));
  return ExitCode::Converged;
}

}  // namespace audiencesync
