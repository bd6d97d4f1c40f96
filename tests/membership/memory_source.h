#pragma once

#include <string>
#include <vector>

#include "engine/membership/person_source.h"

namespace audiencesync::testing {

struct ExportMembership {
  std::string membership_namespace = "ups";
  std::string audience;
  std::string status = "realized";
};

struct ExportRow {
  std::string person;
  std::vector<ExportMembership> memberships;
};

/// An export that a test wrote down.
class MemorySource final : public PersonSource {
 public:
  std::vector<ExportRow> rows;

  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>& each) override {
    std::vector<SourceRow::Membership> memberships;
    for (const auto& row : rows) {
      memberships.clear();
      for (const auto& one : row.memberships) {
        memberships.push_back({one.membership_namespace, one.audience, one.status});
      }
      SourceRow out;
      out.person = row.person;
      out.memberships = &memberships;
      TRY(each(out));
    }
    return rows.size();
  }
};

}  // namespace audiencesync::testing
