#include "plugins/platform/paging.h"

#include <fmt/core.h>

#include <set>

#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

std::string parameter_of(std::string_view href, std::string_view parameter) {
  for (const auto& [name, value] : rerooted(href).query)
    if (name == parameter) return value;
  return {};
}

bool means_the_end(const std::string& cursor) { return cursor.empty() || cursor == "0" || cursor == "null"; }

}  // namespace

Result<void> each_page(std::string_view what, const FetchPage& fetch) {
  std::set<std::string> seen;
  std::string cursor;
  do {
    if (!seen.insert(cursor).second)
      return Error(ErrorCode::Corrupt,
                   fmt::format("the list of {} names page '{}' twice, so it cannot be read to its end; try again later",
                               what, cursor));
    cursor = TRY(fetch(cursor));
  } while (!cursor.empty());
  return {};
}

std::string next_cursor(const Value& answer, std::string_view parameter) {
  for (const auto* page : {"_page", "_pages", "page"}) {
    const auto* next = answer.find_path({page, "next"});
    if (next == nullptr) continue;
    auto cursor = id_text(next);
    if (!means_the_end(cursor)) return cursor;
    return {};
  }
  const Value* link = answer.find_path({"_links", "next", "href"});
  if (link == nullptr) link = answer.find_path({"_links", "next"});
  if (link == nullptr) link = answer.find_path({"link", "next"});
  if (link == nullptr) link = answer.find_path({"link", "next", "href"});
  if (link == nullptr) return {};
  const auto* href = link->string_if();
  if (href == nullptr || href->empty()) return {};
  auto cursor = parameter_of(*href, parameter);
  return means_the_end(cursor) ? std::string() : cursor;
}

std::string next_offset(std::size_t seen, std::size_t count, std::size_t limit) {
  return count < limit ? std::string() : std::to_string(seen);
}

}  // namespace audiencesync::platform
