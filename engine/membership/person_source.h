#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"

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

/// Streams the rows of export files. The port behind which the Parquet reader lives.
///
/// `each` is called on the calling thread, one row at a time, in file order; an error from it stops the reading.
/// Errors: Corrupt with the file when it is truncated or has other types; Invalid when the identity column is absent.
class PersonSource {
 public:
  virtual ~PersonSource() = default;
  virtual Result<std::uint64_t> read(const std::vector<Path>& files, const SourceColumns& columns,
                                     const std::function<Result<void>(const SourceRow&)>& each) = 0;
};

}  // namespace audiencesync
