#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace audiencesync {

/// A JSON value. Objects keep their keys sorted, so equal values have equal canonical text (see json.h).
class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::map<std::string, Value, std::less<>>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(static_cast<std::int64_t>(value)) {}
  Value(unsigned value) : data_(static_cast<std::int64_t>(value)) {}
  Value(std::int64_t value) : data_(value) {}
  Value(std::uint64_t value) : data_(static_cast<std::int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_double() const { return std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  const bool* bool_if() const { return std::get_if<bool>(&data_); }
  const std::int64_t* integer_if() const { return std::get_if<std::int64_t>(&data_); }
  const double* double_if() const { return std::get_if<double>(&data_); }
  const std::string* string_if() const { return std::get_if<std::string>(&data_); }
  const Array* array_if() const { return std::get_if<Array>(&data_); }
  const Object* object_if() const { return std::get_if<Object>(&data_); }
  Array* array_if() { return std::get_if<Array>(&data_); }
  Object* object_if() { return std::get_if<Object>(&data_); }

  /// Member of an object; null when this is no object or has no such member.
  const Value* find(std::string_view key) const;
  /// Follows members one by one: `find_path({"destination", "batchId"})`.
  const Value* find_path(std::initializer_list<std::string_view> keys) const;
  /// Member of an object, made when absent; a value that is no object becomes an empty one first.
  Value& operator[](std::string_view key);

  /// The text of a string member, "" when absent or of another type.
  std::string text(std::string_view key) const;
  /// A number member that the platform writes as a number or as a string (platform documentation: both occur).
  std::optional<std::int64_t> number(std::string_view key) const;
  bool flag(std::string_view key, bool fallback = false) const;
  /// Elements of an array member; an empty array when absent.
  const Array& items(std::string_view key) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

/// What a number or a string of digits says; nullopt for anything else.
std::optional<std::int64_t> to_number(const Value& value);

}  // namespace audiencesync
