#include "emulator/control/front_door.h"

#include <chrono>
#include <cstdio>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr std::string_view kControl = "/_emulator/";
constexpr std::size_t kLongestImportTarget = 2000;

}  // namespace

class FrontDoor::ClientCall : public Call {
 public:
  ClientCall(FrontDoor& door, const Request& head) : door_(door), match_(door.router_.match(head.method, head.path)) {
    if (!head.path.starts_with(kControl)) {
      CallLog::Entry entry;
      entry.method = head.method;
      entry.path = head.path;
      entry.query = head.target.substr(std::min(head.target.size(), head.path.size() + 1));
      entry.at_ms = door.platform_.clock.now_ms();
      number_ = door.calls_.add(std::move(entry));
      hit_ = door.faults_.meet(head);
    }
    intake_.body = match_.options.body;
    if (intake_.body == BodyMode::File) {
      intake_.spool = door.platform_.folder / "spool" / std::to_string(++door.requests_);
      const auto lock = door.platform_.objects.lock();
      intake_.cap = door.platform_.settings.upload_cap;
    }
    if (hit_ && hit_->action.upload_reset_after) {
      intake_.reset_after = hit_->action.upload_reset_after;
      door.calls_.answered(number_, 0, 0, hit_->text);
    }
  }

  Intake intake() const override { return intake_; }

  Delivery answer(Request& request) override {
    std::string body_start;
    if (door_.recorder_ != nullptr && number_ > 0) body_start = Recorder::body_start(request);
    if (door_.latency_ == Latency::Real && number_ > 0) door_.faults_.wait(answer_latency(request, number_));
    Delivery delivery;
    if (hit_)
      delivery = with_fault(request);
    else
      delivery.response = door_.route(match_, request);
    return finished(request, std::move(delivery), body_start);
  }

  Delivery too_large(const Request& request) override {
    Delivery delivery;
    delivery.response = service_error(request.path, 413, "The request body is too large");
    return finished(request, std::move(delivery), {});
  }

  void sent(std::uint64_t body_bytes) override {
    if (number_ > 0) door_.calls_.sent(number_, body_bytes);
  }

 private:
  Delivery with_fault(Request& request) {
    const FaultAction& action = hit_->action;
    if (action.delay_ms > 0) door_.faults_.wait(std::chrono::milliseconds(action.delay_ms));
    if (action.hold == Moment::Before) door_.faults_.hold(*hit_, number_);
    Delivery delivery;
    if (action.drop == Moment::Before) {
      delivery.sending = Delivery::Sending::CloseSilently;
      return delivery;
    }
    delivery.response = action.status ? failure(request) : door_.route(match_, request);
    if (action.hold == Moment::After) door_.faults_.hold(*hit_, number_);
    if (action.drop == Moment::After) delivery.sending = Delivery::Sending::Reset;
    if (action.empty_list) empty(request, delivery.response);
    delivery.truncate_after = action.truncate;
    delivery.bytes_per_second = action.drip_bytes_per_second;
    return delivery;
  }

  Response failure(const Request& request) const {
    const FaultAction& action = hit_->action;
    Response response = service_error(request.path, *action.status, status_words(*action.status));
    if (action.body) response.body = *action.body;
    if (action.content_type) response.headers["content-type"] = *action.content_type;
    if (action.retry_after) response.headers["retry-after"] = std::to_string(*action.retry_after);
    return response;
  }

  static void empty(const Request& request, Response& response) {
    if (response.status != 200 && response.status != 207) return;
    const Json body = Json::parse(response.body, nullptr, false);
    if (body.is_discarded()) return;
    const Response fresh = Response::json(response.status, emptied_list(request.path, body));
    response.body = fresh.body;
  }

  Delivery finished(const Request& request, Delivery delivery, const std::string& body_start) {
    Response& response = delivery.response;
    if (number_ == 0) return delivery;
    if (!response.headers.contains("x-request-id")) response.headers["x-request-id"] = door_.request_id(request);
    // An answer that is never sent has no status: a client cannot have seen one.
    const int status = delivery.sending == Delivery::Sending::CloseSilently ? 0 : response.status;
    door_.calls_.answered(number_, status, request.body_bytes, hit_ ? hit_->text : std::string());
    if (door_.recorder_ != nullptr)
      door_.recorder_->record(request, body_start, response, hit_ ? hit_->text : std::string());
    return delivery;
  }

  FrontDoor& door_;
  Router::Match match_;
  std::uint64_t number_ = 0;  // 0: a control call
  std::optional<Faults::Hit> hit_;
  Intake intake_;
};

FrontDoor::FrontDoor(Platform& platform, const Router& router, const Gateway& gateway, Faults& faults, CallLog& calls,
                     Recorder* recorder, Latency latency)
    : platform_(platform),
      router_(router),
      gateway_(gateway),
      faults_(faults),
      calls_(calls),
      recorder_(recorder),
      latency_(latency) {
  // Bodies of a process that was killed.
  std::filesystem::remove_all(platform.folder / "spool");
  std::filesystem::create_directories(platform.folder / "spool");
}

std::unique_ptr<Call> FrontDoor::arrive(const Request& head) { return std::make_unique<ClientCall>(*this, head); }

Response FrontDoor::route(const Router::Match& match, Request& request) const {
  try {
    if (match.handler == nullptr) {
      const std::string what = request.method + " " + request.path;
      if (request.path.starts_with(kControl))
        return control_error(match.other_method ? 405 : 404, what + ": there is no such control call");
      return match.other_method ? gateway_error("405001", "Method not allowed")
                                : gateway_error("404003", "Resource not found");
    }
    if (auto refusal = gateway_.refuse(request, match.options.gate)) return *std::move(refusal);
    if (request.path.starts_with("/data/foundation/import") && request.target.size() > kLongestImportTarget)
      return service_error(request.path, 414, "The URI is longer than 2000 characters");
    request.parameters = match.parameters;
    return (*match.handler)(request);
  } catch (HttpError& error) {
    return std::move(error.response);
  } catch (const Json::parse_error&) {
    return service_error(request.path, 400, "The request body is not valid JSON");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s %s: %s\n", request.method.c_str(), request.path.c_str(), error.what());
    return service_error(request.path, 500, "Internal server error");
  }
}

std::string FrontDoor::request_id(const Request& request) {
  const std::string given = request.header("x-request-id");
  return given.empty() ? derived_hex(platform_.identity.seed, "request", ++requests_).substr(0, 32) : given;
}

}  // namespace emulator
