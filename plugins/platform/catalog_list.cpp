#include "plugins/platform/catalog_list.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {
namespace {

constexpr std::size_t kCatalogPage = 100;  // the most the catalog gives

/// Objects keyed by id; an empty list may also be written as an empty array, a full one as an array of objects with id.
std::vector<std::pair<std::string, Value>> entries_of(const Value& answer) {
  std::vector<std::pair<std::string, Value>> entries;
  if (const auto* object = answer.object_if())
    for (const auto& [id, value] : *object)
      if (value.is_object() && !id.starts_with('_')) entries.emplace_back(id, value);
  if (const auto* array = answer.array_if())
    for (const auto& value : *array)
      if (auto id = id_text(value.find("id")); !id.empty()) entries.emplace_back(std::move(id), value);
  return entries;
}

}  // namespace

Result<std::map<std::string, Value>> list_catalog(http::ReadClient& client, std::string_view what,
                                                  const std::string& path, http::Query query) {
  std::map<std::string, Value> all;
  std::size_t read = 0;
  TRY(each_page(what, [&](const std::string& cursor) -> Result<std::string> {
        auto paged = query;
        paged.emplace_back("orderBy", "asc:created");
        paged.emplace_back("limit", std::to_string(kCatalogPage));
        paged.emplace_back("start", cursor.empty() ? "0" : cursor);
        auto answer = TRY(read_json(client, get(path, std::move(paged))));
        auto entries = entries_of(answer);
        const auto known = all.size();
        const auto count = entries.size();
        read += count;
        for (auto& [id, value] : entries) all.insert_or_assign(id, std::move(value));
        if (count >= kCatalogPage && all.size() == known)
          return Error(ErrorCode::Corrupt,
                       fmt::format("the catalog's list of {} does not advance after {} objects; try again later", what,
                                   all.size()));
        return next_offset(read, count, kCatalogPage);
      }).in(fmt::format("catalog {}", what)));
  return all;
}

const Value* catalog_entry(const Value& answer, const std::string& id) {
  if (const auto* value = answer.find(id); value != nullptr && value->is_object()) return value;
  if (const auto* object = answer.object_if(); object != nullptr && !object->empty()) {
    if (id_text(answer.find("id")) == id) return &answer;
    if (answer.find("created") != nullptr || answer.find("status") != nullptr) return &answer;
    if (object->size() == 1 && object->begin()->second.is_object() &&
        ascii_lower(object->begin()->first) == ascii_lower(id))
      return &object->begin()->second;
  }
  if (const auto* array = answer.array_if())
    for (const auto& value : *array)
      if (id_text(value.find("id")) == id) return &value;
  return nullptr;
}

}  // namespace audiencesync::platform
