#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/value.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// Names one object a stage owns within a sync: `dataset/target`.
struct ResourceKey {
  std::string stage;
  std::string name;

  std::string text() const { return stage + "/" + name; }
  friend auto operator<=>(const ResourceKey&, const ResourceKey&) = default;
};

/// Stands for what another stage will have produced; shown as "known after apply" until then.
struct Ref {
  std::string stage;
  std::string output;

  friend bool operator==(const Ref&, const Ref&) = default;
};

using Field = std::variant<Value, Ref>;
using Fields = std::map<std::string, Field, std::less<>>;

/// What a stage hands to later stages, by output name: `dataset_id`, `batches`.
using Outputs = std::map<std::string, Value, std::less<>>;

/// An object as it should be, or as it was seen.
struct Resource {
  ResourceKey key;
  Fields fields;
  std::string version;          // observed only: what the platform calls its version or etag, "" when it has none
  std::optional<Bulk> pending;  // observed only: memberships that differ from the desired ones
};

}  // namespace audiencesync
