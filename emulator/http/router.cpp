#include "emulator/http/router.h"

#include <optional>
#include <utility>

#include "emulator/http/uri.h"

namespace emulator {
namespace {

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}
bool takes_rest(const std::string& segment) { return is_parameter(segment) && segment.ends_with("...}"); }

struct PathMatch {
  std::size_t literals = 0;  // the more of the pattern is spelled out, the better it fits
  std::map<std::string, std::string> parameters;
};

std::optional<PathMatch> match_path(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  PathMatch match;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string& expected = pattern[i];
    if (takes_rest(expected)) {
      if (i >= path.size()) return std::nullopt;
      std::string rest;
      for (std::size_t k = i; k < path.size(); ++k) rest += (k > i ? "/" : "") + percent_decode(path[k]);
      match.parameters[expected.substr(1, expected.size() - 5)] = std::move(rest);
      return match;
    }
    if (i >= path.size()) return std::nullopt;
    std::string actual = percent_decode(path[i]);
    if (is_parameter(expected)) {
      match.parameters[expected.substr(1, expected.size() - 2)] = std::move(actual);
    } else if (expected == actual) {
      ++match.literals;
    } else {
      return std::nullopt;
    }
  }
  if (path.size() != pattern.size()) return std::nullopt;
  return match;
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  routes_.push_back({std::move(method), path_segments(pattern), std::move(handler), options});
}

Router::Match Router::match(const std::string& method, const std::string& path) const {
  const std::vector<std::string> segments = path_segments(path);
  Match best;
  // A HEAD route of its own wins over the GET route of an equally good pattern.
  std::pair<std::size_t, bool> best_rank{0, false};
  for (const Route& route : routes_) {
    std::optional<PathMatch> match = match_path(route.segments, segments);
    if (!match) continue;
    const bool exact = route.method == method;
    if (!exact && !(method == "HEAD" && route.method == "GET")) {
      best.other_method = true;
      continue;
    }
    const std::pair rank{match->literals, exact};
    if (best.handler != nullptr && rank <= best_rank) continue;
    best.handler = &route.handler;
    best.options = route.options;
    best.parameters = std::move(match->parameters);
    best_rank = rank;
  }
  if (best.handler != nullptr) best.other_method = false;
  return best;
}

}  // namespace emulator
