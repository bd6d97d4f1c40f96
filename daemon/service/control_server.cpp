#include "daemon/service/control_server.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

// More at once would be a mistake or an attack; the next one waits in the kernel's queue until the client gives up.
constexpr std::size_t kMostConnections = 32;
constexpr std::chrono::seconds kForTheRequest{10};
constexpr int kBacklog = 16;

struct Peer {
  uid_t uid = 0;
  std::string user;
};

Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {static_cast<uid_t>(-1), "?"};
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(credentials.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return {credentials.uid, found->pw_name};
  }
  return {credentials.uid, fmt::format("uid {}", credentials.uid)};
}

Error socket_trouble(const Path& path, const char* what) {
  const auto code = errno == EACCES || errno == EPERM ? ErrorCode::Permission : ErrorCode::Io;
  return Error(code, fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(errno)));
}

void write_text(const Descriptor& to, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(to.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<sockaddr_un> address_of(const Path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  if (text.size() >= sizeof address.sun_path) {
    return Error(ErrorCode::Invalid, fmt::format("{}: the path of the control socket is longer than {} bytes; choose "
                                                 "a shorter one",
                                                 text, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

}  // namespace

ControlServer::~ControlServer() {
  if (listener_) ::unlink(path_.c_str());
}

Result<void> ControlServer::listen(const Path& path) {
  const auto address = TRY(address_of(path));
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      return Error(ErrorCode::Invalid,
                   fmt::format("{}: there is something else than a socket; choose another path", path.string()));
    }
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), generic, sizeof address) == 0) {
      return Error(ErrorCode::Locked, fmt::format("{}: another daemon answers there; stop it, or give this one another "
                                                  "--socket",
                                                  path.string()));
    }
    if (errno != ECONNREFUSED) return socket_trouble(path, "ask who is there");
    ::unlink(path.c_str());
  }
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return socket_trouble(path, "make a socket");
  // Nobody else until its group is right.
  const auto mask = ::umask(0177);
  const int bound = ::bind(listener.get(), generic, sizeof address);
  ::umask(mask);
  if (bound != 0) return socket_trouble(path, "make the control socket");
  struct stat folder {};
  if (::stat(path.parent_path().c_str(), &folder) == 0) {
    // Our own group is right already; another one may be refused, then only we can connect.
    [[maybe_unused]] const int given = ::chown(path.c_str(), static_cast<uid_t>(-1), folder.st_gid);
  }
  if (::chmod(path.c_str(), 0660) != 0) return socket_trouble(path, "open the control socket for its group");
  if (::listen(listener.get(), kBacklog) != 0) return socket_trouble(path, "listen");
  path_ = path;
  listener_ = std::move(listener);
  arrival_ = TRY(loop_.readable(listener_.get(), [this] { accept(); }));
  return {};
}

void ControlServer::accept() {
  if (connections_.size() >= kMostConnections) {
    // Taken and closed: the client says that the daemon left, which is better than to wait without end.
    const Descriptor refused(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    events_.warn("control.busy", {{"connections", static_cast<std::uint64_t>(connections_.size())}});
    return;
  }
  Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  const int id = ++last_;
  auto connection = std::make_unique<Connection>();
  connection->socket = std::move(socket);
  auto readable = loop_.readable(connection->socket.get(), [this, id] { read(id); });
  auto patience = loop_.at(std::chrono::steady_clock::now() + kForTheRequest, [this, id] { connections_.erase(id); });
  if (!readable.ok() || !patience.ok()) return;
  connection->readable = std::move(readable).take();
  connection->patience = std::move(patience).take();
  connections_.emplace(id, std::move(connection));
}

void ControlServer::read(int id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& connection = *found->second;
  if (connection.process != 0) {
    // Nothing more is to come: the operator's program ended, or was interrupted.
    handlers_.stop(connection.process);
    connection.readable = {};
    return;
  }
  auto got = connection.reader.read(connection.socket.get());
  if (!got.ok()) {
    if (got.error().code() != ErrorCode::NotFound) events_.warn("control.refused", {{"error", got.error().text()}});
    connections_.erase(found);
    return;
  }
  if (!got->has_value()) return;
  connection.patience = {};
  request(id, std::move(**got));
}

void ControlServer::refuse(int id, const ControlRequest& request, const Error& error) {
  write_text(request.err, "error: " + error.text() + "\n");
  answer(id, static_cast<int>(exit_code(error.code())));
}

void ControlServer::request(int id, ControlRequest request) {
  const auto& connection = *connections_.at(id);
  const auto peer = peer_of(connection.socket.get());
  const auto admitted = handlers_.admit(request.words);
  if (!admitted.ok()) {
    const auto word = request.words.empty() ? std::string("nothing") : request.words.front().substr(0, 32);
    connections_.at(id)->audit = handlers_.audit(peer.uid, peer.user, word, "refused");
    return refuse(id, request, admitted.error());
  }
  connections_.at(id)->audit = handlers_.audit(peer.uid, peer.user, admitted->told, "admitted");
  if (!admitted->sync.empty()) {
    const auto said = handlers_.run_now(admitted->sync);
    if (!said.ok()) return refuse(id, request, said.error());
    write_text(request.out, *said);
    return answer(id, 0);
  }
  OperatorCommand command;
  command.words = std::move(request.words);
  command.texts = std::move(request.texts);
  command.user = peer.user;
  command.admitted = *admitted;
  command.in = std::move(request.in);
  command.out = std::move(request.out);
  command.err = std::move(request.err);
  const auto started = handlers_.start(command, [this, id](int code) { answer(id, code); });
  if (!started.ok()) {
    write_text(command.err, "error: " + started.error().text() + "\n");
    return answer(id, static_cast<int>(ExitCode::Failed));
  }
  connections_.at(id)->process = *started;
}

void ControlServer::answer(int id, int code) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  handlers_.audit_end(found->second->audit, code);
  (void)send_answer(found->second->socket.get(), code);
  connections_.erase(found);
}

}  // namespace audiencesync
