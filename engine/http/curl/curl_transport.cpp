#include "engine/http/curl/curl_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>

#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/http/curl/transfer.h"

namespace audiencesync::http {
namespace {

/// Once per process, at the first transport; curl offers no safe way to undo it while threads run.
void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)started;
}

Error stopped_error() { return Error(ErrorCode::Interrupted, "stopped during the exchange"); }

}  // namespace

/// The multi handle and its thread. Callers hand transfers over and wait; only the thread touches curl in between.
class CurlTransport::Engine {
 public:
  explicit Engine(const CurlOptions& options) : multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options.connections_per_host));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_per_host));
    thread_ = std::thread([this] { run(); });
  }

  ~Engine() {
    {
      std::unique_lock lock(mutex_);
      quit_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    {
      std::unique_lock lock(mutex_);
      empty_.wait(lock, [this] { return callers_ == 0; });
    }
    curl_multi_cleanup(multi_);
  }

  /// Blocks until the transfer is over.
  void perform(Transfer& transfer, const std::stop_token& stop) {
    {
      const std::scoped_lock lock(mutex_);
      if (quit_) return transfer.fail(stopped_error());
      ++callers_;
      transfer.id = ++last_id_;
      arriving_.push_back(&transfer);
    }
    curl_multi_wakeup(multi_);
    {
      // By id: the transfer may be over, and its address reused, when the thread reads the list.
      const std::stop_callback on_stop(stop, [this, id = transfer.id] {
        {
          const std::scoped_lock lock(mutex_);
          stopping_.push_back(id);
        }
        curl_multi_wakeup(multi_);
      });
      std::unique_lock lock(mutex_);
      transfer.changed.wait(lock, [&] { return transfer.done; });
    }
    const std::scoped_lock lock(mutex_);
    if (--callers_ == 0) empty_.notify_all();
  }

 private:
  void run() {
    // Signals belong to the threads that wait for them, and a broken pipe is an answer, not a signal.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (take_orders()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      // A finished transfer may have freed the connection that another one waits for.
      const int wait = collect() > 0 ? 0 : kTurn;
      curl_multi_poll(multi_, nullptr, 0, wait, nullptr);
    }
  }

  /// False when it is time to end; then every transfer is over.
  bool take_orders() {
    std::vector<Transfer*> arriving;
    std::vector<std::uint64_t> stopping;
    bool quit = false;
    {
      const std::scoped_lock lock(mutex_);
      arriving.swap(arriving_);
      stopping.swap(stopping_);
      quit = quit_;
    }
    for (Transfer* transfer : arriving) {
      const auto added = curl_multi_add_handle(multi_, transfer->handle());
      if (added == CURLM_OK) {
        active_.emplace(transfer->id, transfer);
      } else {
        transfer->fail(Error(ErrorCode::Internal, fmt::format("curl: {}", curl_multi_strerror(added))));
        release(*transfer);
      }
    }
    for (const auto id : stopping) {
      if (const auto found = active_.find(id); found != active_.end()) abandon(found);
    }
    while (quit && !active_.empty()) abandon(active_.begin());
    return !quit;
  }

  /// How many transfers ended.
  int collect() {
    int ended = 0;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      void* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      auto* transfer = static_cast<Transfer*>(self);
      // First: its times and counters stay readable, and `message` is void from here on.
      curl_multi_remove_handle(multi_, transfer->handle());
      transfer->finish(code);
      active_.erase(transfer->id);
      release(*transfer);
      ++ended;
    }
    return ended;
  }

  void abandon(std::map<std::uint64_t, Transfer*>::iterator which) {
    Transfer* transfer = which->second;
    active_.erase(which);
    curl_multi_remove_handle(multi_, transfer->handle());
    transfer->fail(stopped_error());
    release(*transfer);
  }

  /// Gives the transfer back to its caller. Notified under the mutex: afterwards it may be gone.
  void release(Transfer& transfer) {
    const std::scoped_lock lock(mutex_);
    transfer.done = true;
    transfer.changed.notify_one();
  }

  static constexpr int kTurn = 1000;  // milliseconds; curl shortens it for its own timers, wakeup ends it

  CURLM* multi_;
  std::map<std::uint64_t, Transfer*> active_;  // the thread's own

  std::mutex mutex_;
  std::condition_variable empty_;
  std::vector<Transfer*> arriving_;
  std::vector<std::uint64_t> stopping_;
  std::uint64_t last_id_ = 0;
  int callers_ = 0;
  bool quit_ = false;

  std::thread thread_;  // last: it uses all of the above
};

CurlTransport::CurlTransport(CurlOptions options) : options_(std::move(options)) {
  start_curl();
  engine_ = std::make_unique<Engine>(options_);
}

CurlTransport::~CurlTransport() = default;

std::variant<Response, Failure> CurlTransport::exchange(const Exchange& exchange, std::stop_token stop) {
  if (stop.stop_requested()) return Failure{Progress::NotSent, stopped_error()};
  Transfer transfer(exchange, options_);
  if (auto failure = transfer.prepare()) return std::move(*failure);
  engine_->perform(transfer, stop);
  return transfer.take();
}

}  // namespace audiencesync::http
