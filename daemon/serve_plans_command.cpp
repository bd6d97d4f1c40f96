#include <fmt/format.h>
#include <sys/prctl.h>

#include <csignal>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/manifest_place.h"
#include "daemon/plan_maker.h"

namespace audiencesync {
namespace {

constexpr std::chrono::hours kUntilStopped{24};

Result<Secret> read_token(const Files& files, const Path& path) {
  auto text = TRY(files.read(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.size() < 16) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{}: has no token of at least 16 characters; make one: openssl rand -hex 32 > {}",
                             path.string(), path.string()));
  }
  return Secret(std::move(text));
}

}  // namespace

ExitCode serve_plans_command(const Options& options, const Adapters& adapters, const Console& console,
                             std::stop_token stop) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  if (!settings->listen) {
    return fail(Error(ErrorCode::Invalid,
                      fmt::format("{}: 'listen' says nowhere where to listen; add for example listen: {{ address: "
                                  "127.0.0.1:8443, token_file: plan-token }}",
                                  settings->file)));
  }
  const auto& listen = *settings->listen;
  const auto token = [&] { return read_token(adapters.files, listen.token_file); };
  if (const auto first = token(); !first.ok()) return fail(Error(first.error()).in("listen.token_file"));
  PlanMaker maker(adapters, *settings, std::filesystem::absolute(options.config));
  if (const auto begun = maker.begin(); !begun.ok()) return fail(begun.error());
  PlanServer server(listen, {.make = [&](const PlanRequest& request,
                                         std::stop_token end) { return maker.make(request, std::move(end)); },
                             .token = token,
                             .ready = [&]() -> Result<void> {
                               TRY(manifests_of_settings(adapters, *settings));
                               return {};
                             }});
  const auto port = server.start();
  if (!port.ok()) return fail(port.error());
  const bool ipv6 = listen.host.find(':') != std::string::npos;
  console.out << fmt::format("plans are made at {}://{}{}{}:{}\n", listen.certificate.empty() ? "http" : "https",
                             ipv6 ? "[" : "", listen.host, ipv6 ? "]" : "", *port)
              << std::flush;
  while (adapters.clock.sleep(kUntilStopped, stop)) {
  }
  server.stop();
  return ExitCode::Converged;
}

}  // namespace audiencesync
