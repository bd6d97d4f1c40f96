#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <type_traits>

#include "bench/profiles.h"
#include "engine/base/result.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync::bench {

/// The value; a benchmark ends with the error when there is none.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "error: {}\n", result.error().text());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).take();
}

/// The audiences that are wanted of the made-up population, as a manifest would say it.
inline RelationSpec wanted_relation() {
  RelationSpec spec;
  spec.relation = "bench/analytics";
  spec.uid = "bench";
  spec.tenant = "_demoemea";
  spec.identity_field = "_demoemea.identification.core.email";
  spec.identity_namespace = "Email";
  spec.statuses = {"realized", "existing"};
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    spec.audiences.push_back({audience_id(i), fmt::format("Audience {}", i), "ups", false});
  }
  return spec;
}

}  // namespace audiencesync::bench
