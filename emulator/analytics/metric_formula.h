#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "emulator/http/message.h"

namespace emulator {

/// What a calculated metric is made of, in the order of its formula.
struct FormulaParts {
  std::vector<std::string> metrics;    // each once
  std::vector<std::string> functions;  // each once
};

/// Reads a definition. Throws HttpError 400 that says what is wrong: it never guesses.
FormulaParts formula_parts(const Json& definition);

/// The formula as SQL; `column` gives that of a metric. What has no number (a division by zero, the root of less than
/// zero) is 0. Functions of columns are windows over all rows. Throws as formula_parts() does.
std::string formula_sql(const Json& definition, const std::function<std::string(const std::string& metric)>& column);

/// The functions a formula may have, as /calculatedmetrics/functions shows them.
std::vector<Json> formula_functions();

}  // namespace emulator
