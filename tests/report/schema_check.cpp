#include "tests/report/schema_check.h"

#include <algorithm>
#include <regex>
#include <set>

#include "engine/base/json.h"

namespace audiencesync::testing {
namespace {

class Checker {
 public:
  explicit Checker(const Value& root) : root_(root) {}

  void check(const Value& schema, const Value& value, const std::string& path) {
    static const std::set<std::string, std::less<>> kKnown{
        "$schema", "$defs",   "$ref",       "title",    "description",          "default", "type",
        "enum",    "const",   "properties", "required", "additionalProperties", "items",   "anyOf",
        "pattern", "minimum", "minItems",   "maxItems", "minProperties"};
    for (const auto& [keyword, rule] : *schema.object_if()) {
      if (!kKnown.contains(keyword))
        fail(path, "the schema has keyword " + keyword + ", which this check does not know");
    }
    if (const auto* reference = schema.find("$ref")) check(defined(*reference->string_if()), value, path);
    if (const auto* type = schema.find("type"); type != nullptr && !is_of(*type->string_if(), value))
      return fail(path, "is no " + *type->string_if());
    if (const auto* same = schema.find("const"); same != nullptr && *same != value)
      fail(path, "is not " + to_json(*same));
    const auto& words = schema.items("enum");
    if (schema.find("enum") != nullptr && std::find(words.begin(), words.end(), value) == words.end())
      fail(path, to_json(value) + " is not one of " + to_json(Value(words)));
    check_any_of(schema, value, path);
    check_scalar(schema, value, path);
    check_object(schema, value, path);
    check_array(schema, value, path);
  }

  std::vector<std::string> violations;

 private:
  void fail(const std::string& path, const std::string& why) { violations.push_back(path + ": " + why); }

  const Value& defined(const std::string& reference) {
    const std::string prefix = "#/$defs/";
    const auto* found = reference.starts_with(prefix)
                            ? root_.find_path({"$defs", std::string_view(reference).substr(prefix.size())})
                            : nullptr;
    static const Value kNothing = Value::Object{};
    if (found == nullptr) fail("", "there is no " + reference);
    return found == nullptr ? kNothing : *found;
  }

  static bool is_of(const std::string& type, const Value& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_integer();
    return type == "number" && (value.is_integer() || value.is_double());
  }

  void check_any_of(const Value& schema, const Value& value, const std::string& path) {
    const auto& choices = schema.items("anyOf");
    if (choices.empty()) return;
    const bool fits = std::any_of(choices.begin(), choices.end(), [&](const Value& choice) {
      Checker inner(root_);
      inner.check(choice, value, path);
      return inner.violations.empty();
    });
    if (!fits) fail(path, to_json(value) + " fits none of anyOf");
  }

  void check_scalar(const Value& schema, const Value& value, const std::string& path) {
    if (const auto* pattern = schema.find("pattern"); pattern != nullptr && value.is_string()) {
      if (!std::regex_search(*value.string_if(), std::regex(*pattern->string_if(), std::regex::ECMAScript)))
        fail(path, to_json(value) + " does not match " + *pattern->string_if());
    }
    const auto least = schema.number("minimum");
    if (!least) return;
    if (value.is_integer() && *value.integer_if() < *least) fail(path, "is too small");
    if (value.is_double() && *value.double_if() < static_cast<double>(*least)) fail(path, "is too small");
  }

  void check_object(const Value& schema, const Value& value, const std::string& path) {
    const auto* object = value.object_if();
    if (object == nullptr) return;
    for (const auto& name : schema.items("required")) {
      if (!object->contains(*name.string_if())) fail(path, *name.string_if() + " is missing");
    }
    if (const auto least = schema.number("minProperties"); least && object->size() < static_cast<std::size_t>(*least))
      fail(path, "has too few members");
    const auto* properties = schema.find("properties");
    const auto* others = schema.find("additionalProperties");
    for (const auto& [name, member] : *object) {
      const auto* rule = properties == nullptr ? nullptr : properties->find(name);
      if (rule == nullptr) rule = others;
      if (rule == nullptr) continue;
      if (rule->is_bool()) {
        if (!*rule->bool_if()) fail(path, name + " is not allowed");
      } else {
        check(*rule, member, path + "/" + name);
      }
    }
  }

  void check_array(const Value& schema, const Value& value, const std::string& path) {
    const auto* array = value.array_if();
    if (array == nullptr) return;
    if (const auto least = schema.number("minItems"); least && array->size() < static_cast<std::size_t>(*least))
      fail(path, "has too few elements");
    if (const auto most = schema.number("maxItems"); most && array->size() > static_cast<std::size_t>(*most))
      fail(path, "has too many elements");
    const auto* rule = schema.find("items");
    for (std::size_t at = 0; rule != nullptr && at < array->size(); ++at)
      check(*rule, (*array)[at], path + "/" + std::to_string(at));
  }

  const Value& root_;
};

}  // namespace

std::vector<std::string> schema_violations(const Value& schema, const Value& value) {
  Checker checker(schema);
  checker.check(schema, value, "");
  return checker.violations;
}

}  // namespace audiencesync::testing
