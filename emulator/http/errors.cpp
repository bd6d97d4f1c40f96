#include "emulator/http/errors.h"

#include <boost/beast/http/status.hpp>

namespace emulator {
namespace {

std::string problem_type(const std::string& code) { return "http://ns.adobe.com/aep/errors/" + code; }

bool is_analytics(std::string_view path) {
  for (const std::string_view root :
       {"/data/connections", "/data/dataviews", "/segments", "/filters", "/reports", "/calculatedmetrics",
        "/dateranges", "/projects", "/componentmetadata", "/auditlogs", "/configuration"})
    if (path.starts_with(root)) return true;
  return false;
}

std::string analytics_code(int status) {
  if (status == 400) return "invalid_request";
  if (status == 403) return "insufficient_access";
  if (status == 404) return "resource_not_found";
  if (status == 405) return "method_not_allowed";
  if (status == 409) return "resource_conflict";
  if (status == 413) return "payload_too_large";
  if (status == 503) return "resource_temporarily_unavailable";
  return "unexpected_error";
}

}  // namespace

std::string status_words(int status) {
  const auto words =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {words.data(), words.size()};
}

Response gateway_error(const std::string& code, const std::string& message) {
  return Response::json(std::stoi(code.substr(0, 3)), Json{{"error_code", code}, {"message", message}});
}

Response token_error(int status, const std::string& error, const std::string& description) {
  return Response::json(status, Json{{"error", error}, {"error_description", description}});
}

Response ups_error(int status, const std::string& code, const std::string& message) {
  const std::string text = std::to_string(status);
  return Response::json(status, Json{{"status", status},
                                     {"title", status_words(status)},
                                     {"type", "https://ns.adobe.com/aep/errors/" + code},
                                     {"errors", {{text, Json::array({{{"code", code}, {"message", message}}})}}}});
}

Response catalog_error(int status, const std::string& title, const std::string& detail) {
  return Response::json(
      status, Json{{"type", "/placeholder/type/uri"}, {"status", status}, {"title", title}, {"detail", detail}});
}

Response registry_error(int status, const std::string& code, const std::string& title, const std::string& detail) {
  return Response::json(status, Json{{"type", problem_type(code)},
                                     {"title", title},
                                     {"status", status},
                                     {"report", {{"detailed-message", detail}, {"sub-errors", Json::array()}}},
                                     {"detail", detail}});
}

Response identity_error(int status, const std::string& error, const std::string& message) {
  return Response::json(status, Json{{"type", "http://ns.adobe.com/adobecloud/problem/namespacevalidation"},
                                     {"status", status},
                                     {"error", error},
                                     {"title", message},
                                     {"report", {{"message", message}}}});
}

Response problem(int status, const std::string& code, const std::string& title) {
  return Response::json(
      status,
      Json{{"type", problem_type(code)},
           {"title", title},
           {"status", status},
           {"report", Json::object()},
           {"error-chain", Json::array({{{"serviceId", code.substr(0, code.find('-'))}, {"errorCode", code}}})}});
}

Response analytics_error(int status, const std::string& code, const std::string& description) {
  return Response::json(status, Json{{"errorCode", code},
                                     {"errorDescription", description},
                                     {"errorId", code + "-" + std::to_string(status)},
                                     {"errorDetails", Json::object()},
                                     {"rootCauseService", "cja-datagroups"}});
}

Response control_error(int status, const std::string& message) {
  return Response::json(status, Json{{"error", message}});
}

Response service_error(std::string_view path, int status, const std::string& message) {
  const std::string text = std::to_string(status);
  if (path.starts_with("/_emulator")) return control_error(status, message);
  if (path.starts_with("/ims")) return token_error(status, status < 500 ? "invalid_request" : "server_error", message);
  // The gateway answers these itself, whatever stands behind it.
  if (status == 401) return gateway_error("401013", "Oauth token is not valid");
  if (status == 429) return gateway_error("429050", "Too many requests");
  if (status == 502 || status == 504) return gateway_error(text + "001", message);
  if (is_analytics(path)) return analytics_error(status, analytics_code(status), message);
  if (path.starts_with("/data/core/ups")) return ups_error(status, "UPAPI-100000-" + text, message);
  if (path.starts_with("/data/foundation/catalog")) {
    std::string title = status_words(status) + " Error";
    std::erase(title, ' ');
    return catalog_error(status, title, message);
  }
  if (path.starts_with("/data/foundation/schemaregistry"))
    return registry_error(status, "XDM-1000-" + text, status_words(status), message);
  if (path.starts_with("/data/core/idnamespace")) return identity_error(status, status_words(status), message);
  return problem(status, "PLATFORM-1000-" + text, message);
}

}  // namespace emulator
