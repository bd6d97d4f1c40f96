#include "shell_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "emulator/control/settings_calls.h"
#include "emulator/organization/merge_policies.h"
#include "emulator/organization/namespaces.h"
#include "emulator/organization/sandboxes.h"

namespace emulator {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "emulator-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Identity test_identity() {
  Identity who;
  who.organization = "ABC@AdobeOrg";
  who.client_id = "client";
  who.client_secret = "top-secret";
  who.tenant = "_demoemea";
  who.identity_field = "_demoemea.identification.core.email";
  who.seed = 7;
  return who;
}

TestClient::TestClient(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

TestClient::~TestClient() { ::close(socket_); }

void TestClient::send_raw(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t sent = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) {
      reset_ = true;
      return;
    }
    done += static_cast<std::size_t>(sent);
  }
}

bool TestClient::fill() {
  char block[65536];
  const ssize_t count = ::recv(socket_, block, sizeof block, 0);
  if (count < 0 && errno == ECONNRESET) reset_ = true;
  if (count <= 0) return false;
  buffer_.append(block, static_cast<std::size_t>(count));
  return true;
}

Reply TestClient::send(const std::string& method, const std::string& target, const Headers& headers,
                       const std::string& body) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send_raw(text + "\r\n" + body);
  return receive(method == "HEAD");
}

Reply TestClient::receive(bool head) {
  Reply reply;
  const auto ended = [&] {
    reply.end = reset_ ? Reply::End::Reset : Reply::End::Closed;
    return reply;
  };
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return ended();
  const std::string top = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  reply.status = std::stoi(top.substr(9, 3));
  for (std::size_t line = top.find("\r\n") + 2; line < top.size();) {
    const std::size_t stop = top.find("\r\n", line);
    const std::size_t colon = top.find(": ", line);
    reply.headers[top.substr(line, colon - line)] = top.substr(colon + 2, stop - colon - 2);
    line = stop + 2;
  }
  if (reply.status == 100) return receive(head);
  if (head || reply.status == 204) return reply;

  if (reply.headers["transfer-encoding"] == "chunked") {
    for (;;) {
      while ((end = buffer_.find("\r\n")) == std::string::npos)
        if (!fill()) return ended();
      const std::size_t size = std::stoul(buffer_.substr(0, end), nullptr, 16);
      while (buffer_.size() < end + 2 + size + 2)
        if (!fill()) return ended();
      reply.body += buffer_.substr(end + 2, size);
      buffer_.erase(0, end + 2 + size + 2);
      if (size == 0) return reply;
    }
  }
  const std::size_t length = std::stoul(reply.headers["content-length"]);
  while (buffer_.size() < length)
    if (!fill()) {
      reply.body = buffer_;
      return ended();
    }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

std::filesystem::path contract_folder() {
  const char* folder = std::getenv("AUDIENCESYNC_RECORD");
  const char* judges = std::getenv("AUDIENCESYNC_API_DESCRIPTIONS");
  if (folder == nullptr || *folder == '\0' || judges == nullptr || *judges == '\0') return {};
  static std::atomic<int> worlds{0};
  return std::filesystem::path(folder) / (std::to_string(getpid()) + "-" + std::to_string(++worlds));
}

ShellWorld::ShellWorld(const std::filesystem::path& record)
    : platform(folder.path() / "data", test_identity()), recorder(record.empty() ? folder.path() / "record" : record) {
  seed_merge_policies(platform);
  tokens.add_routes(router);
  faults.add_routes(router);
  calls.add_routes(router);
  add_settings_routes(router, platform);
  add_sandbox_routes(router, platform);
  add_namespace_routes(router, platform);
  add_merge_policy_routes(router, platform);
  registry.add_routes(router);
  router.add("GET", "/data/core/ups/audiences", [](const Request&) {
    return Response::json(200, Json{{"children", Json::array({{{"id", "a"}}, {{"id", "b"}}})},
                                    {"_page", {{"totalCount", "2"}, {"totalPages", 1}, {"next", "1"}}},
                                    {"_links", {{"next", {{"href", "@/audiences?start=1"}}}}}});
  });
  router.add("GET", "/data/foundation/catalog/dataSets", [](const Request&) {
    return Response::json(200, Json{{"d1", {{"name", std::string(4000, 'x')}}}});
  });
  router.add("POST", "/data/foundation/catalog/dataSets", [this](const Request&) {
    ++created;
    return Response::json(201, Json::array({"@/dataSets/d1"}));
  });
  router.add("PUT", "/data/foundation/import/{file...}",
             [this](const Request& request) {
               uploaded = static_cast<int>(std::filesystem::file_size(request.body_file));
               return Response::empty(201);
             },
             {.body = BodyMode::File, .gate = Gate::Platform});
  router.add("GET", "/data/foundation/export/file", [this](const Request&) {
    std::ofstream(folder.path() / "part") << "0123456789";
    Response response;
    response.headers["content-type"] = "application/octet-stream";
    response.file = FileSlice{.path = folder.path() / "part", .offset = 2, .length = 5};
    return response;
  });
  router.add("GET", "/data/foundation/export/stream", [](const Request&) {
    Response response;
    response.headers["content-type"] = "application/x-ndjson";
    response.stream = [n = 0]() mutable { return n++ < 3 ? "row\n" : std::string(); };
    return response;
  });
  door.emplace(platform, router, gateway, faults, calls, &recorder);
  server.emplace(ServerOptions{}, *door);
}

ShellWorld::~ShellWorld() { server->stop(); }

Reply ShellWorld::call(const std::string& method, const std::string& target, Headers headers, const std::string& body) {
  for (const auto& [name, value] : credentials()) headers.emplace(name, value);
  return TestClient(server->port()).send(method, target, headers, body);
}

Reply ShellWorld::control(const std::string& method, const std::string& target, const Json& body) {
  return TestClient(server->port()).send(method, target, {}, body.is_null() ? "" : body.dump());
}

std::string ShellWorld::token() {
  const Reply reply = TestClient(server->port())
                          .send("POST", "/ims/token/v3", {{"content-type", "application/x-www-form-urlencoded"}},
                                "grant_type=client_credentials&client_id=client&client_secret=top-secret&scope=openid");
  return reply.json()["access_token"].get<std::string>();
}

Headers ShellWorld::credentials() {
  if (token_.empty()) token_ = token();
  return {{"authorization", "Bearer " + token_},
          {"x-api-key", "client"},
          {"x-gw-ims-org-id", "ABC@AdobeOrg"},
          {"x-sandbox-name", "prod"}};
}

}  // namespace emulator
