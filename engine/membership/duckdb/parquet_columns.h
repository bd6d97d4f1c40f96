#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace audiencesync {

/// The type of a column as far as we read it.
struct ParquetType {
  enum class Kind { Text, Flag, Scalar, Struct, Map, List };  // Text: also bytes without a charset; Flag: bool

  std::string name;  // of a column or a struct member
  Kind kind = Kind::Scalar;
  std::vector<ParquetType> children;  // Struct: members; Map: key, value; List: element
};

/// Where a dotted path leads: the column and the struct members below it. Names may contain dots themselves.
struct ParquetPath {
  std::vector<std::string> names;
  ParquetType::Kind kind = ParquetType::Kind::Scalar;
};

/// Nullopt when any part of the path is not there.
std::optional<ParquetPath> find_path(const std::vector<ParquetType>& columns, std::string_view path);

/// The column of that name, with the `xdm:` prefix or without it; null when there is none.
const ParquetType* find_column(const std::vector<ParquetType>& columns, std::string_view name);

/// Whether `name` is `wanted`, with the `xdm:` prefix or without it.
bool is_named(std::string_view name, std::string_view wanted);

/// "a, b, c": for messages.
std::string column_names(const std::vector<ParquetType>& columns);

/// Has memberships in a shape we can walk: namespaces, audiences and a status at three levels, each a map or a struct;
/// the status may stand alone or in a struct.
bool is_membership_type(const ParquetType& type);

/// namespaces -> list of struct with a text member `id`.
bool is_identity_map_type(const ParquetType& type);

}  // namespace audiencesync
