#include "engine/http/gateway.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/http/error_body.h"
#include "engine/http/read_only_posts.h"
#include "engine/http/url.h"

namespace audiencesync::http {
namespace {

constexpr std::uint64_t kBytesPerSecond = 256 * 1024;  // slower is not worth waiting for
constexpr const char* kSandboxService = "/data/foundation/sandbox-management";

bool is_success(int status) { return status >= 200 && status < 300; }

std::uint64_t drawn_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// Spreads consecutive numbers over all 64 bits (a step of splitmix64).
std::uint64_t scattered(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15u;
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9u;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EBu;
  return number ^ (number >> 31);
}

std::string place_of(const Request& request) {
  return fmt::format("{} {}", to_string(request.method), without_query(request.path));
}

std::string seconds_text(Duration duration) {
  return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1000.0);
}

const char* way_out(ErrorCode code) {
  switch (code) {
    case ErrorCode::Authentication:
      return "; a renewed token was refused too: check that the credential belongs to this organisation and that its "
             "project has this API";
    case ErrorCode::Permission:
      return "; give the technical account a role with this permission, and the sandbox";
    default:
      return "";
  }
}

}  // namespace

/// One call on its way: what it sends, what the last attempt ended with, what is left of its patience.
struct Core::Call {
  Call(Core& owner, const Request& what, std::string id, std::stop_token stopped_by, ResumableSink* into)
      : core(owner),
        request(what),
        request_id(std::move(id)),
        stop(std::move(stopped_by)),
        sink(into),
        patience(owner.options_.retry, owner.parts_.clock, scattered(owner.seed_ + owner.calls_.load())) {}

  enum class Step { Accept, Retry, Give };

  Result<void> authorise(Exchange& exchange);
  void send(const Exchange& exchange);
  bool accepted() const;
  Step judge();
  Error error() const;
  Error unknown() const;
  std::string cause() const;
  std::optional<std::chrono::seconds> retry_after() const;
  void tell(Duration took) const;

  Core& core;
  const Request& request;
  const std::string request_id;
  const std::stop_token stop;
  ResumableSink* const sink;
  Patience patience;
  Secret token;
  std::optional<Response> response;
  std::optional<Failure> failure;
  Verdict verdict = Verdict::Fail;
  enum class Renewal { Possible, Done } renewal = Renewal::Possible;
};

Core::Core(CoreParts parts, Endpoints endpoints, Account account, CoreOptions options)
    : parts_(parts),
      endpoints_(std::move(endpoints)),
      account_(std::move(account)),
      options_(std::move(options)),
      seed_(options_.seed ? *options_.seed : drawn_seed()) {}

std::string Core::next_request_id() {
  return fmt::format("{:016x}{:016x}", scattered(seed_), scattered(seed_ + ++calls_));
}

Result<Exchange> Core::prepare(const Request& request, std::uint64_t expects, const std::string& request_id) const {
  Exchange exchange;
  switch (request.service) {
    case Service::Platform:
      exchange.url = TRY(make_url(endpoints_.platform, request.path, request.query));
      break;
    case Service::Analytics:
      exchange.url = TRY(make_url(endpoints_.analytics, request.path, request.query));
      break;
    case Service::Identity:
      return Error(ErrorCode::Internal, "the token service is called by TokenSource alone; this is a bug");
  }
  exchange.method = request.method;
  exchange.repeat = request.repeat;
  exchange.body = request.body.open ? &request.body : nullptr;
  exchange.deadline = request.deadline;
  if (exchange.deadline == Duration(0)) {
    exchange.deadline = options_.deadline + std::chrono::seconds((request.body.size + expects) / kBytesPerSecond);
  }
  auto& headers = exchange.headers;
  headers = request.headers;
  headers.emplace("accept", "application/json");
  headers["x-api-key"] = parts_.tokens.client_id();
  headers["x-gw-ims-org-id"] = account_.organization_id;
  headers["user-agent"] = "audiencesync/" + options_.version;
  headers["x-request-id"] = request_id;
  if (request.service == Service::Platform && !account_.sandbox.empty() && !request.path.starts_with(kSandboxService)) {
    headers.emplace("x-sandbox-name", account_.sandbox);
  }
  return exchange;
}

Result<Response> Core::call(const Request& request, std::stop_token stop, ResumableSink* sink, std::uint64_t expects) {
  if (request.method == Method::Post && is_forbidden_post(request.path)) {
    return Error(ErrorCode::Internal, place_of(request) + ": leaves a job on the platform and is never called");
  }
  auto request_id = next_request_id();
  auto exchange = TRY(prepare(request, expects, request_id));
  Call call(*this, request, std::move(request_id), std::move(stop), sink);
  for (;;) {
    TRY(call.authorise(exchange));
    TRY(parts_.limiter.acquire(request.service, request.method, without_query(request.path), call.stop)
            .in(place_of(request)));
    call.send(exchange);
    switch (call.judge()) {
      case Call::Step::Accept:
        return std::move(*call.response);
      case Call::Step::Give:
        return call.error();
      case Call::Step::Retry:
        break;
    }
  }
}

Result<void> Core::Call::authorise(Exchange& exchange) {
  token = TRY(core.parts_.tokens.token(stop).in(place_of(request)));
  exchange.headers["authorization"] = "Bearer " + token.reveal();
  if (sink != nullptr) {
    for (const char* name : {"range", "if-range"}) exchange.headers.erase(name);
    for (auto& [name, value] : sink->headers_of_attempt()) exchange.headers[name] = value;
  }
  exchange.sink = sink;
  return {};
}

void Core::Call::send(const Exchange& exchange) {
  const auto& clock = core.parts_.clock;
  const auto sent = clock.now();
  const auto began = clock.steady();
  auto outcome = core.parts_.transport.exchange(exchange, stop);
  response.reset();
  failure.reset();
  if (auto* answer = std::get_if<Response>(&outcome)) {
    response = std::move(*answer);
    response->request_id = request_id_of(response->headers);
    if (response->request_id.empty()) response->request_id = request_id;
    if (const auto field = response->headers.find("date"); field != response->headers.end()) {
      if (const auto date = parse_time(field->second)) core.parts_.server_time.observe(*date, sent, clock.now());
    }
  } else {
    failure = std::move(std::get<Failure>(outcome));
  }
  tell(std::chrono::duration_cast<Duration>(clock.steady() - began));
}

bool Core::Call::accepted() const {
  if (!response) return false;
  const int status = response->status;
  const bool wanted = is_success(status) ||
                      std::find(request.expected.begin(), request.expected.end(), status) != request.expected.end();
  if (!wanted) return false;
  // A proxy's page is no answer of the platform: taking its 404 for absence would remove things on doubt.
  return (sink != nullptr && is_success(status)) || page_of(response->headers, response->body) == Page::Api;
}

Core::Call::Step Core::Call::judge() {
  if (accepted()) return Step::Accept;
  if (response && response->status == 401 && renewal == Renewal::Possible) {
    // Refused before anything happened, so even Once may go again; the body is read from its start.
    renewal = Renewal::Done;
    core.parts_.tokens.invalidate(token);
    return Step::Retry;
  }
  Attempt attempt;
  if (response) {
    attempt.status = response->status;
    attempt.page = page_of(response->headers, response->body);
  } else {
    attempt.progress = failure->progress;
    attempt.failure = failure->error.code();
  }
  verdict = decide(request.repeat, attempt);
  if (verdict != Verdict::Retry) return Step::Give;
  switch (patience.wait(retry_after(), stop)) {
    case Patience::Next::Again:
      return Step::Retry;
    case Patience::Next::Stopped:
      failure = Failure{Progress::NotSent, Error(ErrorCode::Interrupted,
                                                 fmt::format("stopped while waiting to try again after {}", cause()))};
      response.reset();
      return Step::Give;
    case Patience::Next::Spent:
      return Step::Give;
  }
  return Step::Give;
}

std::optional<std::chrono::seconds> Core::Call::retry_after() const {
  if (!response) return std::nullopt;
  const auto field = response->headers.find("retry-after");
  if (field == response->headers.end()) return std::nullopt;
  return parse_retry_after(field->second, core.parts_.server_time.now());
}

/// What the last attempt ended with, in words.
std::string Core::Call::cause() const {
  if (failure) return failure->error.message();
  const auto body = parse_error_body(response->status, response->headers, response->body);
  std::string out = fmt::format("status {}", response->status);
  if (!body.code.empty()) out += " " + body.code;
  if (!body.message.empty()) out += ": " + body.message;
  return out;
}

Error Core::Call::unknown() const {
  return Error(ErrorCode::Unknown,
               fmt::format("{}: {}; it may or may not have had its effect, so it is looked for before anything is "
                           "repeated",
                           place_of(request), cause()))
      .with_request_id(response ? response->request_id : request_id);
}

Error Core::Call::error() const {
  if (verdict == Verdict::Unknown) return unknown();
  if (failure && verdict == Verdict::Fail) {
    // Ours (a full disk, a stop, a refused certificate): the code and the place are right already.
    return Error(failure->error).in(place_of(request));
  }
  std::string text = fmt::format("{}: {}", place_of(request), cause());
  auto code = failure ? failure->error.code() : code_of(response->status);
  if (verdict == Verdict::Retry && code != ErrorCode::Interrupted) {
    if (response) code = ErrorCode::Unavailable;
    const auto asked = retry_after();
    text += fmt::format("; gave up after {} attempt{} in {}", patience.attempts(), patience.attempts() == 1 ? "" : "s",
                        seconds_text(patience.elapsed()));
    if (asked) text += fmt::format(", asked to wait {} s", asked->count());
  } else {
    text += way_out(code);
  }
  std::string id = request_id;
  if (response) {
    id = parse_error_body(response->status, response->headers, response->body).request_id;
    if (id.empty()) id = response->request_id;
  }
  return Error(code, std::move(text)).with_request_id(std::move(id));
}

void Core::Call::tell(Duration took) const {
  if (core.parts_.observer == nullptr) return;
  CallRecord record;
  record.method = request.method;
  record.service = request.service;
  record.path = without_query(request.path);
  record.attempt = patience.attempts();
  record.duration = took;
  record.bytes_out = request.body.size;
  record.request_id = request_id;
  if (response) {
    record.status = response->status;
    record.request_id = response->request_id;
    record.bytes_in = response->body.size();
  } else {
    record.failure = failure->error.code();
  }
  if (sink != nullptr) record.bytes_in += sink->bytes_of_attempt();
  core.parts_.observer->attempted(record);
}

Result<Response> Reader::read(const Request& request) {
  const bool reads = request.method == Method::Get || request.method == Method::Head ||
                     (request.method == Method::Post && is_read_only_post(request.service, request.path));
  if (!reads) {
    return Error(ErrorCode::Internal,
                 place_of(request) + ": is not in the table of calls that only read (read_only_posts.h)");
  }
  Request asked = request;
  asked.repeat = Repeat::Read;
  return core_.call(asked, stop_);
}

Result<Response> Writer::write(const Request& request) {
  if (request.method == Method::Get || request.method == Method::Head) {
    return Error(ErrorCode::Internal, place_of(request) + ": does not write; use the reading client");
  }
  if (request.repeat == Repeat::Read) {
    return Error(ErrorCode::Internal, place_of(request) + ": a write must say whether it is Repeatable or Once");
  }
  return core_.call(request, stop_);
}

}  // namespace audiencesync::http
