#include "daemon/service/control_message.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "engine/base/json.h"

namespace audiencesync {
namespace {

// "AS1 " and the length of what follows in eight hexadecimal digits.
constexpr std::string_view kMagic = "AS1 ";
constexpr std::size_t kHeader = 12;
constexpr std::size_t kDescriptors = 3;

Error socket_error(const char* what) {
  return Error(ErrorCode::Io, fmt::format("control socket: cannot {}: {}", what, std::strerror(errno)));
}

Result<void> send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return socket_error("send");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

void take_descriptors(msghdr& message, std::vector<Descriptor>& into) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; ++index) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + index * sizeof(int), sizeof number);
      into.emplace_back(number);
    }
  }
}

Error no_request() { return Error(ErrorCode::Corrupt, "control socket: what came is no request of this version"); }

Result<std::size_t> length_of(std::string_view header) {
  std::size_t length = 0;
  const auto* const end = header.data() + header.size();
  const auto [stop, error] = std::from_chars(header.data() + kMagic.size(), end, length, 16);
  if (!header.starts_with(kMagic) || error != std::errc{} || stop != end || length > kLongestRequest) {
    return no_request();
  }
  return length;
}

}  // namespace

Result<void> send_request(int socket, const std::vector<std::string>& words,
                          const std::map<std::string, std::string>& texts) {
  Value::Array list;
  for (const auto& word : words) list.push_back(word);
  Value::Object files;
  for (const auto& [path, text] : texts) files.emplace(path, text);
  const auto body = to_json(Value::Object{{"words", std::move(list)}, {"texts", std::move(files)}});
  if (body.size() > kLongestRequest) {
    return Error(ErrorCode::Usage, "the command and its files are too long for the daemon; name fewer files");
  }
  auto header = fmt::format("{}{:08x}", kMagic, body.size());

  iovec part{header.data(), header.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  auto* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(kDescriptors * sizeof(int));
  const std::array<int, kDescriptors> given{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  std::memcpy(CMSG_DATA(rights), given.data(), sizeof given);
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return socket_error("send the command");
  TRY(send_all(socket, std::string_view(header).substr(static_cast<std::size_t>(sent))));
  return send_all(socket, body);
}

Result<std::optional<ControlRequest>> RequestReader::read(int socket) {
  std::array<char, 65536> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> room{};
  for (;;) {
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    const auto got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::optional<ControlRequest>{};
    if (got < 0) return socket_error("read");
    take_descriptors(message, descriptors_);
    if (got == 0) return Error(ErrorCode::NotFound, "control socket: the other end left");
    bytes_.append(buffer.data(), static_cast<std::size_t>(got));
    if (bytes_.size() < kHeader) continue;
    const auto length = TRY(length_of(std::string_view(bytes_).substr(0, kHeader)));
    if (bytes_.size() < kHeader + length) continue;
    if (bytes_.size() > kHeader + length || descriptors_.size() != kDescriptors) return no_request();
    break;
  }
  const auto value = TRY(parse_json(std::string_view(bytes_).substr(kHeader)));
  ControlRequest request;
  for (const auto& word : value.items("words")) {
    const auto* text = word.string_if();
    if (text == nullptr) return no_request();
    request.words.push_back(*text);
  }
  if (const auto* files = value.find("texts"); files != nullptr && files->object_if() != nullptr) {
    for (const auto& [path, text] : *files->object_if()) {
      if (text.string_if() != nullptr) request.texts.emplace(path, *text.string_if());
    }
  }
  request.in = std::move(descriptors_[0]);
  request.out = std::move(descriptors_[1]);
  request.err = std::move(descriptors_[2]);
  return std::optional(std::move(request));
}

Result<void> send_answer(int socket, int code) { return send_all(socket, fmt::format("{}\n", code)); }

Result<int> receive_answer(int socket) {
  std::string text;
  while (!text.ends_with('\n')) {
    std::array<char, 16> buffer{};
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) return Error(ErrorCode::Interrupted, "stopped while the daemon works");
    if (got < 0) return socket_error("read the end of the command");
    if (got == 0) {
      return Error(ErrorCode::NotFound,
                   "the daemon left before the command was over; see how things stand: audiencesync status");
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

}  // namespace audiencesync
