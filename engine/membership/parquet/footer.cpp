#include "engine/membership/parquet/footer.h"

#include <cstring>

#include "engine/membership/parquet/thrift_reader.h"

namespace audiencesync::parquet {
namespace {

constexpr std::uint64_t kTail = 8;  // length of the footer, magic
constexpr std::uint64_t kLargestFooter = 64 << 20;
constexpr std::size_t kMostNodes = 100'000;
constexpr int kDeepestSchema = 60;

// As in the list of the footer: a tree in the order of its first visits.
struct FlatNode {
  SchemaNode node;
  std::int64_t children = 0;
};

SchemaNode::Kind kind_of_converted(std::int64_t converted) {
  switch (converted) {
    case 0:  // UTF8
    case 4:  // ENUM
      return SchemaNode::Kind::Text;
    case 1:  // MAP
    case 2:  // MAP_KEY_VALUE
      return SchemaNode::Kind::Map;
    default:
      return SchemaNode::Kind::Other;
  }
}

SchemaNode::Kind kind_of_logical(std::int64_t member) {
  switch (member) {
    case 1:  // STRING
    case 4:  // ENUM
      return SchemaNode::Kind::Text;
    case 2:
      return SchemaNode::Kind::Map;
    default:
      return SchemaNode::Kind::Other;
  }
}

FlatNode read_node(ThriftReader& in) {
  FlatNode flat;
  auto& node = flat.node;
  in.structure([&](std::int64_t id, std::uint8_t type) {
    switch (id) {
      case 1:
        node.type = static_cast<Physical>(in.number(type));
        return true;
      case 3:
        node.repetition = static_cast<Repetition>(in.number(type));
        return true;
      case 4:
        if (type != ThriftReader::Binary) return false;
        node.name = in.binary();
        return true;
      case 5:
        flat.children = in.number(type);
        return true;
      case 6:
        if (const auto kind = kind_of_converted(in.number(type)); node.kind == SchemaNode::Kind::None) node.kind = kind;
        return true;
      case 10:
        if (type != ThriftReader::Struct) return false;
        in.structure([&](std::int64_t member, std::uint8_t) {
          node.kind = kind_of_logical(member);
          return false;
        });
        return true;
      default:
        return false;
    }
  });
  return flat;
}

// Moves the sub-tree that begins at `at` into `out`. False when the list is no tree.
bool build(std::vector<FlatNode>& flat, std::size_t& at, int depth, int& leaves, SchemaNode& out) {
  if (at == flat.size() || depth > kDeepestSchema) return false;
  const auto children = flat[at].children;
  const int definition = out.definition;
  const int repeated = out.repeated;
  out = std::move(flat[at++].node);
  out.definition = definition;
  out.repeated = repeated;
  if (depth > 0) {
    if (out.repetition != Repetition::Required) ++out.definition;
    if (out.repetition == Repetition::Repeated) ++out.repeated;
  }
  if (children <= 0) {
    out.leaf = leaves++;
    return out.type != Physical::None;
  }
  for (std::int64_t i = 0; i < children; ++i) {
    auto& child = out.children.emplace_back();
    child.definition = out.definition;
    child.repeated = out.repeated;
    if (!build(flat, at, depth + 1, leaves, child)) return false;
  }
  return true;
}

void read_column_meta(ThriftReader& in, ColumnChunk& chunk) {
  std::int64_t data = -1;
  std::int64_t dictionary = 0;
  const auto size = [&](std::uint8_t type) { return static_cast<std::uint64_t>(in.number(type)); };
  in.structure([&](std::int64_t id, std::uint8_t type) {
    switch (id) {
      case 1:
        chunk.type = static_cast<Physical>(in.number(type));
        return true;
      case 2:
        if (type != ThriftReader::List) return false;
        in.list([&](std::uint8_t element) {
          const auto encoding = in.number(element);
          chunk.encodings |= 1ULL << (encoding >= 0 && encoding < 63 ? encoding : 63);
        });
        return true;
      case 4:
        chunk.codec = in.number(type);
        return true;
      case 5:
        chunk.values = size(type);
        return true;
      case 6:
        chunk.raw = size(type);
        return true;
      case 7:
        chunk.stored = size(type);
        return true;
      case 9:
        data = in.number(type);
        return true;
      case 11:
        dictionary = in.number(type);
        return true;
      default:
        return false;
    }
  });
  // Some writers leave a 0 where there is no dictionary.
  chunk.offset = static_cast<std::uint64_t>(dictionary > 0 && dictionary < data ? dictionary : data);
}

ColumnChunk read_chunk(ThriftReader& in) {
  ColumnChunk chunk;
  in.structure([&](std::int64_t id, std::uint8_t type) {
    if (id == 1 || id == 8 || id == 9) chunk.elsewhere = true;
    if (id != 3 || type != ThriftReader::Struct) return false;
    read_column_meta(in, chunk);
    return true;
  });
  return chunk;
}

RowGroup read_group(ThriftReader& in) {
  RowGroup group;
  in.structure([&](std::int64_t id, std::uint8_t type) {
    if (id == 1 && type == ThriftReader::List) {
      in.list([&](std::uint8_t) { group.columns.push_back(read_chunk(in)); });
      return true;
    }
    if (id != 3) return false;
    group.rows = static_cast<std::uint64_t>(in.number(type));
    return true;
  });
  return group;
}

bool is_sound(const Footer& footer, int leaves, std::uint64_t end) {
  if (footer.rows == kUnsaid) return false;
  std::uint64_t rows = 0;
  for (const auto& group : footer.groups) {
    if (group.columns.size() != static_cast<std::size_t>(leaves)) return false;
    for (const auto& chunk : group.columns) {
      if (chunk.elsewhere) continue;
      if (chunk.values == kUnsaid || chunk.raw == kUnsaid || chunk.codec < 0 || chunk.encodings == 0) return false;
      if (chunk.offset < 4 || chunk.offset > end || chunk.stored > end - chunk.offset) return false;
    }
    rows += group.rows;
    if (group.rows > footer.rows) return false;
  }
  return rows == footer.rows;
}

}  // namespace

Result<std::optional<Footer>> read_footer(FileReader& file) {
  std::optional<Footer> none;
  if (file.size() < kTail + 4) return none;
  char tail[kTail];
  const auto got = TRY(file.read_at(file.size() - kTail, tail));
  std::uint32_t length = 0;
  std::memcpy(&length, tail, sizeof length);
  if (got != kTail || std::memcmp(tail + 4, "PAR1", 4) != 0) return none;
  if (length > kLargestFooter || length > file.size() - kTail - 4) return none;
  const auto begin = file.size() - kTail - length;
  std::string bytes(length, '\0');
  const auto count = TRY(file.read_at(begin, bytes));
  if (count != length) return none;

  ThriftReader in(bytes);
  std::vector<FlatNode> flat;
  Footer footer;
  bool groups_said = false;
  in.structure([&](std::int64_t id, std::uint8_t type) {
    switch (id) {
      case 2:
        if (type != ThriftReader::List) return false;
        in.list([&](std::uint8_t) {
          if (flat.size() < kMostNodes) flat.push_back(read_node(in));
        });
        return true;
      case 3:
        footer.rows = static_cast<std::uint64_t>(in.number(type));
        return true;
      case 4:
        if (type != ThriftReader::List) return false;
        groups_said = true;
        in.list([&](std::uint8_t) { footer.groups.push_back(read_group(in)); });
        return true;
      default:
        return false;
    }
  });
  if (in.bad()) return none;
  if (!groups_said) return none;
  std::size_t at = 0;
  int leaves = 0;
  if (!build(flat, at, 0, leaves, footer.root) || at != flat.size()) return none;
  if (!is_sound(footer, leaves, begin)) return none;
  return std::optional<Footer>(std::move(footer));
}

}  // namespace audiencesync::parquet
