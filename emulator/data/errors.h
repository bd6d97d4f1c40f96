#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "emulator/http/message.h"
#include "emulator/http/router.h"

namespace emulator {

// What routes of the data plane throw; the bodies are those of http/errors.h.
HttpError ups_failure(int status, const std::string& code, const std::string& message);
HttpError catalog_failure(int status, const std::string& detail);
/// Ingestion and data access promise no body; ours says what was wrong.
HttpError import_failure(int status, const std::string& detail);
HttpError control_failure(const std::string& message);

/// A route whose complaints about the types in a JSON body become a 400 of the service that owns the path.
Handler checked(Handler handler);

/// The body as JSON, or the given error for anything else.
Json json_body(const Request& request, const HttpError& otherwise);
/// A whole number of a query parameter; nullopt when it is not one.
std::optional<std::uint64_t> whole_number(const std::string& text);

}  // namespace emulator
