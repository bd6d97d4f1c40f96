#pragma once

#include <functional>
#include <optional>

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// The tag of a dataset that says when it ends, in milliseconds.
inline constexpr const char* kExpiryTag = "adobe/hygiene/ttl";

/// Data hygiene: when datasets end, /data/core/hygiene/ttl, and /quota. An expiration is an object of kind
/// "expiration".
///
/// A dataset has one that is pending or executing at most; what was cancelled or completed stays listed. Datasets end
/// `hygiene_delay` after their time, when somebody next looks.
class Expirations {
 public:
  /// `erase` deletes a dataset and its rows; called with the objects locked. `profiles` says how many people there are.
  Expirations(Platform& platform, std::function<void(const std::string&)> erase,
              std::function<std::uint64_t()> profiles)
      : platform_(platform), erase_(std::move(erase)), profiles_(std::move(profiles)) {}

  void add_routes(Router& router);
  /// Deletes the datasets whose time has come. Needs the objects locked.
  void settle();

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response create(const Request& request);
  Response change(const Request& request);
  Response cancel(const Request& request);
  Response quota(const Request& request);

  /// The newest of an expiration's or a dataset's id; null when there is none.
  const Json* find(const std::string& id) const;
  const Json& known(const std::string& id) const;
  /// Throws a 400 unless `text` is a time at least a day ahead; milliseconds.
  std::int64_t future(const std::string& text) const;
  Response store(int status, Json expiration, std::int64_t expiry_ms);

  Platform& platform_;
  std::function<void(const std::string&)> erase_;
  std::function<std::uint64_t()> profiles_;
};

}  // namespace emulator
