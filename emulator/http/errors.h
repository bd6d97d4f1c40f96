#pragma once

#include <string>
#include <string_view>

#include "emulator/http/message.h"

namespace emulator {

// The platform's families of error bodies (a client must understand all of them).

/// Before any service: {"error_code","message"}; the status is the first three digits of the code.
Response gateway_error(const std::string& code, const std::string& message);
/// Token service: {"error","error_description"}.
Response token_error(int status, const std::string& error, const std::string& description);
/// Segmentation and profile: `errors` keyed by status, code like "UPAPI-113430-404".
Response ups_error(int status, const std::string& code, const std::string& message);
/// Catalog: {"type","status","title","detail"}.
Response catalog_error(int status, const std::string& title, const std::string& detail);
/// Schema registry: code like "XDM-1012-404".
Response registry_error(int status, const std::string& code, const std::string& title, const std::string& detail);
/// Identity namespaces.
Response identity_error(int status, const std::string& error, const std::string& message);
/// The common problem document: code like "HYGN-3102-400".
Response problem(int status, const std::string& code, const std::string& title);
/// Customer Journey Analytics: {"errorCode","errorDescription","errorId","errorDetails","rootCauseService"}.
Response analytics_error(int status, const std::string& code, const std::string& description);
/// Control calls of the emulator itself: {"error"}.
Response control_error(int status, const std::string& message);

/// A failure nobody wrote a body for, in the family of the service that owns the path.
Response service_error(std::string_view path, int status, const std::string& message);
/// The usual words for a status.
std::string status_words(int status);

}  // namespace emulator
