#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "emulator/emulator.h"

namespace {

namespace options = boost::program_options;
using emulator::Emulator;
using emulator::EmulatorOptions;
using emulator::Json;

constexpr int kFailed = 1;
constexpr int kUsage = 64;

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Written beside the target and renamed: whoever waits for the file never sees half of it.
void write_whole(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const std::string fresh = path.string() + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) throw std::system_error(errno, std::generic_category(), fresh);
  const ssize_t wrote = ::write(file, text.data(), text.size());
  const int why = errno;
  ::close(file);
  if (wrote != static_cast<ssize_t>(text.size())) throw std::system_error(why, std::generic_category(), fresh);
  std::filesystem::rename(fresh, path);
}

emulator::ServerOptions parse_listen(const std::string& option, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  emulator::ServerOptions listen;
  if (colon != std::string::npos) {
    listen.address = text.substr(0, colon);
    const auto [end, problem] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), listen.port);
    if (problem == std::errc() && end == text.data() + text.size() && colon + 1 < text.size()) return listen;
  }
  throw UsageError("--" + option + ": '" + text + "' is not ADDRESS:PORT, for example 127.0.0.1:0");
}

/// Settings for audiencesync that reach this emulator, with their credential beside them.
///
/// With real latency they are those of a real platform: the client's own pace.
void write_settings(const std::filesystem::path& file, const Json& ready, emulator::Latency latency) {
  const std::filesystem::path folder = std::filesystem::absolute(file).lexically_normal().parent_path();
  const std::filesystem::path credentials = folder / "credentials";
  std::filesystem::create_directories(folder);
  std::filesystem::create_directories(folder / "manifests.d");
  std::filesystem::create_directories(credentials);
  std::filesystem::permissions(credentials, std::filesystem::perms::owner_all);
  write_whole(credentials / "adobe",
              Json{{"client_id", ready["client_id"]}, {"client_secret", ready["client_secret"]}}.dump() + "\n", 0600);

  // JSON strings are YAML strings too: a path or a name needs no escaping of its own.
  const auto quoted = [](const std::string& text) { return Json(text).dump(); };
  const std::string url = ready["http"].dump();
  write_whole(
      folder / file.filename(),
      "# Written by audiencesync-emulator: settings that reach it.\n"
      "version: 1\n"
      "state: " +
          quoted((folder / "state").string()) +
          "\n"
          "manifests: { folder: " +
          quoted((folder / "manifests.d").string()) +
          " }\n"
          "organizations:\n"
          "  default:\n"
          "    organization_id: " +
          ready["organization"].dump() +
          "\n"
          "    credential: adobe\n" +
          (ready["ca_file"].is_null() ? "" : "    ca_file: " + ready["ca_file"].dump() + "\n") +
          (latency == emulator::Latency::Real ? "" : "    rate: 1000\n    analytics_rate: 1000\n") +
          "    sandboxes: [" + ready["sandbox"].dump() +
          "]\n"
          "    endpoints: { ims: " +
          url + ", platform: " + url + ", analytics: " + url + " }\n" +
          (latency == emulator::Latency::Real ? "" : "timing: { poll_export: 50ms, poll_batch: 50ms, settle: 1s }\n"),
      0600);
}

int run(int argc, char** argv) {
  options::options_description table("Options");
  // clang-format off
  table.add_options()
    ("data", options::value<std::string>()->value_name("DIR"), "folder of everything durable; a world in it is continued")
    ("listen", options::value<std::string>()->value_name("ADDR:PORT")->default_value("127.0.0.1:0"), "where HTTP listens; port 0 takes a free one")
    ("pg-listen", options::value<std::string>()->value_name("ADDR:PORT"), "where Query Service speaks the PostgreSQL protocol, inside TLS; its authority is DIR/tls/ca.pem")
    ("ready-file", options::value<std::string>()->value_name("FILE"), "written once the emulator answers: addresses, credentials, audiences")
    ("profiles", options::value<std::uint64_t>()->value_name("N")->default_value(1000), "people in a new world")
    ("audiences", options::value<unsigned>()->value_name("M")->default_value(12), "audiences in a new world")
    ("events", options::value<std::uint64_t>()->value_name("N")->default_value(0), "web events in a new world")
    ("seed", options::value<std::uint64_t>()->value_name("S"), "what ids and people derive from (default 1)")
    ("tls", "serve https and nothing else, by an authority of its own: DIR/tls/ca.pem")
    ("latency", options::value<std::string>()->value_name("real|none")->default_value("none"), "real: answers and jobs take their time, by the emulator's clock, and rates are limited")
    ("record", options::value<std::string>()->value_name("DIR"), "write every exchange there, bodies up to 64 KB, secrets masked")
    ("write-config", options::value<std::string>()->value_name("FILE"), "write settings for audiencesync, and its credential beside them")
    ("help,h", "show this text")
    ("version", "show the version");
  // clang-format on
  options::variables_map given;
  try {
    options::store(options::parse_command_line(argc, argv, table), given);
    options::notify(given);
  } catch (const options::error& error) {
    throw UsageError(error.what());
  }
  if (given.count("help") > 0) {
    std::cout << "Usage: audiencesync-emulator --data DIR [options]\n\n"
                 "A local Experience Platform for tests and demonstrations.\n\n"
              << table;
    return 0;
  }
  if (given.count("version") > 0) {
    std::cout << "audiencesync-emulator " AUDIENCESYNC_VERSION "\n";
    return 0;
  }
  const std::string latency = given["latency"].as<std::string>();
  if (latency != "none" && latency != "real") throw UsageError("--latency: '" + latency + "' is neither real nor none");
  if (given.count("data") == 0) throw UsageError("--data DIR is missing");

  EmulatorOptions what;
  what.data = std::filesystem::absolute(given["data"].as<std::string>());
  what.listen = parse_listen("listen", given["listen"].as<std::string>());
  if (given.count("pg-listen") > 0) what.pg_listen = parse_listen("pg-listen", given["pg-listen"].as<std::string>());
  what.profiles = given["profiles"].as<std::uint64_t>();
  what.audiences = given["audiences"].as<unsigned>();
  what.events = given["events"].as<std::uint64_t>();
  if (given.count("seed") > 0) what.seed = given["seed"].as<std::uint64_t>();
  if (latency == "real") what.latency = emulator::Latency::Real;
  what.tls = given.count("tls") > 0;
  if (given.count("record") > 0) what.record = given["record"].as<std::string>();

  // Before any thread starts, so that all inherit the mask and only sigwait sees the signal.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Emulator platform(what);
  const Json ready = platform.ready();
  if (given.count("write-config") > 0) write_settings(given["write-config"].as<std::string>(), ready, what.latency);
  if (given.count("ready-file") > 0) write_whole(given["ready-file"].as<std::string>(), ready.dump(2) + "\n", 0600);
  std::cout << "listening on " << platform.url() << std::endl;

  int signal = 0;
  sigwait(&ends, &signal);
  // Every change is journaled when it is made, so leaving a stuck route behind loses nothing.
  if (platform.stop() == emulator::Server::Stopped::StillBusy) std::_Exit(0);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    std::cerr << "audiencesync-emulator: " << error.what() << "\n";
    return kUsage;
  } catch (const std::exception& error) {
    std::cerr << "audiencesync-emulator: " << error.what() << "\n";
    return kFailed;
  }
}
