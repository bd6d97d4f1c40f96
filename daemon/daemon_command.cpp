#include "daemon/daemon_command.h"

#include <fmt/format.h>

#include <iostream>

#include "daemon/admission.h"
#include "daemon/control_client.h"
#include "daemon/manifest_place.h"
#include "daemon/options.h"
#include "daemon/service/supervisor.h"
#include "engine/store/sqlite/sqlite_store.h"
#include "engine/store/state_lock.h"

namespace audiencesync {
namespace {

int say(const Error& error) {
  std::cerr << "error: " << error.text() << "\n";
  return static_cast<int>(exit_code(error.code()));
}

Result<AcceptedSettings> accepted_settings(const Files& files, const Options& options) {
  AcceptedSettings accepted;
  auto text = TRY(files.read(options.config));
  accepted.texts.emplace(options.config.string(), std::move(text));
  auto loaded = load_settings(TextFiles(accepted.texts), options.config);
  if (!loaded.ok()) {
    // All of them are for the eyes of who runs validate; one is enough to find the file.
    return loaded.problems.front();
  }
  accepted.settings = std::move(*loaded.value);
  if (!options.state.empty()) accepted.settings.state = std::filesystem::absolute(options.state);
  return accepted;
}

Result<void> serve(const Options& options) {
  PosixFiles files;
  const SystemClock clock;
  JournalEvents events;
  const auto first = TRY(accepted_settings(files, options));
  const auto state = first.settings.state;
  const auto lock = TRY(StateLock::acquire(state, "daemon"));
  const auto store = TRY(open_sqlite_store(state / "state.db", OpenMode::ReadWrite));
  Supervisor supervisor(
      {.events = events,
       .clock = clock,
       .files = files,
       .store = *store,
       .environment = process_environment(),
       .state_lock = lock.descriptor(),
       .config = options.config,
       .state = state,
       .socket = options.socket,
       .load_settings = [&] { return accepted_settings(files, options); },
       .open_source = [&](const Settings& settings,
                          const ManifestRules& rules) -> Result<std::unique_ptr<ManifestSource>> {
         return open_manifest_source(files, settings, rules, options.config);
       },
       .plan_server = [&](const Settings& settings) -> std::vector<std::string> {
         if (!settings.listen) return {};
         return {"serve-plans", "--config", options.config.string(), "--state", settings.state.string()};
       },
       .admit = admit_operator_command});
  return supervisor.run();
}

}  // namespace

int daemon_command(const std::vector<std::string>& arguments) {
  auto options = parse_options(arguments);
  if (!options.ok()) return say(options.error());
  if (options->command != Command::Daemon) {
    std::cout << options->help;
    return 0;
  }
  options->config = std::filesystem::absolute(options->config);
  if (options->socket.empty()) {
    // Somebody who tries the daemon by hand has no such folder, and need not have one.
    const Path usual = usual_socket();
    if (std::filesystem::is_directory(usual.parent_path())) options->socket = usual;
  } else {
    options->socket = std::filesystem::absolute(options->socket);
  }
  const auto served = serve(*options);
  return served.ok() ? 0 : say(served.error());
}

}  // namespace audiencesync
