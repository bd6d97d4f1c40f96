#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// What a route of Analytics throws; codes are those of the service's `ErrorStatus`.
HttpError analytics_failure(int status, const std::string& code, const std::string& description);

/// While the setting asks for it: at most 12 calls in 6 s of each key pass, and 60 in a minute of all keys together to
/// segments and reports. Thread-safe.
class AnalyticsLimit {
 public:
  explicit AnalyticsLimit(Platform& platform) : platform_(platform) {}
  /// Throws the gateway's 429 for a call too many.
  void meet(const Request& request);

 private:
  Platform& platform_;
  std::mutex mutex_;
  std::map<std::string, std::deque<std::int64_t>> calls_;  // times by key
  std::deque<std::int64_t> shared_;                        // times of segments and reports
};

/// Registers the routes of Analytics: without a sandbox header, rate limited, complaints in its own words.
class AnalyticsRoutes {
 public:
  AnalyticsRoutes(Router& router, AnalyticsLimit& limit) : router_(router), limit_(limit) {}
  void add(const std::string& method, const std::string& path, Handler handler);
  /// Every writing method of the path answers 405, because only a person can do that.
  void refuse_writes(const std::string& path, const std::string& why);

 private:
  Router& router_;
  AnalyticsLimit& limit_;
};

/// `a,b,,c` -> {"a","b","c"}; empty when the parameter is absent.
std::set<std::string> word_list(const Request& request, const std::string& name);

/// Which members an answer carries. `always` are there without being asked for.
class Expansion {
 public:
  explicit Expansion(const Request& request) : asked_(word_list(request, "expansion")) {}
  bool has(const std::string& name) const { return asked_.contains(name); }
  /// The members of `object` that `always` or, by their expansion, `by_expansion` names.
  Json of(const Json& object, const std::set<std::string>& always,
          const std::map<std::string, std::vector<std::string>>& by_expansion) const;

 private:
  std::set<std::string> asked_;
};

/// Sorts and cuts a list as `sortProperty`, `sortDirection`, `limit` and `page` say, in the dialect of the settings.
/// Sorting reads "id", "name" and "modifiedDate" of the whole objects; `shown` makes of each what is answered.
/// Throws a 400 for what cannot be parsed.
Json analytics_page(const Request& request, const Settings& settings, std::vector<Json> objects,
                    const std::function<Json(const Json&)>& shown);

/// The part of a list that `limit` and `page` name, where the service answers bare lists. Throws as analytics_page().
Json analytics_list(const Request& request, const std::vector<Json>& objects);

/// A copy of objects that may be served instead of fresh ones, as the service does unless `cached=false` is sent.
/// Needs platform.objects.lock() held.
class StaleCopy {
 public:
  using Objects = std::map<std::string, Json>;
  const Objects& objects(const Platform& platform, const Request& request, const std::function<Objects()>& fresh);

 private:
  Objects kept_;
  std::int64_t at_ms_ = -1;
};

/// A whole number of a query parameter, or the fallback; throws a 400 for anything else.
std::uint64_t number_parameter(const Request& request, const std::string& name, std::uint64_t fallback);

/// Seconds are enough for Analytics: 2026-01-02T03:04:05Z.
std::string analytics_time(std::int64_t epoch_ms);

}  // namespace emulator
