#include "emulator/audiences/bulk_ids.h"

#include "emulator/data/errors.h"

namespace emulator {

std::vector<std::string> bulk_ids(const Request& request) {
  constexpr std::size_t kMost = 100;
  const Json body = json_body(request, ups_failure(400, "UPAPI-113015-400", "The body is not JSON"));
  const Json entries = body.is_object() ? body.value("ids", Json::array()) : Json::array();
  if (!entries.is_array() || entries.empty() || entries.size() > kMost)
    throw ups_failure(400, "UPAPI-113015-400", "Between 1 and 100 ids are needed");
  std::vector<std::string> ids;
  for (const Json& entry : entries) {
    if (!entry.is_object() || !entry.contains("id") || !entry["id"].is_string())
      throw ups_failure(400, "UPAPI-113015-400", "Each entry of ids is an object with an id");
    ids.push_back(entry["id"]);
  }
  return ids;
}

}  // namespace emulator
