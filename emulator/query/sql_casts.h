#pragma once

#include <string>

#include "emulator/query/sql_type.h"

namespace emulator {

/// The type of that name in the engine's SQL; Other for what has no kind of its own.
SqlType plain_type(const std::string& sql);
bool is_number(const SqlType& type);

/// `value`, of the type `from`, as `to`, the way Spark casts: what cannot be read is NULL, fractions are cut off, a
/// number that is too large is an error of the engine (Spark would wrap around, which nobody can want).
std::string spark_cast(const std::string& value, const SqlType& from, const SqlType& to);

/// `value` as Spark's to_json writes it: fields of structs that are NULL left out, times with T and Z.
std::string spark_json(const std::string& value, const SqlType& type);

/// The structure that the engine reads JSON by, for a type; the engine's own format.
std::string json_structure(const SqlType& type);

/// The sum, product, quotient or remainder of numbers and texts that are numbers; texts count as doubles.
std::string spark_number(const std::string& value, const SqlType& type);

}  // namespace emulator
