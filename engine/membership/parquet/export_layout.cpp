#include "engine/membership/parquet/export_layout.h"

#include "engine/membership/field_name.h"

namespace audiencesync::parquet {
namespace {

using Kind = SchemaNode::Kind;

bool is_text(const SchemaNode& node) {
  return node.type == Physical::Bytes && node.children.empty() && (node.kind == Kind::Text || node.kind == Kind::None);
}

bool is_structure(const SchemaNode& node) {
  return node.type == Physical::None && !node.children.empty() && node.kind == Kind::None &&
         node.repetition != Repetition::Repeated;
}

// Names may contain dots themselves, so every split of the path is tried.
const SchemaNode* find_path(const SchemaNode& group, std::string_view path) {
  for (const auto& child : group.children) {
    if (child.name == path) return &child;
    if (!is_structure(child) || path.size() <= child.name.size() + 1) continue;
    if (path.substr(0, child.name.size()) != child.name || path[child.name.size()] != '.') continue;
    if (const auto* below = find_path(child, path.substr(child.name.size() + 1))) return below;
  }
  return nullptr;
}

// The repeated group of a map whose keys are texts; null for anything else.
const SchemaNode* entries_of(const SchemaNode& map) {
  if (map.kind != Kind::Map || map.repetition == Repetition::Repeated || map.children.size() != 1) return nullptr;
  const auto& entries = map.children.front();
  if (entries.repetition != Repetition::Repeated || entries.children.size() != 2) return nullptr;
  const auto& key = entries.children.front();
  if (!is_text(key) || key.repetition != Repetition::Required) return nullptr;
  return &entries;
}

std::optional<ExportLayout::Memberships> find_memberships(const SchemaNode& column) {
  const auto* const outer = entries_of(column);
  const auto* const inner = outer != nullptr ? entries_of(outer->children[1]) : nullptr;
  if (inner == nullptr) return std::nullopt;
  ExportLayout::Memberships found;
  found.spaces = {outer->children[0], outer->definition};
  found.audiences = {inner->children[0], inner->definition};
  const auto& value = inner->children[1];
  if (is_text(value) && value.repetition != Repetition::Repeated) {
    found.statuses = {value, value.definition};
    return found;
  }
  if (!is_structure(value)) return std::nullopt;
  for (const auto& member : value.children) {
    if (!is_export_field(member.name, "status")) continue;
    if (!is_text(member) || member.repetition == Repetition::Repeated) return std::nullopt;
    found.statuses = {member, value.definition};
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExportLayout> ExportLayout::find(const SchemaNode& root, const SourceColumns& columns) {
  const auto* const person = find_path(root, columns.identity_field);
  if (person == nullptr || !is_text(*person) || person->repeated > 0) return std::nullopt;
  ExportLayout layout;
  layout.person = *person;
  for (const auto& column : root.children) {
    if (!is_export_field(column.name, "segmentMembership")) continue;
    layout.memberships = find_memberships(column);
    if (!layout.memberships) return std::nullopt;
    break;
  }
  return layout;
}

bool is_plain_chunk(const ColumnChunk& chunk) {
  constexpr auto bit = [](Encoding encoding) { return 1ULL << static_cast<unsigned>(encoding); };
  constexpr auto kKnown =
      bit(Encoding::Plain) | bit(Encoding::PlainDictionary) | bit(Encoding::Rle) | bit(Encoding::RleDictionary);
  const bool codec = chunk.codec == static_cast<std::int64_t>(Codec::None) ||
                     chunk.codec == static_cast<std::int64_t>(Codec::Snappy) ||
                     chunk.codec == static_cast<std::int64_t>(Codec::Gzip) ||
                     chunk.codec == static_cast<std::int64_t>(Codec::Zstd);
  return codec && !chunk.elsewhere && chunk.type == Physical::Bytes && (chunk.encodings & ~kKnown) == 0;
}

}  // namespace audiencesync::parquet
