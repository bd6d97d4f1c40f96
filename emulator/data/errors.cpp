#include "emulator/data/errors.h"

#include <charconv>
#include <utility>

#include "emulator/http/errors.h"

namespace emulator {

HttpError ups_failure(int status, const std::string& code, const std::string& message) {
  return {ups_error(status, code, message)};
}

HttpError catalog_failure(int status, const std::string& detail) {
  std::string title = "InternalServerError";
  if (status == 400) title = "BadRequestError";
  if (status == 404) title = "NotFoundError";
  if (status == 412) title = "PreconditionFailedError";
  if (status == 415) title = "UnsupportedMediaTypeError";
  return {catalog_error(status, title, detail)};
}

HttpError import_failure(int status, const std::string& detail) {
  return {Response::json(status, {{"status", status}, {"title", status_words(status)}, {"detail", detail}})};
}

HttpError control_failure(const std::string& message) { return {control_error(400, message)}; }

Handler checked(Handler handler) {
  return [handler = std::move(handler)](const Request& request) {
    try {
      return handler(request);
    } catch (const Json::exception& error) {
      return service_error(request.path, 400, error.what());
    }
  };
}

Json json_body(const Request& request, const HttpError& otherwise) {
  Json body = Json::parse(request.body, nullptr, false);
  if (body.is_discarded()) throw otherwise;
  return body;
}

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

}  // namespace emulator
