#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/service/control_message.h"
#include "daemon/service/descriptor.h"
#include "daemon/service/event_loop.h"
#include "engine/base/files.h"
#include "engine/report/event_sink.h"

namespace audiencesync {

/// What may be told of a command that an operator sent: no person ids.
struct AdmittedCommand {
  std::string told;  // for the audit log: the command and its operands
  std::string sync;  // of run-now, "" for other commands
};

/// Decides whether operators may send these words. Errors: Usage, Permission with what to do instead.
using AdmitCommand = std::function<Result<AdmittedCommand>(const std::vector<std::string>& words)>;

/// One command of an operator, with his descriptors.
struct OperatorCommand {
  std::vector<std::string> words;
  std::map<std::string, std::string> texts;  // of files he named, by path as named
  std::string user;
  AdmittedCommand admitted;
  Descriptor in;
  Descriptor out;
  Descriptor err;
};

/// The socket on which operators reach the daemon: each connection is one command. Who connects is what the kernel says
/// about the other end; who may connect is what the mode and the group of the socket say.
class ControlServer {
 public:
  struct Handlers {
    AdmitCommand admit;
    /// Starts it; `ended` is called once with its exit code.
    std::function<Result<pid_t>(const OperatorCommand&, std::function<void(int code)> ended)> start;
    /// Asks it to stop: its operator is gone.
    std::function<void(pid_t)> stop;
    /// Wants a run of a sync; the answer is shown.
    std::function<Result<std::string>(const std::string& sync)> run_now;
    /// Writes the audit record and gives its number; `audit_end` is called with it once, when the command has ended.
    std::function<std::int64_t(uid_t uid, const std::string& user, const std::string& told, const std::string& answer)>
        audit;
    std::function<void(std::int64_t number, int code)> audit_end;
  };

  ControlServer(EventLoop& loop, EventSink& events, Handlers handlers)
      : loop_(loop), events_(events), handlers_(std::move(handlers)) {}
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  /// Makes the socket (0660, the group of its folder). One that a dead daemon left is replaced.
  /// Errors: Locked when another daemon answers on it; Io, Permission.
  Result<void> listen(const Path& path);

 private:
  struct Connection {
    Descriptor socket;
    EventLoop::Watch readable;
    EventLoop::Watch patience;  // for the request
    RequestReader reader;
    pid_t process = 0;
    std::int64_t audit = 0;  // number of its record
  };
  void accept();
  void read(int id);
  void request(int id, ControlRequest request);
  void answer(int id, int code);
  void refuse(int id, const ControlRequest& request, const Error& error);

  EventLoop& loop_;
  EventSink& events_;
  Handlers handlers_;
  Path path_;
  Descriptor listener_;
  EventLoop::Watch arrival_;
  std::map<int, std::unique_ptr<Connection>> connections_;
  int last_ = 0;
};

}  // namespace audiencesync
