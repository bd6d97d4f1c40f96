#include "emulator/http/message.h"

#include <stdexcept>

namespace emulator {

std::optional<std::string> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<std::string> Request::query_values(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : query)
    if (key == name) values.push_back(value);
  return values;
}

std::string Request::header(std::string_view lower_case_name) const {
  const auto found = headers.find(std::string(lower_case_name));
  return found == headers.end() ? std::string() : found->second;
}

const std::string& Request::parameter(const std::string& name) const { return parameters.at(name); }

Response Response::json(int status, const Json& value) {
  Response response;
  response.status = status;
  response.headers["content-type"] = "application/json";
  // A value that is not UTF-8 can only come from a caller; it is shown damaged rather than answered with a crash.
  response.body = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

Response Response::empty(int status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace emulator
