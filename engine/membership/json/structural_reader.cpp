#include "engine/membership/json/structural_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "engine/membership/bytes.h"
#include "engine/membership/field_name.h"
#include "engine/membership/json/line_stencil.h"

namespace audiencesync::json {
namespace {

constexpr std::size_t kDeepestStructure = 1000;
constexpr std::size_t kLongestOpening = 512;  // longer ones are hardly common to records
constexpr std::size_t kHitsForAMiss = 64;     // records: the slow reader costs as much as marking a few dozen

// Where a mark is in the list of marks: the walk keeps its place in a register.
using Mark = const std::uint32_t*;

bool has_escape(std::string_view text) { return std::memchr(text.data(), '\\', text.size()) != nullptr; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The meaning of a status word, asked for once while the same ones come again.
class StatusMemory {
 public:
  explicit StatusMemory(const MembershipMeaning& meaning) : meaning_(meaning) {}

  MembershipMeaning::Status of(std::string_view word) {
    for (const auto& one : known_) {
      if (same_text(one.word, word) && !word.empty()) return one.status;
    }
    auto& oldest = known_[next_++ % known_.size()];
    oldest = {std::string(word), meaning_.status(word)};
    return oldest.status;
  }

 private:
  struct Known {
    std::string word;
    MembershipMeaning::Status status = MembershipMeaning::Status::Other;
  };
  const MembershipMeaning& meaning_;
  std::array<Known, 4> known_;
  std::size_t next_ = 0;
};

}  // namespace

struct StructuralReader::Impl {
  Impl(const SourceColumns& columns, const MembershipMeaning& meaning_in)
      : identity_field(columns.identity_field),
        uses_identity_map(!columns.identity_namespace.empty()),
        meaning(meaning_in),
        filter(meaning_in.filter()),
        statuses(meaning_in),
        stencil(meaning_in),
        shortest(filter != nullptr ? filter->shortest() : 0) {}

  std::string_view identity_field;
  bool uses_identity_map;
  const MembershipMeaning& meaning;
  const AudienceFilter* filter;
  StatusMemory statuses;
  LineStencil stencil;
  std::size_t shortest;  // bytes of a wanted id: no text that is as short becomes one when its escapes are read
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;

  // The block: its bytes from the first record on, and where the next record's marks are. Behind the last mark there is
  // one more, at the end of the block.
  const char* bytes = nullptr;
  std::size_t origin = 0;
  Mark at = nullptr;
  Mark last = nullptr;  // that one more
  const RecordBlock* block = nullptr;
  enum class Marks { None, Made, Impossible } marks = Marks::None;
  std::size_t hits = 0;  // of the stencil in this block
  std::size_t misses = 0;
  bool taught = false;  // once a block

  /// What most records have in common, byte by byte: all before the person id and all between it and the first
  /// membership, where all are in one space and nothing follows them.
  struct Opening {
    std::string before;  // to the opening quote of the person id
    std::string after;   // from its closing quote to the opening one of the first membership's key
    std::ptrdiff_t marks_before = 0;
    std::ptrdiff_t marks_after = 0;
    std::string space;
  } opening;

  // The record.
  std::uint32_t end = 0;  // of its bytes
  PersonBatch* batch = nullptr;
  bool has_person = false;
  bool saw_identity_map = false;
  std::string_view person;
  Mark person_mark = nullptr;
  int spaces = 0;               // that have memberships
  Mark members_mark = nullptr;  // of the first membership in the last one
  Mark members_end = nullptr;
  std::string_view members_space;

  /// Marks the block from this record on.
  void make_marks(const RecordBlock::Record& first);

  // The functions below take a mark inside of the record and give the one behind what they read, perhaps outside; null:
  // not ordinary.
  bool inside(Mark mark) const { return *mark < end; }

  /// The text whose opening quote is at this mark; it ends before the next mark.
  Mark text(Mark from, std::string_view& out) const {
    if (!inside(from + 1)) return nullptr;
    const auto begin = from[0];
    auto behind = from[1];
    while (bytes[behind - 1] != '"' && is_blank(bytes[behind - 1])) --behind;
    if (bytes[begin] != '"' || behind < begin + 2 || bytes[behind - 1] != '"') return nullptr;
    out = {bytes + begin + 1, behind - begin - 2};
    return from + 1;
  }

  Mark skip(Mark from) const {
    const char c = bytes[*from];
    ++from;
    if (c != '{' && c != '[') return c != '}' && c != ']' && c != ',' && c != ':' ? from : nullptr;
    for (std::size_t depth = 1; depth > 0; ++from) {
      if (!inside(from)) return nullptr;
      const char next = bytes[*from];
      // Both opening marks, and both closing ones, differ in one bit from each other.
      const char bracket = next & ~0x20;
      if (bracket == '[' && ++depth > kDeepestStructure) return nullptr;
      if (bracket == ']') --depth;
    }
    return from;
  }

  /// An object of two texts, as nearly every membership is, is skipped in one step: most memberships are not wanted.
  Mark skip_membership(Mark from) const {
    constexpr std::string_view kUsual = R"({":",":"})";  // a text has its mark at its first quote
    if (last - from <= static_cast<std::ptrdiff_t>(kUsual.size()) || !inside(from + kUsual.size() - 1)) {
      return skip(from);
    }
    int differs = 0;
#pragma GCC unroll 9
    for (std::size_t i = 0; i < kUsual.size(); ++i) differs |= bytes[from[i]] ^ kUsual[i];
    return differs == 0 ? from + kUsual.size() : skip(from);
  }

  /// Calls member(key, mark of its value) for each member of the object at this mark; it gives the mark behind the
  /// value.
  template <class Member>
  Mark object(Mark from, Member&& member) const {
    if (bytes[*from] != '{') return nullptr;
    ++from;
    if (!inside(from)) return nullptr;
    if (bytes[*from] == '}') return from + 1;
    while (true) {
      std::string_view key;
      from = text(from, key);
      if (from == nullptr || bytes[*from] != ':' || !inside(from + 1)) return nullptr;
      from = member(key, from + 1);
      if (from == nullptr || !inside(from)) return nullptr;
      const char c = bytes[*from];
      ++from;
      if (c == '}') return from;
      if (c != ',' || !inside(from)) return nullptr;
    }
  }

  Mark read_status(Mark from, std::string_view& status) const {
    if (bytes[*from] == '"') return text(from, status);
    bool found = false;
    return object(from, [&](std::string_view key, Mark value) {
      if (found || !is_export_field(key, "status")) return skip(value);
      found = true;
      return bytes[*value] == '"' ? text(value, status) : nullptr;
    });
  }

  Mark read_wanted(Mark from, std::uint32_t audience) {
    std::string_view status;
    const auto begin = *from;
    from = read_status(from, status);
    if (from == nullptr || has_escape({bytes + begin, *from - begin})) return nullptr;
    switch (statuses.of(status)) {
      case MembershipMeaning::Status::Member:
        batch->audiences.push_back(static_cast<std::uint16_t>(audience));
        break;
      case MembershipMeaning::Status::Unknown:
        ++batch->unknown_status;
        break;
      case MembershipMeaning::Status::Other:
        break;
    }
    return from;
  }

  /// The mark behind all members of a space, from the first one's key on, that are usual, may not be wanted and are
  /// not the last: nine of ten go by with one look at their twelve marks.
  Mark skip_unwanted(Mark from) const {
    constexpr std::string_view kUsual = R"(":{":",":"},)";  // a text has its mark at its first quote
    constexpr std::ptrdiff_t kMarks = kUsual.size();
    while (last - from > kMarks && inside(from + kMarks)) {
      int differs = 0;
#pragma GCC unroll 12
      for (std::ptrdiff_t i = 0; i < kMarks; ++i) differs |= bytes[from[i]] ^ kUsual[static_cast<std::size_t>(i)];
      const auto begin = from[0] + 1;
      const auto quote = from[1] - 1;
      if (differs != 0 || bytes[quote] != '"' || quote < begin) return from;
      const std::string_view id(bytes + begin, quote - begin);
      if (filter->may_have(id) || (id.size() > shortest && has_escape(id))) return from;
      from += kMarks;
    }
    return from;
  }

  /// Members of a space, from the first one's key on. Gives the mark behind the object.
  Mark read_members(Mark from, std::string_view space) {
    while (true) {
      if (filter != nullptr) from = skip_unwanted(from);
      std::string_view id;
      from = text(from, id);
      if (from == nullptr || bytes[*from] != ':' || !inside(from + 1)) return nullptr;
      if (id.size() > shortest && has_escape(id)) return nullptr;
      ++from;
      auto audience = MembershipMeaning::kUnwanted;
      if (filter == nullptr || filter->may_have(id)) audience = meaning.audience(id);
      if (audience == MembershipMeaning::kUnwanted || !meaning.lives_in(audience, space)) {
        from = skip_membership(from);
      } else {
        from = read_wanted(from, audience);
      }
      if (from == nullptr || !inside(from)) return nullptr;
      const char c = bytes[*from];
      ++from;
      if (c == '}') return from;
      if (c != ',' || !inside(from)) return nullptr;
    }
  }

  Mark read_memberships(Mark from) {
    return object(from, [&](std::string_view space, Mark members) -> Mark {
      if (bytes[*members] != '{' || !inside(members + 1)) return nullptr;
      if (bytes[members[1]] == '}') return members + 2;
      ++spaces;
      members_mark = members + 1;
      members_space = space;
      members_end = read_members(members_mark, space);
      return members_end;
    });
  }

  Mark follow(std::string_view key, Mark from, std::string_view path, bool& taken) {
    taken = false;
    if (key.empty() || path.empty() || key.front() != path.front()) return from;
    taken = same_text(key, path);
    if (taken) {
      if (has_person) return skip(from);
      has_person = true;
      person_mark = from;
      return bytes[*from] == '"' ? text(from, person) : nullptr;
    }
    if (path.size() <= key.size() + 1 || path[key.size()] != '.' || !same_text(path.substr(0, key.size()), key))
      return from;
    if (bytes[*from] != '{') return from;
    taken = true;
    const auto rest = path.substr(key.size() + 1);
    return object(from, [&](std::string_view name, Mark value) {
      bool below = false;
      const auto behind = follow(name, value, rest, below);
      return behind == nullptr || below ? behind : skip(value);
    });
  }

  /// Whether the record ends here but for the ends of its two outer objects.
  bool only_ends(Mark from) const {
    return inside(from) && inside(from + 1) && bytes[from[0]] == '}' && bytes[from[1]] == '}' && !inside(from + 2);
  }

  /// The record begins as the one before it did. Gives the mark behind it; null: it does not, or is not ordinary. Only
  /// what is used of it is searched for escapes, not all of it.
  Mark read_like_the_last(Mark from) {
    if (opening.before.empty() || last - from <= opening.marks_before + opening.marks_after) return nullptr;
    const auto begins_with = [&](std::size_t place, const std::string& expected) {
      return place + expected.size() <= end && std::memcmp(bytes + place, expected.data(), expected.size()) == 0;
    };
    if (!begins_with(*from, opening.before)) return nullptr;
    const Mark quote = from + opening.marks_before;
    if (!inside(quote) || text(quote, person) == nullptr || has_escape(person)) return nullptr;
    const auto person_end = static_cast<std::size_t>(person.data() + person.size() - bytes);
    const Mark members = quote + opening.marks_after;
    if (!begins_with(person_end, opening.after) || *members != person_end + opening.after.size() - 1) return nullptr;
    const Mark behind = read_members(members, opening.space);
    if (behind == nullptr || !only_ends(behind)) return nullptr;
    has_person = true;
    members_mark = members;
    members_end = behind;
    return behind + 2;
  }

  /// Remembers how this record begins.
  void learn(Mark from) {
    opening.before.clear();
    if (!has_person || spaces != 1 || members_mark < person_mark || !only_ends(members_end)) return;
    const auto person_end = static_cast<std::size_t>(person.data() + person.size() - bytes);
    if (*members_mark - *from > person.size() + kLongestOpening) return;
    opening.before.assign(bytes + *from, *person_mark + std::size_t{1} - *from);
    opening.after.assign(bytes + person_end, *members_mark + std::size_t{1} - person_end);
    opening.marks_before = person_mark - from;
    opening.marks_after = members_mark - person_mark;
    opening.space = members_space;
    learn_membership();
  }

  /// The first membership of a record whose opening was just remembered, as the shape of all of them: `"id":{"name":
  /// "text","name":"text"}` without blanks, one of the texts being the status.
  void learn_membership() {
    constexpr std::string_view kUsual = R"(":{":",":"})";  // a text has its mark at its first quote
    const Mark from = members_mark;
    stencil.forget();
    if (members_end - from < static_cast<std::ptrdiff_t>(kUsual.size())) return;
    for (std::size_t i = 0; i < kUsual.size(); ++i) {
      if (bytes[from[i]] != kUsual[i]) return;
    }
    const auto follow_each_other = [&](std::size_t first, std::size_t last_one) {
      for (auto i = first; i < last_one; ++i) {
        if (from[i + 1] != from[i] + 1) return false;
      }
      return true;
    };
    if (!follow_each_other(1, 3) || !follow_each_other(4, 5) || !follow_each_other(6, 7) || !follow_each_other(8, 9)) {
      return;
    }
    // The closing quote of the text that begins at this mark is just before the next one.
    const auto size = [&](std::size_t mark) { return std::size_t{from[mark + 1]} - from[mark] - 2; };
    for (const std::size_t mark : {0, 3, 5, 7, 9}) {
      if (from[mark + 1] < from[mark] + 2 || bytes[from[mark + 1] - 1] != '"') return;
    }
    const auto piece = [&](std::size_t mark, std::size_t last_mark) {
      return std::string(bytes + from[mark] - 1, from[last_mark] + std::size_t{2} - from[mark]);
    };
    const auto is_status = [&](std::size_t mark) {
      return is_export_field({bytes + from[mark] + 1, size(mark)}, "status");
    };
    // Of two the first counts.
    if (is_status(3) || !is_status(7)) return;
    LineShape shape;
    shape.before = opening.before;
    shape.after = opening.after;
    shape.space = opening.space;
    shape.id = size(0);
    shape.first = piece(1, 5);
    shape.other = size(5);
    shape.second = piece(6, 9);
    stencil.learn(shape);
  }

  Mark read_record(Mark from) {
    return object(from, [&](std::string_view key, Mark value) {
      bool taken = false;
      const auto behind = follow(key, value, identity_field, taken);
      if (behind == nullptr || taken) return behind;
      if (is_export_field(key, "segmentMembership")) return read_memberships(value);
      if (uses_identity_map && is_export_field(key, "identityMap")) saw_identity_map = true;
      return skip(value);
    });
  }
};

StructuralReader::StructuralReader(const SourceColumns& columns, const MembershipMeaning& meaning)
    : impl_(std::make_unique<Impl>(columns, meaning)) {}
StructuralReader::~StructuralReader() = default;

void StructuralReader::begin(const RecordBlock& block) {
  auto& in = *impl_;
  in.block = &block;
  in.hits = in.misses = 0;
  in.taught = false;
  in.marks = Impl::Marks::None;
  for (const auto& record : block.records) {
    if (record.too_long) in.marks = Impl::Marks::Impossible;
  }
}

void StructuralReader::Impl::make_marks(const RecordBlock::Record& first) {
  marks = Marks::Impossible;
  origin = first.begin;
  bytes = block->bytes() + origin;
  const auto size = block->records.back().begin + block->records.back().size - origin;
  if (!stage) {
    const auto made = simdjson::get_active_implementation()->create_dom_parser_implementation(size, 1024, stage);
    if (made != simdjson::SUCCESS) return;
  } else if (stage->capacity() < size && stage->set_capacity(size) != simdjson::SUCCESS) {
    return;
  }
  const auto marked = stage->stage1(reinterpret_cast<const std::uint8_t*>(bytes), size, simdjson::stage1_mode::regular);
  if (marked != simdjson::SUCCESS) return;
  stage->structural_indexes[stage->n_structural_indexes] = static_cast<std::uint32_t>(size);
  at = stage->structural_indexes.get();
  last = at + stage->n_structural_indexes;
  marks = Marks::Made;
}

bool StructuralReader::read(const RecordBlock::Record& record, PersonBatch& batch) {
  auto& in = *impl_;
  if (in.marks == Impl::Marks::Impossible) return false;
  const auto audiences = batch.audiences.size();
  const auto unknown = batch.unknown_status;
  const auto undo = [&] {
    batch.audiences.resize(audiences);
    batch.unknown_status = unknown;
  };
  if (in.marks == Impl::Marks::None) {
    if (in.stencil.knows_a_shape()) {
      if (in.stencil.read({in.block->bytes() + record.begin, record.size}, batch)) {
        ++in.hits;
        return true;
      }
      undo();
      // One of another shape among many is not worth marking all that follow.
      if (++in.misses * kHitsForAMiss <= in.hits) return false;
    }
    in.make_marks(record);
    if (in.marks != Impl::Marks::Made) return false;
  }
  const auto begin = record.begin - in.origin;
  const auto end = begin + record.size;
  while (*in.at < begin) ++in.at;
  if (*in.at != begin) return false;
  in.end = static_cast<std::uint32_t>(end);
  in.batch = &batch;
  in.has_person = in.saw_identity_map = false;
  in.person = {};
  const auto* behind = in.read_like_the_last(in.at);
  if (behind == nullptr) {
    undo();
    in.person = {};
    in.spaces = 0;
    behind = has_escape({in.bytes + begin, record.size}) ? nullptr : in.read_record(in.at);
    if (behind == nullptr || in.inside(behind) || (!in.has_person && in.saw_identity_map)) {
      undo();
      return false;
    }
    in.learn(in.at);
  } else if (!in.taught && !has_escape({in.bytes + begin, record.size})) {
    // The shape was that of an odd record, or there is none yet.
    in.learn_membership();
    in.taught = true;
  }
  in.at = behind;
  batch.rows.push_back({in.person, static_cast<std::uint32_t>(batch.audiences.size()), 0});
  return true;
}

}  // namespace audiencesync::json
