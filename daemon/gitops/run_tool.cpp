#include "daemon/gitops/run_tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "daemon/service/descriptor.h"

namespace audiencesync {
namespace {

Error tool_error(const std::string& tool, int number) {
  if (number == ENOENT) {
    return Error(ErrorCode::NotFound, fmt::format("{} is not installed; install the package that has it", tool));
  }
  return Error(ErrorCode::Io, fmt::format("cannot run {}: {}", tool, std::strerror(number)));
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Gives the input and takes the output at once, so that neither side waits for the other. False at the deadline.
bool converse(Descriptor& ours, std::string_view input, Duration deadline, std::string& out) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  if (input.empty()) ::shutdown(ours.get(), SHUT_WR);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd wanted{ours.get(), static_cast<short>(input.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    if (::poll(&wanted, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) return false;
    if ((wanted.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      std::array<char, 8192> buffer{};
      const auto got = ::recv(ours.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
      if (got > 0 && out.size() < kMostToolOutput) out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (!input.empty() && (wanted.revents & POLLOUT) != 0) {
      const auto sent = ::send(ours.get(), input.data(), input.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
      // A tool that has seen enough does not read the rest.
      if (sent < 0 && errno != EAGAIN && errno != EINTR) input = {};
      if (input.empty()) ::shutdown(ours.get(), SHUT_WR);
    }
  }
}

}  // namespace

Result<ToolResult> run_tool(const std::vector<std::string>& command, std::string_view input, Duration deadline) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return tool_error(command[0], errno);
  Descriptor ours(pair[0]);
  Descriptor theirs(pair[1]);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/bin:/bin";
  std::string locale = "LC_ALL=C";
  std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failure = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return tool_error(command[0], failure);
  theirs.reset();
  ToolResult result;
  if (!converse(ours, input, deadline, result.out)) {
    ::kill(pid, SIGKILL);
    wait_for(pid);
    return Error(ErrorCode::Timeout, fmt::format("{} did not end in time", command[0]));
  }
  result.code = wait_for(pid);
  return result;
}

}  // namespace audiencesync
