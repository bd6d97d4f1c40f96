#include "engine/base/value.h"

#include <charconv>

namespace audiencesync {

const Value* Value::find(std::string_view key) const {
  const auto* object = object_if();
  if (object == nullptr) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &found->second;
}

const Value* Value::find_path(std::initializer_list<std::string_view> keys) const {
  const Value* at = this;
  for (const auto key : keys) {
    at = at->find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Value& Value::operator[](std::string_view key) {
  if (!is_object()) data_ = Object{};
  auto& object = std::get<Object>(data_);
  const auto found = object.find(key);
  return found != object.end() ? found->second : object.emplace(std::string(key), Value{}).first->second;
}

std::string Value::text(std::string_view key) const {
  const Value* member = find(key);
  const std::string* text = member == nullptr ? nullptr : member->string_if();
  return text == nullptr ? std::string{} : *text;
}

std::optional<std::int64_t> Value::number(std::string_view key) const {
  const Value* member = find(key);
  return member == nullptr ? std::nullopt : to_number(*member);
}

bool Value::flag(std::string_view key, bool fallback) const {
  const Value* member = find(key);
  const bool* flag = member == nullptr ? nullptr : member->bool_if();
  return flag == nullptr ? fallback : *flag;
}

const Value::Array& Value::items(std::string_view key) const {
  static const Array empty;
  const Value* member = find(key);
  const Array* array = member == nullptr ? nullptr : member->array_if();
  return array == nullptr ? empty : *array;
}

std::optional<std::int64_t> to_number(const Value& value) {
  if (const auto* integer = value.integer_if()) return *integer;
  if (const auto* real = value.double_if()) {
    constexpr double kBeyond = 9223372036854775808.0;  // 2^63: converting anything outside is undefined
    if (!(*real >= -kBeyond && *real < kBeyond)) return std::nullopt;
    return static_cast<std::int64_t>(*real);
  }
  if (const auto* text = value.string_if()) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (failure == std::errc{} && end == text->data() + text->size() && !text->empty()) return number;
  }
  return std::nullopt;
}

}  // namespace audiencesync
