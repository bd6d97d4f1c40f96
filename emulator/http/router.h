#pragma once

#include <functional>
#include <string>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

enum class BodyMode { Memory, File };

/// Which gateway checks run before the route: Platform = token, api key, organisation and sandbox headers;
/// Organization = the same without the sandbox header; Open = none (token service, control calls).
enum class Gate { Platform, Organization, Open };

struct RouteOptions {
  BodyMode body = BodyMode::Memory;
  Gate gate = Gate::Platform;
};

using Handler = std::function<Response(const Request&)>;

/// Maps method and path pattern to a handler. Filled before the server starts, then read by many threads.
///
/// A pattern is a path whose segments may be `{name}` (one segment) or, as the last one, `{name...}` (the rest).
class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});

  struct Match {
    const Handler* handler = nullptr;  // null: no such path
    RouteOptions options;
    std::map<std::string, std::string> parameters;
    bool other_method = false;  // the path exists under another method: 405
  };
  Match match(const std::string& method, const std::string& path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
    RouteOptions options;
  };
  std::vector<Route> routes_;
};

}  // namespace emulator
