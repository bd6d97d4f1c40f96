#include "emulator/query/pg_wire_type.h"

namespace emulator {

WireType wire_type(const SqlType& type, bool as_json) {
  switch (type.kind) {
    case SqlType::Kind::Boolean:
      return {16, 1};
    case SqlType::Kind::Integer:
      return {23, 4};
    case SqlType::Kind::Long:
      return {20, 8};
    case SqlType::Kind::Double:
      return {701, 8};
    case SqlType::Kind::Decimal:
      return {1700, -1};
    case SqlType::Kind::Date:
      return {1082, 4};
    case SqlType::Kind::Timestamp:
      return {1114, 8};
    case SqlType::Kind::Binary:
      return {17, -1};
    case SqlType::Kind::Struct:
    case SqlType::Kind::List:
      return {as_json ? 25 : 2277, -1};  // anyarray
    case SqlType::Kind::Map:
      return {as_json ? 25 : 9001, -1};  // anymap, which PostgreSQL has no number for
    default:
      return {25, -1};
  }
}

}  // namespace emulator
