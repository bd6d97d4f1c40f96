#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "emulator/auth/gateway.h"
#include "emulator/control/front_door.h"
#include "emulator/http/server.h"
#include "emulator/registry/registry.h"

namespace emulator {

/// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Identity test_identity();

/// What came back over a socket.
struct Reply {
  enum class End { Complete, Closed, Reset };  // Closed: by the server before the answer was whole
  int status = 0;                              // 0: nothing came
  Headers headers;
  std::string body;
  End end = End::Complete;

  Json json() const { return Json::parse(body); }
};

/// A client of its own, so that a mistake of the server is not hidden by the tolerance of a library.
class TestClient {
 public:
  explicit TestClient(std::uint16_t port);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  Reply send(const std::string& method, const std::string& target, const Headers& headers = {},
             const std::string& body = {});
  void send_raw(const std::string& bytes);
  Reply receive(bool head = false);

 private:
  bool fill();  // false at the end of the stream

  int socket_ = -1;
  bool reset_ = false;
  std::string buffer_;
};

/// A new folder in which the contract suite looks for exchanges; empty when nobody will look.
std::filesystem::path contract_folder();

/// The shell around a few routes that count what they do; no data plane.
class ShellWorld {
 public:
  /// Exchanges are recorded in `record`, or below `folder`.
  explicit ShellWorld(const std::filesystem::path& record = {});
  ~ShellWorld();

  Reply call(const std::string& method, const std::string& target, Headers headers = {}, const std::string& body = {});
  Reply control(const std::string& method, const std::string& target, const Json& body = nullptr);
  std::string token();
  /// All headers a call of the platform needs.
  Headers credentials();

  TemporaryFolder folder;
  Platform platform;
  Router router;
  Tokens tokens{platform};
  Gateway gateway{platform, tokens};
  Faults faults;
  CallLog calls;
  Recorder recorder;
  Registry registry{platform};
  std::optional<FrontDoor> door;
  std::optional<Server> server;

  std::atomic<int> created{0};   // POST /data/foundation/catalog/dataSets that ran
  std::atomic<int> uploaded{0};  // bytes of the last PUT to /data/foundation/import

 private:
  std::string token_;
};

}  // namespace emulator
