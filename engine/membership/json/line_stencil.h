#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/membership/person_source.h"

namespace audiencesync::json {

/// What records of one export have in common, byte by byte: everything but the person, the ids, the words for the
/// status, and the text before them in each membership, which has the same length everywhere (a time).
struct LineShape {
  static constexpr std::size_t kLongest = 192;  // bytes of a membership up to its status

  std::string before;     // from the record's first byte to the opening quote of the person id
  std::string after;      // from its closing quote to the opening one of the first membership's id
  std::string space;      // of segmentMembership: the only one
  std::size_t id = 0;     // bytes of an id
  std::string first;      // from the id's closing quote to the opening one of the text
  std::size_t other = 0;  // bytes of the text
  std::string second;     // from its closing quote to the opening one of the status
};

/// The fastest way through a record: compares it with the shape of the records before, and looks only at the texts in
/// which they differ, so nothing is parsed. A record is taken only when every byte of it is accounted for: equal to the
/// shape, or an ASCII character that is itself in a text of JSON. Of every other one it says so.
/// One thread.
class LineStencil {
 public:
  /// Must outlive this.
  explicit LineStencil(const MembershipMeaning& meaning);

  bool knows_a_shape() const { return !before_.empty(); }
  /// Of a record without escapes, as StructuralReader found it; one with longer memberships teaches nothing.
  void learn(const LineShape& shape);
  void forget() { before_.clear(); }

  /// True: a row was added to `batch`, its views point into the record. False: nothing is known about the record, and
  /// `batch` may have audiences of it. Behind the record `RecordBlock::kPadding` bytes may be read.
  bool read(std::string_view record, PersonBatch& batch) { return read_(*this, record, batch); }

 private:
  struct Reading;  // the loop, for each width of registers
  using Read = bool (*)(LineStencil&, std::string_view, PersonBatch&);

  /// A word and what follows it in a membership, `"}`, as two numbers.
  struct Ending {
    std::uint64_t bytes[2] = {~0ULL, ~0ULL};
    std::uint64_t mask[2] = {~0ULL, ~0ULL};  // of a free one: no record has it
    std::size_t word = 0;                    // bytes
    MembershipMeaning::Status status = MembershipMeaning::Status::Other;
  };
  static constexpr std::size_t kLongestWord = 14;

  const Ending* learn_ending(const char* at, const char* end);
  void add(std::string_view id, MembershipMeaning::Status status, PersonBatch& batch) const;

  const MembershipMeaning& meaning_;
  const AudienceFilter* filter_;
  Read read_;
  std::string before_;
  std::string after_;
  std::string space_;
  std::size_t id_ = 0;
  std::size_t size_ = 0;  // bytes of a membership up to its status
  // Of each of them: what it is, and bits where it is always that, or where it is any character of a text.
  alignas(32) std::array<char, LineShape::kLongest> bytes_{};
  alignas(32) std::array<char, LineShape::kLongest> fixed_{};
  alignas(32) std::array<char, LineShape::kLongest> text_{};
  std::array<Ending, 4> endings_;  // the two that were seen last come first
};

}  // namespace audiencesync::json
