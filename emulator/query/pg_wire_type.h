#pragma once

#include <cstdint>

#include "emulator/query/sql_type.h"

namespace emulator {

/// A type as the PostgreSQL protocol names it in the description of a row.
struct WireType {
  std::int32_t oid;
  std::int16_t size;
};

/// `as_json`: what has parts is written as text, as `SET auto_to_json` asks for.
WireType wire_type(const SqlType& type, bool as_json);

}  // namespace emulator
