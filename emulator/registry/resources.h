#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulator/platform.h"

namespace emulator {

// Documents of the registry by `$id`. Those of the tenant are objects of kind "schema_resource"; those of the global
// container are constant. `meta:resourceType` says what one is: schemas, mixins (field groups), classes, datatypes,
// behaviors or unions. Every function needs platform.objects.lock() held.

inline constexpr const char* kResourceKind = "schema_resource";
inline constexpr const char* kProfileClass = "https://ns.adobe.com/xdm/context/profile";
inline constexpr const char* kProfileUnion = "https://ns.adobe.com/xdm/context/profile__union";

/// `https://ns.adobe.com/acme/schemas/x` -> `_acme.schemas.x`.
std::string alt_id_of(const std::string& id);

/// Adobe's own documents: classes, behaviours and the field groups that people schemas are made of.
const std::map<std::string, Json>& standard_resources();

/// How a `$ref` to another document is followed; null when there is none.
using Lookup = std::function<const Json*(const std::string& id)>;
Lookup lookup_in(const Platform& platform);

/// Any document by `$id` or `meta:altId`, unions included.
std::optional<Json> find_resource(const Platform& platform, const std::string& id_or_alt_id);

/// The documents of one type in a container ("tenant" or "global"), by `$id`. Unions are tenant's.
std::vector<Json> resources_in(const Platform& platform, const std::string& container, const std::string& type);

/// One union per class that has a schema tagged `union`: the class, what the platform adds, and all those schemas.
std::vector<Json> unions(const Platform& platform);

/// The document with every `$ref` followed and every `allOf` merged; `definitions` are gone.
Json merged_document(const Json& document, const Lookup& lookup);

/// The node at a slash path (`/_acme/identification/email`) of a merged document; null when there is none.
const Json* field_at(const Json& merged, const std::string& slash_path);

/// Makes the tenant's profile schema with its field group and its primary identity when there is none; once, at start.
void seed_schemas(Platform& platform);

}  // namespace emulator
