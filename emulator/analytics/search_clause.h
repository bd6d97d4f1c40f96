#pragma once

#include <string>

namespace emulator {

/// A search of a report, `( CONTAINS 'gold' ) AND NOT MATCH 'silver'`, as an SQL condition on the text column `value`.
/// Known are CONTAINS, MATCH, BEGINS-WITH, ENDS-WITH, AND, OR, NOT and brackets; letters count without case.
/// Throws HttpError 400 for anything else; "true" for an empty clause.
std::string search_condition(const std::string& clause);

}  // namespace emulator
