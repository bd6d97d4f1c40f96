#include "daemon/plans/plan_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "daemon/plans/slow_clients.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

constexpr int kThreads = 16;
constexpr std::chrono::seconds kClientPatience{10};  // between two pieces of a request

int status_of(int exit_code) {
  switch (exit_code) {
    case 0:
    case 2:
    case 3:
    case 4:
      return 200;
    case 65:
      return 422;
    default:
      return 502;
  }
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::Timeout:
      return 504;
    case ErrorCode::Invalid:
    case ErrorCode::Corrupt:
      return 422;
    default:
      return 500;
  }
}

const char* content_type_of(const std::string& format) {
  if (format == "json") return "application/json";
  return format == "markdown" ? "text/markdown; charset=utf-8" : "text/plain; charset=utf-8";
}

void say(httplib::Response& response, int status, const std::string& text) {
  response.status = status;
  response.set_content(text + "\n", "text/plain; charset=utf-8");
}

void come_back(httplib::Response& response, int status, int seconds, const std::string& text) {
  response.set_header("Retry-After", std::to_string(seconds));
  say(response, status, text);
}

/// The library's threads, and somebody who is told when a connection comes.
class WatchedThreads final : public httplib::TaskQueue {
 public:
  explicit WatchedThreads(SlowClients& slow) : slow_(slow) {}
  void enqueue(std::function<void()> work) override {
    slow_.arrived();
    threads_.enqueue(std::move(work));
  }
  void shutdown() override { threads_.shutdown(); }

 private:
  SlowClients& slow_;
  httplib::ThreadPool threads_{kThreads};
};

/// So many in any minute.
class Allowance {
 public:
  bool take() {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard guard(mutex_);
    std::erase_if(taken_, [&](auto each) { return now - each > std::chrono::minutes(1); });
    if (taken_.size() >= kMostPlansPerMinute) return false;
    taken_.push_back(now);
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::chrono::steady_clock::time_point> taken_;
};

}  // namespace

struct PlanServer::Parts {
  Parts(Listen listen_in, PlanServices services_in, Duration patience_in)
      : listen(std::move(listen_in)), services(std::move(services_in)), patience(patience_in), slow(patience_in) {}

  void routes() {
    server->new_task_queue = [this] { return new WatchedThreads(slow); };
    server->set_payload_max_length(kMostPlanBytes);
    // Its own default lets two servers share a port, and each would get some of the requests.
    server->set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server->set_read_timeout(kClientPatience);
    server->set_write_timeout(kClientPatience);
    server->set_keep_alive_max_count(8);
    server->set_keep_alive_timeout(5);
    server->set_default_headers({{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
    server->Get("/healthz", [](const httplib::Request&, httplib::Response& response) { say(response, 200, "alive"); });
    server->Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const auto ready = services.ready();
      say(response, ready.ok() ? 200 : 503, ready.ok() ? "ready" : "not ready: " + ready.error().text());
    });
    server->Post("/api/v1/plans", [this](const httplib::Request& request, httplib::Response& response,
                                         const httplib::ContentReader& content) { plan(request, response, content); });
    server->set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      say(response, 500, "this is a bug: the request ended in an exception");
    });
  }

  bool admitted(const httplib::Request& request, httplib::Response& response) {
    const auto expected = services.token();
    if (!expected.ok()) {
      say(response, 503, "the token cannot be read here, see the log of the daemon");
      return false;
    }
    constexpr std::string_view kScheme = "Bearer ";
    const auto field = request.get_header_value("Authorization");
    if (field.starts_with(kScheme) && same_token(field.substr(kScheme.size()), *expected)) return true;
    response.set_header("WWW-Authenticate", "Bearer");
    say(response, 401, "the token is missing or another one; send Authorization: Bearer and the token");
    return false;
  }

  // Who asks is known before a byte of the body is read.
  void plan(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& content) {
    if (!admitted(request, response)) return;
    if (!allowance.take()) {
      return come_back(response, 429, 30,
                       fmt::format("at most {} plans a minute; come back later", kMostPlansPerMinute));
    }
    std::string body;
    bool too_much = false;
    const auto end = std::chrono::steady_clock::now() + patience;
    const bool whole = content([&](const char* data, std::size_t size) {
      body.append(data, size);
      too_much = body.size() > kMostPlanBytes || std::chrono::steady_clock::now() >= end;
      return !too_much;
    });
    if (!whole) {
      // The library has its own words for a body that is announced as too long.
      if (too_much || response.status < 400) {
        say(response, 413,
            fmt::format("at most {} bytes, in at most {} s", kMostPlanBytes,
                        std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
      }
      return;
    }
    const auto wanted = read_plan_request(body, request.get_header_value("Content-Type"),
                                          request.get_param_value("name"), request.get_param_value("format"));
    if (!wanted.ok()) return say(response, 400, wanted.error().text());
    const Slot slot(*this);
    if (!slot.had) return come_back(response, 503, 10, "other plans are being made; come back in a moment");
    answer(*wanted, request, response);
  }

  void answer(const PlanRequest& wanted, const httplib::Request& request, httplib::Response& response) {
    const SlowClients::Answering answering(slow, request.remote_addr, request.remote_port);
    const auto made = services.make(wanted, stopping.get_token());
    if (!made.ok()) return say(response, status_of(made.error().code()), made.error().text());
    response.set_header(kExitCodeHeader, std::to_string(made->exit_code));
    response.status = status_of(made->exit_code);
    if (response.status == 200 || (wanted.format == "json" && !made->output.empty())) {
      response.set_content(made->output, content_type_of(wanted.format));
    } else {
      response.set_content(made->errors + made->output, "text/plain; charset=utf-8");
    }
  }

  /// One of the plans that may be made at a time.
  struct Slot {
    explicit Slot(Parts& parts_in) : parts(parts_in), had(++parts.making <= parts.listen.plans) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { --parts.making; }
    Parts& parts;
    bool had;
  };

  const Listen listen;
  const PlanServices services;
  const Duration patience;
  SlowClients slow;
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  std::atomic<std::uint64_t> making{0};
  Allowance allowance;
  std::stop_source stopping;
};

PlanServer::PlanServer(Listen listen, PlanServices services, Duration patience)
    : parts_(std::make_unique<Parts>(std::move(listen), std::move(services), patience)) {}

PlanServer::~PlanServer() { stop(); }

Result<int> PlanServer::start() {
  auto& parts = *parts_;
  const auto& listen = parts.listen;
  if (listen.certificate.empty()) {
    parts.server = std::make_unique<httplib::Server>();
  } else {
    auto secure = std::make_unique<httplib::SSLServer>(listen.certificate.c_str(), listen.key.c_str());
    if (secure->is_valid()) SSL_CTX_set_min_proto_version(secure->ssl_context(), TLS1_2_VERSION);
    parts.server = std::move(secure);
  }
  if (!parts.server->is_valid()) {
    return Error(ErrorCode::Invalid,
                 fmt::format("{} and {} cannot be used as certificate and key; both must be PEM and "
                             "belong together",
                             listen.certificate.string(), listen.key.string()));
  }
  parts.routes();
  const int port = listen.port == 0 ? parts.server->bind_to_any_port(listen.host)
                                    : (parts.server->bind_to_port(listen.host, listen.port) ? listen.port : -1);
  if (port <= 0) {
    return Error(ErrorCode::Io, fmt::format("cannot listen on {}:{}; is the port taken, or the address another "
                                            "machine's?",
                                            listen.host, listen.port));
  }
  parts.slow.watch(port);
  parts.thread = std::thread([&parts] { parts.server->listen_after_bind(); });
  while (!parts.server->is_running()) std::this_thread::yield();
  return port;
}

void PlanServer::stop() {
  auto& parts = *parts_;
  parts.stopping.request_stop();
  if (parts.server) parts.server->stop();
  if (parts.thread.joinable()) parts.thread.join();
  parts.slow.stop();
}

}  // namespace audiencesync
