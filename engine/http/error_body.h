#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/http/message.h"
#include "engine/http/retry.h"

namespace audiencesync::http {

/// What an answer outside 2xx says, whichever of the platform's shapes it has.
struct ErrorBody {
  std::string code;        // the platform's own: "401013", "UPAPI-113740-403", "invalid_client"; "" when it names none
  std::string message;     // fit for a log: at most 300 bytes, one line, anything like an e-mail address masked
  std::string request_id;  // "" when there is none
};

/// Reads the gateway's, problem-JSON, segmentation's, Catalog's and registry's shapes, OAuth's and Analytics', and
/// falls back to plain text; an HTML page is only named. Pure, never fails.
ErrorBody parse_error_body(int status, const Headers& headers, std::string_view body);

/// Html when the field `content-type` or the first characters say so.
Page page_of(const Headers& headers, std::string_view body);

/// The platform's id of an exchange, from the answer's header fields; "" when it gave none.
std::string request_id_of(const Headers& headers);

/// One line of at most 300 bytes of somebody else's text, control characters as blanks, addresses masked.
std::string presentable(std::string_view text);

/// Which kind of failure an answer is; for statuses outside 2xx.
ErrorCode code_of(int status);

}  // namespace audiencesync::http
