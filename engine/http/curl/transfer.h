#pragma once

#include <curl/curl.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "engine/http/curl/curl_transport.h"
#include "engine/http/transport.h"

namespace audiencesync::http {

/// One exchange as curl sees it: an easy handle, its callbacks, and what they collected.
///
/// Made and taken apart by the thread that called `exchange`, driven by the transport's thread in between; the engine's
/// mutex passes it from one to the other. curl holds its address.
class Transfer {
 public:
  Transfer(const Exchange& exchange, const CurlOptions& options);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Sets everything up and opens the body. A failure means that there is nothing to send.
  std::optional<Failure> prepare();
  CURL* handle() const { return easy_; }

  /// The transport's thread is done with it: `code` as curl reported it.
  void finish(CURLcode code);
  void fail(Error error);
  std::variant<Response, Failure> take() { return std::move(*result_); }

  // The engine's bookkeeping, under its mutex.
  std::uint64_t id = 0;
  bool done = false;
  std::condition_variable changed;

 private:
  std::optional<Failure> check_url();
  std::optional<Failure> set_headers();
  void set_method();
  void set_limits();
  Failure explain(CURLcode code) const;
  Error timeout_error() const;
  Progress progress() const { return started_ ? Progress::Sent : Progress::NotSent; }
  bool goes_to_sink();
  Result<void> begin_sink();
  int status() const;

  std::size_t on_header(std::string_view line);
  std::size_t on_bytes(std::string_view bytes);
  std::size_t on_read(char* into, std::size_t room);
  int on_seek(curl_off_t offset, int origin);

  static int prereq_callback(void* self, char*, char*, int, int);
  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t read_callback(char* data, std::size_t size, std::size_t count, void* self);
  static int seek_callback(void* self, curl_off_t offset, int origin);

  struct ListFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const Exchange& exchange_;
  const CurlOptions& options_;
  CURL* easy_;
  std::unique_ptr<curl_slist, ListFree> header_list_;
  std::string host_;  // for messages
  bool loopback_ = false;
  std::unique_ptr<BodyReader> reader_;
  std::uint64_t read_ = 0;   // bytes of the body given to curl
  bool started_ = false;     // bytes of the request may have left
  bool head_whole_ = false;  // the answer's header fields ended as they should
  bool sink_begun_ = false;
  std::optional<Error> own_error_;  // of the body, the sink, or the cap: why a callback stopped curl
  Response response_;
  char detail_[CURL_ERROR_SIZE] = {};
  std::optional<std::variant<Response, Failure>> result_;
};

}  // namespace audiencesync::http
