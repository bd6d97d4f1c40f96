#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

/// An object of a catalog list: its id, and the object as shown.
struct CatalogEntry {
  std::string id;
  Json object;
  std::uint64_t number = 0;  // order of creation: breaks ties when sorting
};

/// Applies the catalog's dialect to a list: equality filters (`a,b`, `!a`), `property=`, `tags=`, times, `orderBy`,
/// `start`, `limit`, `properties`. Answers the object keyed by id that the catalog sends.
///
/// `special` are query names the caller has dealt with. Without `orderBy` the order is that of the ids.
/// Throws HttpError 400 for a limit outside 1 to 100 and for what cannot be parsed.
Json catalog_list(const Request& request, std::vector<CatalogEntry> entries, const std::set<std::string>& special);

/// `*` stands for any text.
bool wildcard_match(const std::string& pattern, const std::string& text);

}  // namespace emulator
