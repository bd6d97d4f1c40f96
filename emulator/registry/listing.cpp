#include "emulator/registry/listing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <regex>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr std::size_t kDefaultPageSize = 300;
constexpr std::size_t kLargestLimit = 500;

HttpError bad_list(const std::string& detail) {
  return {registry_error(400, "XDM-1501-400", "Invalid query parameter", detail)};
}

/// The value of a field by name, or by dots into objects; null when absent. `updated` and `created` are short names.
const Json* field_of(const Json& item, const std::string& name) {
  if (item.contains(name)) return &item[name];
  if (name == "updated" || name == "created") {
    const char* field = name == "updated" ? "repo:lastModifiedDate" : "repo:createdDate";
    if (item.contains("meta:registryMetadata") && item["meta:registryMetadata"].contains(field))
      return &item["meta:registryMetadata"][field];
    return nullptr;
  }
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos || !item.contains(name.substr(0, dot)) || !item[name.substr(0, dot)].is_object())
    return nullptr;
  return field_of(item[name.substr(0, dot)], name.substr(dot + 1));
}

/// -1, 0 or 1; numbers as numbers, everything else as text.
int compare_to(const Json& value, const std::string& text) {
  if (value.is_number()) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end == text.c_str() + text.size() && !text.empty()) {
      const double own = value.get<double>();
      return own < number ? -1 : own > number ? 1 : 0;
    }
  }
  const int order = (value.is_string() ? value.get<std::string>() : value.dump()).compare(text);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

bool holds(const Json& value, const std::string& operation, const std::string& text) {
  if (operation == "~") {
    try {
      return std::regex_search(value.is_string() ? value.get<std::string>() : value.dump(), std::regex(text));
    } catch (const std::regex_error&) {
      throw bad_list("property: '" + text + "' is not a regular expression");
    }
  }
  const int order = compare_to(value, text);
  if (operation == "==") return order == 0;
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  return order >= 0;
}

bool passes_condition(const Json& item, const std::string& condition) {
  static constexpr std::array<const char*, 7> kOperations{"==", "!=", "<=", ">=", "<", ">", "~"};
  std::size_t at = std::string::npos;
  std::string operation;
  for (const char* candidate : kOperations)
    if (const std::size_t found = condition.find(candidate); found < at) {
      at = found;
      operation = candidate;
    }
  const Json* value = field_of(item, condition.substr(0, at));
  if (at == std::string::npos) return value != nullptr;
  const std::string text = condition.substr(at + operation.size());
  const auto any = [&](const std::string& test) {
    if (value == nullptr) return false;
    if (!value->is_array()) return holds(*value, test, text);
    return std::any_of(value->begin(), value->end(), [&](const Json& element) { return holds(element, test, text); });
  };
  return operation == "!=" ? !any("==") : any(operation);
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

struct OrderField {
  std::string name;
  bool descending = false;
};

std::vector<OrderField> order_fields(const std::string& text) {
  std::vector<OrderField> fields;
  for (std::string part : split_commas(text)) {
    OrderField field;
    if (!part.empty() && (part.front() == '-' || part.front() == '+' || part.front() == ' ')) {
      field.descending = part.front() == '-';
      part.erase(0, 1);
    }
    if (part.empty()) throw bad_list("orderby: '" + text + "' names an empty field");
    field.name = part;
    fields.push_back(std::move(field));
  }
  return fields;
}

bool before(const Json& a, const Json& b, const std::vector<OrderField>& order) {
  for (const OrderField& field : order) {
    const Json* left = field_of(a, field.name);
    const Json* right = field_of(b, field.name);
    const Json& x = left == nullptr ? Json() : *left;
    const Json& y = right == nullptr ? Json() : *right;
    if (x != y) return field.descending ? y < x : x < y;
  }
  return false;
}

}  // namespace

RegistryPage list_page(std::vector<Json> items, const Request& request, std::size_t page_cap, Conditions conditions) {
  for (const std::string& property : request.query_values("property"))
    for (const std::string& condition :
         conditions == Conditions::CommaSeparated ? split_commas(property) : std::vector<std::string>{property})
      std::erase_if(items, [&](const Json& item) { return !passes_condition(item, condition); });

  const auto order_text = request.query_value("orderby");
  const auto start = request.query_value("start");
  std::size_t limit = kDefaultPageSize;
  if (const auto text = request.query_value("limit")) {
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (problem != std::errc() || end != text->data() + text->size() || limit > kLargestLimit)
      throw bad_list("limit must be a whole number between 0 and 500, not '" + *text + "'");
    if (!order_text) throw bad_list("limit needs orderby");
  }
  if (start && !order_text) throw bad_list("start needs orderby");

  RegistryPage page;
  page.order = order_text.value_or("updated");
  const std::vector<OrderField> order = order_fields(page.order);
  std::stable_sort(items.begin(), items.end(), [&](const Json& a, const Json& b) { return before(a, b, order); });
  if (start && !start->empty())
    std::erase_if(items, [&](const Json& item) {
      const Json* value = field_of(item, order.front().name);
      if (value == nullptr) return true;
      const int relation = compare_to(*value, *start);
      return order.front().descending ? relation >= 0 : relation <= 0;
    });

  limit = std::min(limit, page_cap);
  if (items.size() > limit) {
    items.resize(limit);
    if (!items.empty())
      if (const Json* last = field_of(items.back(), order.front().name)) page.next = *last;
  }
  page.items = std::move(items);
  return page;
}

}  // namespace emulator
