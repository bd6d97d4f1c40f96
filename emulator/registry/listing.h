#pragma once

#include <string>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

/// One page of a list of the registry.
struct RegistryPage {
  std::vector<Json> items;
  std::string order;    // as it was asked for
  Json next = nullptr;  // value to start the next page after
};

/// Whether conditions of `property=` are also separated by commas: so it is for descriptors.
enum class Conditions { Single, CommaSeparated };

/// Applies `property`, `orderby`, `start` and `limit` of the request. A page starts strictly behind a *value* of the
/// first order field, so items that share it at the edge of a page get lost, as on the platform. Throws HttpError 400
/// for what does not go together.
RegistryPage list_page(std::vector<Json> items, const Request& request, std::size_t page_cap, Conditions conditions);

}  // namespace emulator
