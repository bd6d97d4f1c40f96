#include "engine/http/token.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/json.h"
#include "engine/http/error_body.h"

namespace audiencesync::http {
namespace {

constexpr const char* kTokenPath = "/ims/token/v3";
constexpr std::chrono::seconds kRenewBefore{500};
// The retired token exchange wrote milliseconds into the same member; no token lives for eleven days.
constexpr std::int64_t kMostSeconds = 1'000'000;
// An answer without lifetime: short enough to be wrong for a short time only.
constexpr std::chrono::seconds kUnstatedLifetime{600};
// How long a good token is used on after its renewal failed, before the next try.
constexpr std::chrono::seconds kRenewAgain{30};

bool is_passing_failure(const Error& error) {
  return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Timeout;
}

std::string joined_scopes(const std::vector<std::string>& scopes) {
  std::string out;
  for (const auto& scope : scopes) {
    if (!out.empty()) out += ',';
    out += scope;
  }
  return out;
}

std::string form_of(const Credentials& credentials) {
  std::string form = "grant_type=client_credentials&client_id=" + encode_segment(credentials.client_id) +
                     "&client_secret=" + encode_segment(credentials.client_secret.reveal());
  if (!credentials.scopes.empty()) form += "&scope=" + encode_segment(joined_scopes(credentials.scopes));
  return form;
}

std::string way_out(const std::string& code) {
  if (code == "invalid_client") return "check the client id and the client secret of this organisation";
  if (code == "invalid_scope") return "copy the list of scopes from the credential in the Developer Console";
  if (code == "unauthorized_client") return "add the OAuth server-to-server credential to the project again";
  return "check the credential in the Developer Console, and endpoints.ims in the settings";
}

Error refusal(const Response& response) {
  const auto body = parse_error_body(response.status, response.headers, response.body);
  const auto said = body.code.empty() ? fmt::format("status {}", response.status)
                                      : fmt::format("status {} {}", response.status, body.code);
  // A description may quote what was sent, so only the code is repeated.
  return Error(ErrorCode::Authentication,
               fmt::format("the token service refused the credential ({}); {}", said, way_out(body.code)))
      .with_request_id(body.request_id);
}

}  // namespace

TokenSource::TokenSource(Transport& transport, const Clock& clock, std::string identity, Credentials credentials,
                         TokenOptions options)
    : transport_(transport),
      clock_(clock),
      url_(std::move(identity) + kTokenPath),
      credentials_(std::move(credentials)),
      options_(std::move(options)) {}

Result<Secret> TokenSource::token(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (grant_ && clock_.steady() < grant_->renew_at) return grant_->token;
  if (renewal_ == Renewal::Running) {
    const auto round = rounds_;
    const bool over = renewed_.wait(lock, stop, [&] { return rounds_ != round; });
    if (!over) return Error(ErrorCode::Interrupted, "stopped while waiting for an access token");
    if (grant_ && clock_.steady() < grant_->renew_at) return grant_->token;
    // The one who asked was stopped, we were not: then it is our turn (or, again, somebody else's).
    if (!last_error_ || last_error_->code() == ErrorCode::Interrupted) {
      lock.unlock();
      return token(std::move(stop));
    }
    return *last_error_;
  }
  renewal_ = Renewal::Running;
  lock.unlock();
  auto fresh = options_.shelf == nullptr ? request(std::move(stop)) : shared_or_requested(std::move(stop));
  return settle(std::move(fresh));
}

Result<Secret> TokenSource::settle(Result<Grant> fresh) {
  const std::scoped_lock lock(mutex_);
  renewal_ = Renewal::Idle;
  ++rounds_;
  last_error_.reset();
  renewed_.notify_all();
  if (fresh.ok()) {
    grant_ = std::move(fresh).take();
    return grant_->token;
  }
  const auto now = clock_.steady();
  if (grant_ && now < grant_->expires_at && is_passing_failure(fresh.error())) {
    grant_->renew_at = std::min<Instant>(now + kRenewAgain, grant_->expires_at);
    return grant_->token;
  }
  last_error_ = fresh.error();
  return std::move(fresh).error();
}

// One process asks, and the others find what it got.
Result<TokenSource::Grant> TokenSource::shared_or_requested(std::stop_token stop) const {
  const auto turn = options_.shelf->take_turn(stop);
  const auto wall = clock_.now();
  const auto steady = clock_.steady();
  if (const auto shared = options_.shelf->read(); shared && wall < shared->renew_at) {
    return Grant{shared->token, steady + (shared->renew_at - wall), steady + (shared->expires_at - wall)};
  }
  auto grant = TRY(request(std::move(stop)));
  const auto on_the_wall = [&](Instant at) { return wall + std::chrono::floor<Duration>(at - steady); };
  options_.shelf->keep({grant.token, on_the_wall(grant.renew_at), on_the_wall(grant.expires_at)});
  return grant;
}

void TokenSource::invalidate(const Secret& token) {
  if (options_.shelf != nullptr) options_.shelf->drop(token);
  const std::scoped_lock lock(mutex_);
  if (grant_ && grant_->token.reveal() == token.reveal()) grant_.reset();
}

Result<TokenSource::Grant> TokenSource::request(std::stop_token stop) const {
  const auto body = Body::text(form_of(credentials_), "application/x-www-form-urlencoded");
  Exchange exchange{
      .method = Method::Post, .url = url_, .body = &body, .deadline = options_.deadline, .repeat = Repeat::Read};
  exchange.headers["accept"] = "application/json";
  if (!options_.user_agent.empty()) exchange.headers["user-agent"] = options_.user_agent;

  Patience patience(options_.retry, clock_, options_.seed);
  for (;;) {
    const auto asked = clock_.steady();
    auto outcome = transport_.exchange(exchange, stop);
    const auto* response = std::get_if<Response>(&outcome);
    const auto* failure = std::get_if<Failure>(&outcome);
    if (options_.observer != nullptr) {
      CallRecord record{.method = Method::Post, .service = Service::Identity, .path = kTokenPath};
      if (response != nullptr) {
        record.status = response->status;
        record.bytes_in = response->body.size();
        record.request_id = request_id_of(response->headers);
      } else {
        record.failure = failure->error.code();
      }
      record.attempt = patience.attempts();
      record.duration = std::chrono::duration_cast<Duration>(clock_.steady() - asked);
      record.bytes_out = body.size;
      options_.observer->attempted(record);
    }

    Attempt attempt;
    std::optional<std::chrono::seconds> retry_after;
    std::optional<Error> error;
    if (response != nullptr) {
      attempt.status = response->status;
      attempt.page = page_of(response->headers, response->body);
      if (response->status >= 200 && response->status < 300 && attempt.page == Page::Api)
        return read_grant(*response, asked);
      if (const auto field = response->headers.find("retry-after"); field != response->headers.end())
        retry_after = parse_retry_after(field->second, clock_.now());
      if (decide(Repeat::Read, attempt) == Verdict::Fail) return refusal(*response);
      const auto said = parse_error_body(response->status, response->headers, response->body);
      error =
          Error(ErrorCode::Unavailable, fmt::format("the token service answered {} {}", response->status, said.message))
              .with_request_id(said.request_id);
    } else {
      attempt.progress = failure->progress;
      attempt.failure = failure->error.code();
      error = failure->error;
      if (decide(Repeat::Read, attempt) == Verdict::Fail) return std::move(*error).in("access token");
    }
    switch (patience.wait(retry_after, stop)) {
      case Patience::Next::Again:
        continue;
      case Patience::Next::Stopped:
        return Error(ErrorCode::Interrupted, "stopped while asking for an access token");
      case Patience::Next::Spent:
        break;
    }
    return std::move(*error).in(fmt::format("access token, {} attempts", patience.attempts()));
  }
}

Result<TokenSource::Grant> TokenSource::read_grant(const Response& response, Instant asked) const {
  const auto id = request_id_of(response.headers);
  auto value = parse_json(response.body);
  const std::string text = value.ok() ? value->text("access_token") : std::string{};
  const bool sendable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || !sendable) {
    return Error(ErrorCode::Corrupt,
                 fmt::format("the token service answered {} without a usable access_token; check endpoints.ims in the "
                             "settings",
                             response.status))
        .with_request_id(id);
  }
  Duration lifetime = kUnstatedLifetime;
  if (const auto stated = value->number("expires_in"); stated && *stated > 0) {
    lifetime = *stated > kMostSeconds ? Duration(*stated) : Duration(std::chrono::seconds(*stated));
  }
  const Duration early = std::min<Duration>(kRenewBefore, lifetime / 10);
  // Counted from before the request: the token was made somewhere in between.
  return Grant{Secret(text), asked + lifetime - early, asked + lifetime};
}

}  // namespace audiencesync::http
