#include "emulator/catalog/query.h"

#include <algorithm>
#include <optional>
#include <regex>

#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr std::uint64_t kDefaultLimit = 20;
constexpr std::uint64_t kMostObjects = 100;

std::vector<std::string> comma_parts(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin != std::string::npos;) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma == std::string::npos ? comma : comma - begin));
    begin = comma == std::string::npos ? comma : comma + 1;
  }
  return parts;
}

std::string plain_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// `a,b` is any of them, `!a` anything else; an absent field equals nothing.
bool equals_any(const Json& object, const std::string& name, const std::string& wanted) {
  const auto found = object.find(name);
  const std::string actual = found == object.end() ? std::string() : plain_text(*found);
  if (wanted.starts_with('!')) {
    const auto parts = comma_parts(wanted.substr(1));
    return std::find(parts.begin(), parts.end(), actual) == parts.end();
  }
  if (found == object.end()) return false;
  const auto parts = comma_parts(wanted);
  return std::find(parts.begin(), parts.end(), actual) != parts.end();
}

bool has_tags(const Json& object, const std::string& wanted) {
  const Json tags = object.value("tags", Json::object());
  for (const std::string& part : comma_parts(wanted)) {
    const std::size_t colon = part.find(':');
    const std::string key = part.substr(0, colon);
    const std::string value = colon == std::string::npos ? "*" : part.substr(colon + 1);
    bool found = false;
    for (const auto& [name, values] : tags.items()) {
      if (!wildcard_match(key, name) || !values.is_array()) continue;
      found = found || std::any_of(values.begin(), values.end(),
                                   [&](const Json& v) { return wildcard_match(value, plain_text(v)); });
    }
    if (!found) return false;
  }
  return true;
}

struct Comparison {
  std::string name, operation, value;
};

Comparison parse_property(const std::string& text) {
  if (text.starts_with('!')) return {text.substr(1), "absent", ""};
  const std::size_t at = text.find_first_of("=!<>~");
  if (at == std::string::npos) return {text, "exists", ""};
  std::size_t length = 1;
  if (text[at] != '~' && at + 1 < text.size() && text[at + 1] == '=') length = 2;
  const std::string operation = text.substr(at, length);
  if (operation == "=" || operation == "!") throw catalog_failure(400, "property '" + text + "' has no known operator");
  return {text.substr(0, at), operation, text.substr(at + length)};
}

bool compares(const Json& actual, const Comparison& comparison) {
  const std::string text = plain_text(actual);
  const std::string& operation = comparison.operation;
  if (operation == "exists") return true;
  if (operation == "~") {
    try {
      return std::regex_search(text, std::regex(comparison.value));
    } catch (const std::regex_error&) {
      throw catalog_failure(400, "property: '" + comparison.value + "' is not a regular expression");
    }
  }
  if (operation == "==") return text == comparison.value;
  if (operation == "!=") return text != comparison.value;
  int order = text.compare(comparison.value);
  if (actual.is_number()) {
    const auto number = whole_number(comparison.value);
    if (!number) return false;
    const auto left = actual.get<double>();
    const auto right = static_cast<double>(*number);
    order = left < right ? -1 : (left > right ? 1 : 0);
  }
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  return order >= 0;
}

bool passes(const Json& object, const Comparison& comparison) {
  bool exists = false;
  for (const auto& [name, value] : object.items()) {
    if (!wildcard_match(comparison.name, name)) continue;
    exists = true;
    if (comparison.operation != "absent" && compares(value, comparison)) return true;
  }
  if (comparison.operation == "absent") return !exists;
  return !exists && comparison.operation == "!=";
}

/// `createdAfter` and the like: field and direction of a time filter.
std::optional<std::pair<std::string, bool>> time_filter(const std::string& name) {
  static const std::map<std::string, std::pair<std::string, bool>> kFilters = {
      {"createdAfter", {"created", true}}, {"createdBefore", {"created", false}}, {"startAfter", {"started", true}},
      {"startBefore", {"started", false}}, {"endAfter", {"completed", true}},     {"endBefore", {"completed", false}}};
  const auto found = kFilters.find(name);
  if (found == kFilters.end()) return std::nullopt;
  return found->second;
}

void order(std::vector<CatalogEntry>& entries, const std::string& by) {
  struct Key {
    std::string field;
    bool descending = false;
  };
  std::vector<Key> keys;
  bool descending = false;
  for (const std::string& part : comma_parts(by)) {
    const std::size_t colon = part.find(':');
    if (colon != std::string::npos) {
      const std::string direction = part.substr(0, colon);
      if (direction != "asc" && direction != "desc")
        throw catalog_failure(400, "orderBy: '" + part + "' is neither asc: nor desc:");
      descending = direction == "desc";
    }
    keys.push_back({colon == std::string::npos ? part : part.substr(colon + 1), descending});
  }
  std::sort(entries.begin(), entries.end(), [&](const CatalogEntry& a, const CatalogEntry& b) {
    for (const Key& key : keys) {
      const Json left = a.object.value(key.field, Json());
      const Json right = b.object.value(key.field, Json());
      if (left == right) continue;
      return key.descending ? right < left : left < right;
    }
    return !keys.empty() && keys.front().descending ? b.number < a.number : a.number < b.number;
  });
}

}  // namespace

bool wildcard_match(const std::string& pattern, const std::string& text) {
  // Greedy with one point to return to: linear for the patterns people write.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Json catalog_list(const Request& request, std::vector<CatalogEntry> entries, const std::set<std::string>& special) {
  std::uint64_t limit = kDefaultLimit;
  std::uint64_t start = 0;
  std::string by;
  std::vector<std::string> properties;
  const auto keep = [&](const auto& condition) {
    entries.erase(
        std::remove_if(entries.begin(), entries.end(), [&](const CatalogEntry& e) { return !condition(e.object); }),
        entries.end());
  };
  for (const auto& [name, value] : request.query) {
    if (special.contains(name)) continue;
    if (name == "limit") {
      const auto number = whole_number(value);
      if (!number || *number == 0 || *number > kMostObjects)
        throw catalog_failure(400, "limit must be a number between 1 and 100, not '" + value + "'");
      limit = *number;
    } else if (name == "start") {
      const auto number = whole_number(value);
      if (!number) throw catalog_failure(400, "start must be a number, not '" + value + "'");
      start = *number;
    } else if (name == "orderBy") {
      by = value;
    } else if (name == "properties") {
      properties = comma_parts(value);
    } else if (name == "property") {
      const Comparison comparison = parse_property(value);
      keep([&](const Json& object) { return passes(object, comparison); });
    } else if (name == "tags") {
      keep([&wanted = value](const Json& object) { return has_tags(object, wanted); });
    } else if (const auto time = time_filter(name)) {
      const auto number = whole_number(value);
      if (!number) throw catalog_failure(400, name + " must be milliseconds since 1970, not '" + value + "'");
      keep([&](const Json& object) {
        const auto at = object.find(time->first);
        if (at == object.end() || !at->is_number()) return false;
        const auto moment = at->get<std::uint64_t>();
        return time->second ? moment > *number : moment < *number;
      });
    } else if (name != "requestDataSource" && name != "observableSchema" && name != "aggregate") {
      keep([&field = name, &wanted = value](const Json& object) { return equals_any(object, field, wanted); });
    }
  }
  if (!by.empty()) order(entries, by);

  Json page = Json::object();
  for (std::uint64_t i = start; i < std::min<std::uint64_t>(entries.size(), start + limit); ++i) {
    Json& object = entries[i].object;
    if (!properties.empty()) {
      Json chosen = Json::object();
      for (const std::string& name : properties)
        if (object.contains(name)) chosen[name] = object[name];
      object = std::move(chosen);
    }
    page[entries[i].id] = std::move(object);
  }
  return page;
}

}  // namespace emulator
