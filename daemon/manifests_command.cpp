#include <fmt/format.h>

#include <ostream>

#include "daemon/commands.h"
#include "daemon/gitops/git_source.h"
#include "daemon/manifest_place.h"
#include "daemon/sync_records.h"
#include "engine/base/json.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

std::string set_text(const Settings& settings, const std::optional<GitState>& state, const ManifestSet& set, Time now) {
  auto text = paragraph("", manifest_place(settings));
  if (state && !state->commit.empty()) {
    text += paragraph("  commit   ", state->commit + (state->signer.empty() ? "" : ", signed by " + state->signer));
  }
  if (state && state->looked) text += paragraph("  looked   ", ago_text(*state->looked, now));
  for (const auto& each : set.manifests) {
    const auto& manifest = each.manifest;
    text += paragraph(
        "  sync     ",
        fmt::format("{}{}: {}", manifest.name,
                    manifest.uid == manifest.name ? "" : fmt::format(" (uid {})", manifest.uid), each.file()));
  }
  if (set.manifests.empty()) text += "  no manifest\n";
  for (const auto& warning : set.warnings) text += paragraph("  warning  ", warning);
  for (const auto& rejected : set.rejected) {
    for (const auto& problem : rejected.problems) text += paragraph("  refused  ", problem);
  }
  return text;
}

Value set_value(const Settings& settings, const std::optional<GitState>& state, const ManifestSet& set) {
  Value::Array manifests;
  for (const auto& each : set.manifests) {
    manifests.push_back(
        Value::Object{{"sync", each.manifest.uid}, {"name", each.manifest.name}, {"file", each.file()}});
  }
  Value::Array refused;
  for (const auto& each : set.rejected) {
    refused.push_back(
        Value::Object{{"file", each.file}, {"problems", Value::Array(each.problems.begin(), each.problems.end())}});
  }
  Value value = Value::Object{{"version", 1},
                              {"place", manifest_place(settings)},
                              {"commit", set.commit},
                              {"manifests", std::move(manifests)},
                              {"refused", std::move(refused)},
                              {"warnings", Value::Array(set.warnings.begin(), set.warnings.end())}};
  if (state) value["branch"] = state->to_value();
  return value;
}

}  // namespace

ExitCode manifests_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  std::optional<GitState> state;
  if (settings->git) {
    auto known = options.fetch ? look_at_branch(adapters, *settings) : known_of_branch(adapters.files, *settings);
    if (!known.ok()) return fail(known.error());
    state = std::move(known).take();
  }
  const auto unreached = state && state->unreached;
  auto set = manifests_of_settings(adapters, *settings);
  if (!set.ok()) {
    say_error(console, set.error());
    return unreached ? ExitCode::NotFinished : ExitCode::Invalid;
  }
  console.out << (options.format == Format::Json ? to_json_pretty(set_value(*settings, state, *set)) + "\n"
                                                 : set_text(*settings, state, *set, adapters.clock.now()));
  if (unreached) return ExitCode::NotFinished;
  return set->rejected.empty() ? ExitCode::Converged : ExitCode::Invalid;
}

}  // namespace audiencesync
