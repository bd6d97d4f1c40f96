#include "plugins/platform/listing.h"

#include <algorithm>
#include <string>

namespace audiencesync::platform {
namespace {

constexpr int kListingPatience = 10;  // times `settle`

}  // namespace

Result<void> await_listing(WriteContext& context, std::string_view what,
                           const std::function<Result<bool>()>& is_listed) {
  const auto settle = context.settings().timing.settle;
  TRY(context.wait(std::string(what) + " in the platform's lists", std::max(settle / 8, Duration(1)),
                   settle * kListingPatience, [&]() -> Result<std::optional<Value>> {
                     const bool listed = TRY(is_listed());
                     return listed ? std::optional<Value>(true) : std::optional<Value>();
                   }));
  return {};
}

}  // namespace audiencesync::platform
