#include "engine/membership/json/structural_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "engine/membership/field_name.h"

namespace audiencesync::json {
namespace {

constexpr std::size_t kDeepestStructure = 1000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

struct StructuralReader::Impl {
  Impl(const SourceColumns& columns, const MembershipMeaning& meaning_in)
      : identity_field(columns.identity_field),
        uses_identity_map(!columns.identity_namespace.empty()),
        meaning(meaning_in) {}

  std::string_view identity_field;
  bool uses_identity_map;
  const MembershipMeaning& meaning;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;

  // The block: its bytes from the first record on, and where the marks are in them.
  const char* bytes = nullptr;
  std::size_t origin = 0;
  const std::uint32_t* marks = nullptr;
  std::size_t count = 0;
  bool usable = false;
  bool has_escapes = false;

  // The record.
  std::size_t at = 0;    // mark
  std::size_t stop = 0;  // the first mark behind the record
  PersonBatch* batch = nullptr;
  bool has_person = false;
  bool saw_identity_map = false;
  std::string_view person;

  char here() const { return bytes[marks[at]]; }
  bool inside() const { return at < stop; }

  /// The text whose opening quote is the current mark; it ends before the next mark. Moves on.
  bool text(std::string_view& out) {
    const auto begin = marks[at];
    if (at + 1 >= stop) return false;
    auto end = marks[at + 1];
    while (is_blank(bytes[end - 1])) --end;
    if (bytes[begin] != '"' || end < begin + 2 || bytes[end - 1] != '"') return false;
    out = {bytes + begin + 1, end - begin - 2};
    ++at;
    return true;
  }

  bool skip() {
    const char c = here();
    ++at;
    if (c != '{' && c != '[') return c != '}' && c != ']' && c != ',' && c != ':';
    for (std::size_t depth = 1; depth > 0; ++at) {
      if (!inside()) return false;
      const char next = here();
      // Both opening marks, and both closing ones, differ in one bit from each other.
      if ((next & ~0x20) == '[') ++depth;
      if ((next & ~0x20) == ']') --depth;
      if (depth > kDeepestStructure) return false;
    }
    return true;
  }

  /// Calls member(key) for each member of the object at the current mark; it must move behind the value.
  template <class Member>
  bool object(Member&& member) {
    if (!inside() || here() != '{') return false;
    ++at;
    if (!inside()) return false;
    if (here() == '}') return ++at, true;
    while (true) {
      std::string_view key;
      if (!text(key) || !inside() || here() != ':') return false;
      ++at;
      if (!inside() || !member(key) || !inside()) return false;
      const char c = here();
      ++at;
      if (c == '}') return true;
      if (c != ',' || !inside()) return false;
    }
  }

  bool read_status(std::string_view& status) {
    if (here() == '"') return text(status);
    bool found = false;
    return object([&](std::string_view key) {
      if (found || !is_export_field(key, "status")) return skip();
      found = true;
      return here() == '"' && text(status);
    });
  }

  bool read_memberships() {
    return object([&](std::string_view space) {
      return object([&](std::string_view id) {
        const auto audience = meaning.audience(id);
        if (audience == MembershipMeaning::kUnwanted || !meaning.lives_in(audience, space)) return skip();
        std::string_view status;
        if (!read_status(status)) return false;
        switch (meaning.status(status)) {
          case MembershipMeaning::Status::Member:
            batch->audiences.push_back(static_cast<std::uint16_t>(audience));
            break;
          case MembershipMeaning::Status::Unknown:
            ++batch->unknown_status;
            break;
          case MembershipMeaning::Status::Other:
            break;
        }
        return true;
      });
    });
  }

  bool follow(std::string_view key, std::string_view path, bool& taken) {
    taken = key == path;
    if (taken) {
      if (has_person) return skip();
      has_person = true;
      return here() == '"' && text(person);
    }
    if (path.size() <= key.size() + 1 || path[key.size()] != '.' || path.substr(0, key.size()) != key) return true;
    if (here() != '{') return true;
    taken = true;
    const auto rest = path.substr(key.size() + 1);
    return object([&](std::string_view name) {
      bool below = false;
      return follow(name, rest, below) && (below || skip());
    });
  }

  bool read_record() {
    const bool good = object([&](std::string_view key) {
      bool taken = false;
      if (!follow(key, identity_field, taken)) return false;
      if (taken) return true;
      if (is_export_field(key, "segmentMembership")) return read_memberships();
      if (uses_identity_map && is_export_field(key, "identityMap")) saw_identity_map = true;
      return skip();
    });
    return good && at == stop && (has_person || !saw_identity_map);
  }
};

StructuralReader::StructuralReader(const SourceColumns& columns, const MembershipMeaning& meaning)
    : impl_(std::make_unique<Impl>(columns, meaning)) {}
StructuralReader::~StructuralReader() = default;

void StructuralReader::begin(const RecordBlock& block) {
  auto& in = *impl_;
  in.usable = false;
  if (block.records.empty()) return;
  in.origin = block.records.front().begin;
  in.bytes = block.bytes() + in.origin;
  const auto size = block.records.back().begin + block.records.back().size - in.origin;
  for (const auto& record : block.records) {
    if (record.too_long) return;
  }
  if (!in.stage) {
    const auto made = simdjson::get_active_implementation()->create_dom_parser_implementation(size, 1024, in.stage);
    if (made != simdjson::SUCCESS) return;
  } else if (in.stage->capacity() < size && in.stage->set_capacity(size) != simdjson::SUCCESS) {
    return;
  }
  const auto marked =
      in.stage->stage1(reinterpret_cast<const std::uint8_t*>(in.bytes), size, simdjson::stage1_mode::regular);
  if (marked != simdjson::SUCCESS) return;
  in.marks = in.stage->structural_indexes.get();
  in.count = in.stage->n_structural_indexes;
  in.at = 0;
  in.has_escapes = std::memchr(in.bytes, '\\', size) != nullptr;
  in.usable = true;
}

bool StructuralReader::read(const RecordBlock::Record& record, PersonBatch& batch) {
  auto& in = *impl_;
  if (!in.usable) return false;
  const auto begin = record.begin - in.origin;
  const auto end = begin + record.size;
  while (in.at < in.count && in.marks[in.at] < begin) ++in.at;
  if (in.at == in.count || in.marks[in.at] != begin) return false;
  if (in.has_escapes && std::memchr(in.bytes + begin, '\\', record.size) != nullptr) return false;
  // A mark has at least one byte.
  const auto first = in.at;
  const auto* const furthest = in.marks + std::min(in.count, first + record.size);
  in.stop = static_cast<std::size_t>(std::lower_bound(in.marks + first, furthest, end) - in.marks);
  in.batch = &batch;
  in.has_person = in.saw_identity_map = false;
  in.person = {};
  const auto audiences = batch.audiences.size();
  const auto unknown = batch.unknown_status;
  if (!in.read_record()) {
    in.at = first;
    batch.audiences.resize(audiences);
    batch.unknown_status = unknown;
    return false;
  }
  batch.rows.push_back({in.person, static_cast<std::uint32_t>(batch.audiences.size())});
  return true;
}

}  // namespace audiencesync::json
