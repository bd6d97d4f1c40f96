#include "daemon/control_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "daemon/admission.h"
#include "daemon/options.h"
#include "daemon/service/control_message.h"
#include "daemon/service/manifest_texts.h"
#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

constexpr const char* kUsualSocket = "/run/audiencesync/control.sock";

struct Connected {
  Descriptor socket;
  int error = 0;  // errno when there is none
};

Connected connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {{}, ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return {{}, errno};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {{}, errno};
  return {std::move(socket), 0};
}

int say_and_code(const Error& error) {
  std::cerr << "error: " << error.text() << "\n";
  return static_cast<int>(exit_code(error.code()));
}

int say_unreachable(const std::string& path, int number) {
  if (number == EACCES || number == EPERM) {
    return say_and_code(
        Error(ErrorCode::Permission,
              fmt::format("{}: you may not use the daemon's socket; join its group: sudo usermod -aG audiencesync "
                          "$USER, and log in again",
                          path)));
  }
  return say_and_code(
      Error(ErrorCode::NotFound, fmt::format("{}: no daemon answers there: {}", path, std::strerror(number))));
}

std::vector<std::string> without_socket(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    if (arguments[index] == "--socket") {
      ++index;
    } else if (!arguments[index].starts_with("--socket=")) {
      words.push_back(arguments[index]);
    }
  }
  return words;
}

// Files named for `plan` are read here, with our rights; what is wrong with them the daemon says.
ManifestTexts texts_of(const Options& options) {
  ManifestTexts texts;
  if (options.command != Command::Plan) return texts;
  const PosixFiles files;
  for (const auto& word : options.arguments) {
    const Path path(word);
    if (path.extension() != ".yaml" && path.extension() != ".yml") continue;
    if (files.exists(path)) (void)load_manifest_recorded(files, path, {}, texts);
  }
  return texts;
}

}  // namespace

std::string usual_socket() {
  const char* folder = std::getenv("RUNTIME_DIRECTORY");  // systemd gives it to the service
  return folder != nullptr && *folder == '/' ? std::string(folder) + "/control.sock" : kUsualSocket;
}

std::optional<int> ask_daemon(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options.ok() || !is_for_operators(options->command)) return std::nullopt;
  if (!options->server.empty()) return std::nullopt;  // another machine's daemon is asked
  const bool told = !options->socket.empty();
  if (!told && (options->config_given || !options->state.empty())) return std::nullopt;
  const auto path = told ? options->socket.string() : std::string(kUsualSocket);
  const auto connected = connect_to(path);
  if (connected.error != 0) {
    const bool nobody = connected.error == ENOENT || connected.error == ECONNREFUSED;
    if (nobody && !told) return std::nullopt;
    return say_unreachable(path, connected.error);
  }
  if (const auto sent = send_request(connected.socket.get(), without_socket(arguments), texts_of(*options));
      !sent.ok()) {
    return say_and_code(sent.error());
  }
  const auto code = receive_answer(connected.socket.get());
  return code.ok() ? *code : say_and_code(code.error());
}

}  // namespace audiencesync
