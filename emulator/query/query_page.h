#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "emulator/http/router.h"

namespace emulator {

/// What a list of Query Service is asked with.
struct QueryListing {
  std::string name;                            // of the array in the answer
  std::string path;                            // of the list, for its links
  std::map<std::string, std::string> filters;  // by field: the operators it takes, by blanks
  std::set<std::string> orders{"created", "updated"};
  enum class Links { Objects, Texts } links = Links::Objects;  // how the description writes the link to the next page
};

/// What these routes throw.
HttpError query_failure(int status, const std::string& message);
/// Leaves the entries for which all filters of `property` hold. Throws HttpError 400 for what cannot be parsed, for a
/// field that is no filter of this list, and for an operator that the field does not take.
void query_filter(const Request& request, std::vector<Json>& entries, const QueryListing& listing);
/// One page of a list: `orderby`, `start`, `limit`, `property`, and backwards with `isPrevLink`. Throws HttpError 400
/// for what cannot be parsed.
Json query_page(const Request& request, std::vector<Json> entries, const QueryListing& listing);

}  // namespace emulator
