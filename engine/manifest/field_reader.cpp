#include "engine/manifest/field_reader.h"

namespace audiencesync {
namespace {

template <class T>
void keep(const std::optional<T>& read, T& value) {
  if (read) value = *read;
}

}  // namespace

const YamlNode* FieldReader::node(std::string_view key) const {
  const auto* entry = map_ == nullptr ? nullptr : map_->find(key);
  const bool usable = entry != nullptr && !entry->value.reported && entry->value.kind != YamlNode::Kind::Null;
  return usable ? &entry->value : nullptr;
}

Place FieldReader::place(std::string_view key) const {
  if (const auto* value = node(key)) return value->place;
  return map_ == nullptr ? Place{} : map_->place;
}

std::optional<std::string> FieldReader::text(std::string_view key) const {
  const auto* value = node(key);
  if (value == nullptr || value->kind != YamlNode::Kind::Scalar) return std::nullopt;
  return value->text;
}

std::vector<const YamlNode*> FieldReader::items(std::string_view key) const {
  std::vector<const YamlNode*> usable;
  const auto* value = node(key);
  if (value == nullptr) return usable;
  for (const auto& item : value->items) {
    if (!item.reported) usable.push_back(&item);
  }
  return usable;
}

void FieldReader::read(std::string_view key, std::string& value) const { keep(text(key), value); }

void FieldReader::read(std::string_view key, std::optional<std::string>& value) const {
  if (auto read = text(key)) value = std::move(read);
}

void FieldReader::read(std::string_view key, Duration& value) const {
  if (const auto word = text(key)) keep(parse_duration(*word), value);
}

void FieldReader::read(std::string_view key, bool& value) const {
  if (const auto word = text(key)) keep(parse_flag(*word), value);
}

void FieldReader::read(std::string_view key, Limit& value) const {
  if (const auto word = text(key)) keep(parse_limit(*word), value);
  const auto parts = items(key);
  if (parts.empty()) return;
  value = {};
  for (const auto* part : parts) {
    const auto limit = parse_limit(part->text);
    if (!limit) continue;
    if (limit->share) value.share = limit->share;
    if (limit->count) value.count = limit->count;
  }
}

void FieldReader::read_count(std::string_view key, std::uint64_t& value) const {
  if (const auto word = text(key)) keep(parse_count(*word), value);
}

void FieldReader::read_bytes(std::string_view key, std::uint64_t& value) const {
  if (const auto word = text(key)) keep(parse_bytes(*word), value);
}

}  // namespace audiencesync
