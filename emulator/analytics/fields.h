#pragma once

#include <optional>
#include <string>

#include "emulator/platform.h"

namespace emulator {

/// Where a field of a schema lies in the JSON of a row. Arrays on the way make it many-valued.
struct FieldPath {
  std::string dotted;     // as a person writes it: no brackets
  std::string type;       // of the schema: string, integer, ...
  std::string title;      // of the schema, or the last name
  std::string container;  // JSON path of the outermost array on the way, else of the field itself
  std::string rest;       // JSON path from there to the values
  bool many = false;
};

/// The field of a resolved schema at a dotted path; `a.b[].c` is taken like `a.b.c`. nullopt when there is none.
std::optional<FieldPath> field_path(const Json& schema, std::string dotted);

/// What a dataset is to Analytics by the class of its schema: "event", "profile" or "lookup"; "" without a schema.
std::string dataset_type(const Platform& platform, const Json& dataset);

/// The resolved schema of a dataset of the catalog; nullopt when either is gone. The caller holds the lock.
std::optional<Json> schema_of_dataset(const Platform& platform, const std::string& dataset);

}  // namespace emulator
