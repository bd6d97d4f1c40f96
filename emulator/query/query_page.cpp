#include "emulator/query/query_page.h"

#include <algorithm>
#include <sstream>

#include "emulator/data/errors.h"
#include "emulator/http/errors.h"
#include "emulator/http/uri.h"
#include "emulator/state/clock.h"

namespace emulator {
namespace {

constexpr std::uint64_t kDefaultPage = 50;
constexpr std::uint64_t kLargestPage = 1000;

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Below zero, zero or above, as `left` is before, at or behind `right`; times are compared as times, however they
/// are written.
int compared(const std::string& left, const std::string& right) {
  const auto one = parse_iso8601(left);
  const auto other = parse_iso8601(right);
  if (one && other) return *one < *other ? -1 : *one > *other ? 1 : 0;
  return left.compare(right);
}

struct QueryFilter {
  std::string field, operation, value;
};

QueryFilter filter_of(const std::string& text, const QueryListing& listing) {
  const std::size_t at = text.find_first_of("=!<>~");
  if (at == std::string::npos || at == 0) throw query_failure(400, "property: '" + text + "' has no operator");
  const std::size_t length = text[at] != '~' && at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  QueryFilter filter{text.substr(0, at), text.substr(at, length), text.substr(at + length)};
  const auto known = listing.filters.find(filter.field);
  if (known == listing.filters.end()) {
    std::string fields;
    for (const auto& [name, operators] : listing.filters) fields += (fields.empty() ? "" : ", ") + name;
    throw query_failure(400, "property: '" + filter.field + "' is no filter of this list; known are " + fields);
  }
  std::istringstream operators(known->second);
  for (std::string one; operators >> one;)
    if (one == filter.operation) return filter;
  throw query_failure(400, "property: '" + text + "': " + filter.field + " takes only " + known->second);
}

std::vector<std::string> values_of(const Json& entry, const std::string& field) {
  if (field == "sql") return {entry.value("effectiveSQL", entry.value("sql", ""))};
  if (field == "templateId") {
    const Json asked = entry.value("request", entry.value("query", Json::object()));
    return {asked.value("templateId", "")};
  }
  if (field == "referenced_datasets") {
    std::vector<std::string> out;
    for (const Json& one : entry.value("_links", Json::object()).value(field, Json::array())) out.push_back(one["id"]);
    return out;
  }
  if (!entry.contains(field)) return {};
  return {value_text(entry[field])};
}

bool holds(const Json& entry, const QueryFilter& filter) {
  const auto values = values_of(entry, filter.field);
  const auto is = [&](const std::string& value) {
    if (filter.operation == "~") return value.find(filter.value) != std::string::npos;
    if (filter.operation == "==") {
      // a||b: either.
      for (std::size_t begin = 0;;) {
        const std::size_t end = filter.value.find("||", begin);
        if (compared(value, filter.value.substr(begin, end - begin)) == 0) return true;
        if (end == std::string::npos) return false;
        begin = end + 2;
      }
    }
    const int order = compared(value, filter.value);
    if (filter.operation == "<") return order < 0;
    if (filter.operation == "<=") return order <= 0;
    if (filter.operation == ">") return order > 0;
    return order >= 0;
  };
  if (filter.operation == "!=") {
    const auto same = [&](const std::string& value) { return compared(value, filter.value) == 0; };
    return std::none_of(values.begin(), values.end(), same);
  }
  return std::any_of(values.begin(), values.end(), is);
}

}  // namespace

HttpError query_failure(int status, const std::string& message) {
  return HttpError{problem(status, "QS-1000-" + std::to_string(status), message)};
}

void query_filter(const Request& request, std::vector<Json>& entries, const QueryListing& listing) {
  const std::string property = request.query_value("property").value_or("");
  for (std::size_t begin = 0; begin < property.size();) {
    const std::size_t comma = std::min(property.find(',', begin), property.size());
    const QueryFilter filter = filter_of(property.substr(begin, comma - begin), listing);
    begin = comma + 1;
    std::erase_if(entries, [&](const Json& entry) { return !holds(entry, filter); });
  }
}

Json query_page(const Request& request, std::vector<Json> entries, const QueryListing& listing) {
  std::string order = request.query_value("orderby").value_or("-created");
  // A plus sign that nobody encoded came as a blank.
  const bool descending = order.starts_with('-');
  if (order.starts_with('-') || order.starts_with('+') || order.starts_with(' ')) order.erase(0, 1);
  if (!listing.orders.contains(order)) {
    std::string known;
    for (const std::string& one : listing.orders) known += (known.empty() ? "" : ", ") + one;
    throw query_failure(400, "orderby: '" + order + "' is none of " + known);
  }
  std::uint64_t limit = kDefaultPage;
  if (const auto given = request.query_value("limit")) {
    const auto number = whole_number(*given);
    if (!number || *number == 0 || *number > kLargestPage)
      throw query_failure(400, "limit: '" + *given + "' is not a number from 1 to 1000");
    limit = *number;
  }
  query_filter(request, entries, listing);
  const auto key = [&](const Json& entry) { return value_text(entry.value(order, Json(""))); };
  std::sort(entries.begin(), entries.end(), [&](const Json& a, const Json& b) {
    const int difference = compared(key(a), key(b));
    if (difference == 0) return a.value("id", "") < b.value("id", "");
    return descending ? difference > 0 : difference < 0;
  });
  // The page is entries[first, last).
  std::size_t first = 0;
  std::size_t last = entries.size();
  if (const auto start = request.query_value("start"); start && !start->empty()) {
    const auto behind = std::find_if(entries.begin(), entries.end(), [&](const Json& entry) {
      const int difference = compared(key(entry), *start);
      return descending ? difference <= 0 : difference >= 0;
    });
    first = static_cast<std::size_t>(behind - entries.begin());
  }
  if (request.query_value("isPrevLink").value_or("false") == "true") {
    last = first;
    first = last > limit ? last - limit : 0;
  } else {
    last = std::min<std::size_t>(last, first + limit);
  }
  const std::string property = request.query_value("property").value_or("");
  Json page{{"orderby", (descending ? "-" : "+") + order},
            {"start", first == last ? "" : key(entries[first])},
            {"count", last - first}};
  if (!property.empty()) page["property"] = property;
  Json links = Json::object();
  const auto link = [&](const char* name, const std::string& start, const char* more) {
    std::string href = listing.path + "?orderby=" + percent_encode(page["orderby"].get<std::string>()) +
                       "&limit=" + std::to_string(limit) + "&start=" + percent_encode(start) + more;
    for (const char* kept : {"property", "excludeHidden", "excludeSoftDeleted"})
      if (const auto given = request.query_value(kept)) href += "&" + std::string(kept) + "=" + percent_encode(*given);
    if (listing.links == QueryListing::Links::Texts)
      links[name] = href;
    else
      links[name] = {{"href", href}};
  };
  if (last < entries.size()) {
    page["next"] = key(entries[last]);
    link("next", page["next"], "");
  }
  if (first > 0 && first < entries.size() && listing.links == QueryListing::Links::Objects)
    link("prev", key(entries[first]), "&isPrevLink=true");
  std::vector<Json> shown(entries.begin() + static_cast<std::ptrdiff_t>(first),
                          entries.begin() + static_cast<std::ptrdiff_t>(last));
  return {{listing.name, std::move(shown)}, {"_page", page}, {"_links", links}, {"version", 1}};
}

}  // namespace emulator
