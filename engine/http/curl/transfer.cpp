#include "engine/http/curl/transfer.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace audiencesync::http {
namespace {

constexpr std::size_t kMostBody = std::size_t{64} << 20;

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

/// A piece of a URL as curl itself will understand it; "" when there is none.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f) || c < 0; });
}

bool is_certificate_problem(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_INVALIDCERTSTATUS;
}

std::string seconds_of(Duration duration) {
  return fmt::format("{:.3g} s", static_cast<double>(duration.count()) / 1000.0);
}

}  // namespace

Transfer::Transfer(const Exchange& exchange, const CurlOptions& options)
    : exchange_(exchange), options_(options), easy_(curl_easy_init()) {}

Transfer::~Transfer() { curl_easy_cleanup(easy_); }

std::optional<Failure> Transfer::prepare() {
  if (easy_ == nullptr) return Failure{Progress::NotSent, Error(ErrorCode::Internal, "curl cannot make a handle")};
  if (auto failure = check_url()) return failure;
  if (auto failure = set_headers()) return failure;
  if (exchange_.body != nullptr && exchange_.body->open) {
    auto reader = exchange_.body->open();
    if (!reader.ok()) return Failure{Progress::NotSent, std::move(reader).error()};
    reader_ = std::move(reader).take();
  }
  set_method();
  set_limits();
  return std::nullopt;
}

std::optional<Failure> Transfer::check_url() {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (curl_url_set(url.get(), CURLUPART_URL, exchange_.url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return Failure{
        Progress::NotSent,
        Error(ErrorCode::Invalid, "an endpoint makes no valid URL; write https://host[:port] in the settings")};
  }
  const auto scheme = part_of(url.get(), CURLUPART_SCHEME);
  host_ = part_of(url.get(), CURLUPART_HOST);
  loopback_ = is_loopback(host_);
  if (scheme != "https" && !(scheme == "http" && loopback_)) {
    return Failure{Progress::NotSent,
                   Error(ErrorCode::Refused, fmt::format("{}://{}: tokens and person data travel only over https, or "
                                                         "over http to this machine; write https:// in the settings",
                                                         scheme, host_))};
  }
  curl_easy_setopt(easy_, CURLOPT_URL, exchange_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, loopback_ ? "http,https" : "https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  if (loopback_) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options_.ca_file.c_str());
  return std::nullopt;
}

std::optional<Failure> Transfer::set_headers() {
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(header_list_.get(), line.c_str());
    if (longer == nullptr) return;
    (void)header_list_.release();
    header_list_.reset(longer);
  };
  for (const auto& [name, value] : exchange_.headers) {
    if (name.empty() || !is_header_text(name) || !is_header_text(value)) {
      return Failure{Progress::NotSent, Error(ErrorCode::Internal, fmt::format("the header field '{}' holds a control "
                                                                               "character; nothing was sent",
                                                                               is_header_text(name) ? name : "?"))};
    }
    // curl takes `name:` for "leave it out"; an empty field is written with a semicolon.
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  if (exchange_.headers.find("content-type") == exchange_.headers.end()) {
    const bool typed = exchange_.body != nullptr && !exchange_.body->content_type.empty();
    add(typed ? "content-type: " + exchange_.body->content_type : std::string("content-type:"));
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_.get());
  // A range and a file are counted in bytes as they are stored.
  const bool plain = exchange_.sink != nullptr || exchange_.headers.count("range") != 0;
  if (!plain) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  return std::nullopt;
}

void Transfer::set_method() {
  const auto size = static_cast<curl_off_t>(exchange_.body != nullptr && reader_ ? exchange_.body->size : 0);
  const auto sends_body = [&] {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, size);
    if (size == 0) curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, "");
  };
  switch (exchange_.method) {
    case Method::Get:
      curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
      break;
    case Method::Head:
      curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
      break;
    case Method::Post:
      sends_body();
      break;
    case Method::Put:
      curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, size);
      break;
    case Method::Patch:
      sends_body();
      curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, "PATCH");
      break;
    case Method::Delete:
      if (size > 0) sends_body();
      curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
  }
  // curl silently sends a request again when a kept connection turns out to be dead before the first byte of an answer.
  // The server may have acted on it all the same, so what must happen once never travels on a kept connection; a fresh
  // one is not retried. (Its connection is kept for others afterwards.)
  if (exchange_.repeat == Repeat::Once) curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
}

void Transfer::set_limits() {
  const auto deadline = std::max<Duration::rep>(exchange_.deadline.count(), 1);
  const auto connect = std::clamp<Duration::rep>(options_.connect_timeout.count(), 1, deadline);
  const auto stall = std::max<Duration::rep>((options_.stall.count() + 999) / 1000, 1);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(deadline));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall));
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  // A name server that does not answer must not hold up the other exchanges when this one is given up.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, detail_);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Transfer::prereq_callback);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::write_callback);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::read_callback);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::seek_callback);
  curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  // Fewer turns of the loop for files of hundreds of megabytes.
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 256L * 1024L);
  if (reader_ && exchange_.body->size > 0) curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024L);
}

int Transfer::status() const {
  long code = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

bool Transfer::goes_to_sink() {
  const int code = status();
  return exchange_.sink != nullptr && code >= 200 && code < 300;
}

Result<void> Transfer::begin_sink() {
  if (sink_begun_) return {};
  sink_begun_ = true;
  return exchange_.sink->begin(status(), response_.headers);
}

void Transfer::finish(CURLcode code) {
  if (code == CURLE_OK && head_whole_ && goes_to_sink()) {
    if (auto begun = begin_sink(); !begun.ok()) {
      own_error_ = std::move(begun).error();
      code = CURLE_WRITE_ERROR;
    }
  }
  response_.status = status();
  // curl takes the end of the connection in the middle of the header fields for the end of the answer.
  if (code == CURLE_OK && !head_whole_) code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK) {
    result_ = std::move(response_);
  } else {
    result_ = explain(code);
  }
}

void Transfer::fail(Error error) { result_ = Failure{progress(), std::move(error)}; }

Error Transfer::timeout_error() const {
  double total = 0;
  curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME, &total);
  const auto deadline = static_cast<double>(exchange_.deadline.count()) / 1000.0;
  if (total >= deadline * 0.99) {
    return Error(ErrorCode::Timeout,
                 fmt::format("{}: no whole answer within {}", host_, seconds_of(exchange_.deadline)));
  }
  if (!started_) {
    return Error(ErrorCode::Unavailable,
                 fmt::format("{}: no connection within {}", host_, seconds_of(options_.connect_timeout)));
  }
  return Error(ErrorCode::Timeout, fmt::format("{}: nothing moved for {}", host_, seconds_of(options_.stall)));
}

Failure Transfer::explain(CURLcode code) const {
  if (own_error_) return {progress(), *own_error_};
  if (code == CURLE_OPERATION_TIMEDOUT) return {progress(), timeout_error()};
  // curl's own words name hosts, ports and numbers, never header fields or the query.
  const std::string said = detail_[0] != '\0' ? detail_ : curl_easy_strerror(code);
  if (is_certificate_problem(code)) {
    return {progress(), Error(ErrorCode::Refused,
                              fmt::format("{}: its certificate is not accepted ({}); install the certificate authority "
                                          "on this machine if the server is the right one",
                                          host_, said))};
  }
  // After sending, "unsupported protocol" is an answer that is no HTTP: the network's doing, not ours.
  if (!started_ && (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT || code == CURLE_OUT_OF_MEMORY ||
                    code == CURLE_FAILED_INIT || code == CURLE_BAD_FUNCTION_ARGUMENT)) {
    return {progress(), Error(ErrorCode::Internal, fmt::format("{}: {}", host_, said))};
  }
  return {progress(), Error(ErrorCode::Unavailable, fmt::format("{}: {}", host_, said))};
}

std::size_t Transfer::on_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // a new answer: what came before was 1xx
    head_whole_ = false;
    return line.size();
  }
  if (trimmed(line).empty()) head_whole_ = true;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  const auto value = trimmed(line.substr(colon + 1));
  auto& field = response_.headers[name];
  if (!field.empty()) field += ", ";
  field += value;
  return line.size();
}

std::size_t Transfer::on_bytes(std::string_view bytes) {
  if (goes_to_sink()) {
    auto written = begin_sink();
    if (written.ok()) written = exchange_.sink->write(bytes);
    if (written.ok()) return bytes.size();
    own_error_ = std::move(written).error();
    return CURL_WRITEFUNC_ERROR;
  }
  if (response_.body.size() + bytes.size() > kMostBody) {
    own_error_ = Error(ErrorCode::Corrupt, fmt::format("{}: an answer of more than {} MiB", host_, kMostBody >> 20));
    return CURL_WRITEFUNC_ERROR;
  }
  response_.body += bytes;
  return bytes.size();
}

std::size_t Transfer::on_read(char* into, std::size_t room) {
  if (!reader_) return 0;
  room = static_cast<std::size_t>(std::min<std::uint64_t>(room, exchange_.body->size - read_));
  if (room == 0) return 0;
  auto count = reader_->read({into, room});
  if (count.ok() && *count > 0) {
    read_ += *count;
    return *count;
  }
  // The server waits for every byte that was announced; ending early would hang until the deadline.
  own_error_ = count.ok() ? Error(ErrorCode::Io, fmt::format("the body ended after {} of {} bytes; it changed while it "
                                                             "was sent",
                                                             read_, exchange_.body->size))
                          : count.error();
  return CURL_READFUNC_ABORT;
}

int Transfer::on_seek(curl_off_t offset, int origin) {
  // curl goes back to the start when it sends a body again (a kept connection was dead, or 417).
  if (!reader_ || offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  auto again = exchange_.body->open();
  if (!again.ok()) {
    own_error_ = std::move(again).error();
    return CURL_SEEKFUNC_FAIL;
  }
  reader_ = std::move(again).take();
  read_ = 0;
  return CURL_SEEKFUNC_OK;
}

int Transfer::prereq_callback(void* self, char*, char*, int, int) {
  // Called when the connection stands and before the first byte of the request is written: the exact border between
  // "cannot have been seen" and "may have been".
  static_cast<Transfer*>(self)->started_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->on_header({data, size * count});
}

std::size_t Transfer::write_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->on_bytes({data, size * count});
}

std::size_t Transfer::read_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->on_read(data, size * count);
}

int Transfer::seek_callback(void* self, curl_off_t offset, int origin) {
  return static_cast<Transfer*>(self)->on_seek(offset, origin);
}

}  // namespace audiencesync::http
