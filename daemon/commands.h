#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "daemon/program.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

ExitCode validate_command(const Options& options, const Adapters& adapters, const Console& console);
/// `plan` and `apply`: the same work, up to a different point.
ExitCode sync_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop);
/// Compares two exports or snapshots offline and prints who entered and left which audience.
ExitCode diff_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop);
/// Lets a held plan through, or turns it down.
ExitCode approve_command(const Options& options, const Adapters& adapters, const Console& console);
ExitCode status_command(const Options& options, const Adapters& adapters, const Console& console);
ExitCode history_command(const Options& options, const Adapters& adapters, const Console& console);
/// Why a person is, or is not, in each audience. The id comes from the terminal or from stdin and is never printed.
ExitCode explain_command(const Options& options, const Adapters& adapters, const Console& console,
                         std::stop_token stop);
/// Who was rejected and what could not be used; people join the next apply again, or are given up.
ExitCode quarantine_command(const Options& options, const Adapters& adapters, const Console& console);
/// Makes what is known of a target dataset true again, from its rows.
ExitCode state_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop);
/// The rows of a target dataset beside what was proven.
ExitCode verify_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop);
/// Who is in an audience of the target, now or after a past run.
ExitCode members_command(const Options& options, const Adapters& adapters, const Console& console);
/// `suspend` and `resume`.
ExitCode suspend_command(const Options& options, const Adapters& adapters, const Console& console);
ExitCode resume_command(const Options& options, const Adapters& adapters, const Console& console);
/// Back to the memberships of a past run: an `apply` with another goal.
ExitCode rollback_command(const Options& options, const Adapters& adapters, const Console& console,
                          std::stop_token stop);
/// Erases people here, has their memberships ended, and keeps them out. Ids come from the terminal or from stdin.
ExitCode forget_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop);
/// Only a daemon can do that: says that none answers.
ExitCode run_now_command(const Console& console);
ExitCode lock_command(const Options& options, const Adapters& adapters, const Console& console);
/// What the settings' folder or branch holds.
ExitCode manifests_command(const Options& options, const Adapters& adapters, const Console& console);
/// `plan --server`: the plans are another machine's work.
ExitCode remote_plan_command(const Options& options, const Adapters& adapters, const Console& console);
/// The other side of it, until it is told to stop.
ExitCode serve_plans_command(const Options& options, const Adapters& adapters, const Console& console,
                             std::stop_token stop);
ExitCode stages_command(const Options& options, const Console& console);
ExitCode schema_command(const Options& options, const Console& console);
ExitCode completion_command(const Options& options, const Console& console);

/// Prints an error as one line; `what` names what was done to what, "" for nothing.
void say_error(const Console& console, const Error& error);

/// The settings, with --state applied; problems are printed. nullopt: exit 65.
std::optional<Settings> settings_of(const Options& options, const Adapters& adapters, const Console& console);

/// The manifests named on the command line, or all of the settings' folder; every problem of every file is printed.
/// nullopt: exit 65.
std::optional<std::vector<Manifest>> manifests_of(const Options& options, const Settings& settings,
                                                  const Adapters& adapters, const Console& console);

/// Prints problems and warnings of one file; true when there was no problem.
template <class T>
bool report(const Loaded<T>& loaded, const Console& console) {
  for (const auto& warning : loaded.warnings) console.err << "warning: " << warning.text() << "\n";
  for (const auto& problem : loaded.problems) say_error(console, problem);
  return loaded.ok();
}

}  // namespace audiencesync
