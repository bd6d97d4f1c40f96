#pragma once

#include <string>
#include <vector>

namespace audiencesync::testing {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// One plain request to a server on loopback. Throws std::runtime_error when there is no answer at all.
HttpAnswer http_call(const std::string& method, const std::string& url, const std::string& body = "",
                     const std::vector<std::string>& headers = {"Content-Type: application/json"});

}  // namespace audiencesync::testing
