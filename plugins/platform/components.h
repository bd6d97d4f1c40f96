#pragma once

#include <string>
#include <vector>

#include "engine/http/client.h"

namespace audiencesync::platform {

/// A dimension of a data view. Its id is the platform's business and never guessed: what identifies it is the path in
/// the schema and the dataset it comes from.
struct Dimension {
  std::string id;  // variables/...
  std::string name;
  std::string path;                   // in the schema, without marks of arrays: _acme.audiences.id
  std::vector<std::string> datasets;  // it comes from; empty for standard ones
  bool multi_valued = false;
  bool hidden = false;          // in the user interface
  bool filters_values = false;  // include/exclude rules leave values out
  bool transformed = false;     // its values are computed from the field: substring, lower case, ...
  bool in_reports = true;
};

/// All dimensions of a data view, the hidden ones too, by id.
Result<std::vector<Dimension>> dimensions_of(http::ReadClient& client, const std::string& data_view);

Dimension dimension_from(const Value& value);

/// A schema path without marks of arrays (`a[].b`, `a[*].b`): the platform writes it with and without them.
std::string plain_path(std::string_view path);

}  // namespace audiencesync::platform
