#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/membership/audience_filter.h"

namespace audiencesync {

/// What to read of each exported row.
struct SourceColumns {
  std::string identity_field;      // dotted path: _demoemea.identification.core.email
  std::string identity_namespace;  // fall-back: identityMap[namespace], the primary one, when the path is not there
};

/// One row of an export as it is in the file; the views live until the callback returns.
struct SourceRow {
  std::string_view person;  // raw, not normalised; empty when the row has none
  struct Membership {
    std::string_view membership_namespace;
    std::string_view audience;
    std::string_view status;
  };
  const std::vector<Membership>* memberships = nullptr;
};

/// What memberships mean to whoever reads a source. A source asks once for each distinct value where its format lets
/// it, so most rows never make a text. Thread-safe.
class MembershipMeaning {
 public:
  enum class Status : std::uint8_t { Other, Member, Unknown };
  static constexpr std::uint32_t kUnwanted = UINT32_MAX;

  virtual ~MembershipMeaning() = default;
  /// The number of a wanted audience, below limit(), else kUnwanted.
  virtual std::uint32_t audience(std::string_view id) const = 0;
  /// A quick look before audience(); null where there is none. Lives as long as this.
  virtual const AudienceFilter* filter() const { return nullptr; }
  /// Whether that audience counts below this key of segmentMembership.
  virtual bool lives_in(std::uint32_t audience, std::string_view membership_namespace) const = 0;
  /// Unknown: a word nobody has documented. It counts only for a wanted audience.
  virtual Status status(std::string_view word) const = 0;
  /// At most 65,536.
  virtual std::uint32_t limit() const = 0;
};

/// A record that is none: where it begins and, as a constant text, what is wrong with it. Never what it says.
struct BrokenRecord {
  const Path* file = nullptr;
  std::uint64_t offset = 0;  // bytes, of the uncompressed content
  const char* reason = "";
};

/// Some rows of an export, their memberships already numbers. The views live until the sink returns.
struct PersonBatch {
  struct Row {
    std::string_view person;      // raw, not normalised; empty when the row has none
    std::uint32_t audiences = 0;  // end of this row's in `audiences`; they begin where the row before ends
    std::uint32_t place = 0;      // where it is, from `first_place` on
  };
  const Path* file = nullptr;  // the rows are from; null when nobody knows
  enum class Unit : std::uint8_t { Byte, Row };
  Unit unit = Unit::Byte;  // of places: bytes into the uncompressed content, or rows of the file
  std::uint64_t first_place = 0;
  std::vector<Row> rows;
  std::vector<std::uint16_t> audiences;  // MembershipMeaning::audience() of those whose status is Member; any order
  std::uint64_t unknown_status = 0;
  std::vector<BrokenRecord> broken;

  void clear() {
    file = nullptr;
    first_place = 0;
    rows.clear();
    audiences.clear();
    unknown_status = 0;
    broken.clear();
  }
};

/// Takes batches. One thread at a time uses a sink.
class PersonSink {
 public:
  virtual ~PersonSink() = default;
  virtual Result<void> add(const PersonBatch& batch) = 0;
};

/// Streams the rows of export files. The port behind which the readers of each format live.
///
/// Errors: Corrupt with the file when it is truncated or has other types; Invalid when the identity column is absent.
class PersonSource {
 public:
  virtual ~PersonSource() = default;

  /// `each` is called on the calling thread, one row at a time, in file order; an error from it stops the reading.
  virtual Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                                     const std::function<Result<void>(const SourceRow&)>& each) = 0;

  /// How many sinks `read_batches` has a use for on a machine with this many cores.
  virtual std::size_t lanes(std::size_t cores) const;
  /// Reads the same rows, in any order, with a thread for each sink. An error from a sink stops the reading.
  virtual Result<void> read_batches(const std::vector<Path>& files, const SourceColumns& columns,
                                    const MembershipMeaning& meaning, std::span<PersonSink* const> sinks);
};

}  // namespace audiencesync
