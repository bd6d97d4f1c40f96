#include "plugins/platform/components.h"

#include <algorithm>

#include "plugins/platform/analytics_list.h"
#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

const char* const kDimensionExpansion =
    "schemaPath,dataSetIds,dataSetType,multiValued,hidden,hideFromReporting,includeExcludeSetting,fieldDefinition,"
    "sourceFieldType";

/// Anything beside reading the raw field changes values.
bool is_transformed(const Value& value) {
  const auto& functions = value.items("fieldDefinition");
  const bool computed = std::any_of(functions.begin(), functions.end(), [](const Value& function) {
    const auto name = ascii_lower(function.text("func"));
    return !name.empty() && name != "raw_field" && name != "raw-field";
  });
  return computed || ascii_lower(value.text("sourceFieldType")) == "derived";
}

}  // namespace

std::string plain_path(std::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '[') {
      const auto end = path.find(']', i);
      if (end == std::string_view::npos) break;
      i = end;
    } else {
      plain.push_back(path[i]);
    }
  }
  return plain;
}

Dimension dimension_from(const Value& value) {
  Dimension dimension;
  dimension.id = value.text("id");
  dimension.name = value.text("name");
  dimension.path = plain_path(value.text("schemaPath"));
  dimension.datasets = texts_of(value.find("dataSetIds"));
  dimension.multi_valued = value.flag("multiValued");
  dimension.hidden = value.flag("hidden");
  dimension.in_reports = !value.flag("hideFromReporting");
  if (const auto* rules = value.find("includeExcludeSetting")) dimension.filters_values = rules->flag("enabled");
  dimension.transformed = is_transformed(value);
  return dimension;
}

Result<std::vector<Dimension>> dimensions_of(http::ReadClient& client, const std::string& data_view) {
  std::vector<Dimension> dimensions;
  TRY(each_listed(client, "dimensions", "/data/dataviews/" + http::encode_segment(data_view) + "/dimensions",
                  {{"expansion", kDimensionExpansion}, {"includeType", "hidden"}},
                  [&](const Value& value) { dimensions.push_back(dimension_from(value)); }));
  std::sort(dimensions.begin(), dimensions.end(),
            [](const Dimension& left, const Dimension& right) { return left.id < right.id; });
  // A server that does not page this list answers every page with all of it.
  dimensions.erase(std::unique(dimensions.begin(), dimensions.end(),
                               [](const Dimension& left, const Dimension& right) { return left.id == right.id; }),
                   dimensions.end());
  return dimensions;
}

}  // namespace audiencesync::platform
