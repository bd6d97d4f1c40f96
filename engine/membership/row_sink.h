#pragma once

#include <stop_token>
#include <string>

#include "engine/membership/local_memberships.h"
#include "engine/membership/person_source.h"
#include "engine/membership/row_sorter.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// One thread's way from a source into its sorter: normalises people, counts who cannot be used. Whoever is in no
/// wanted audience is not sorted: to the comparison they are as good as absent.
class RowSink final : public PersonSink {
 public:
  /// `rows` must outlive this.
  RowSink(PersonRule rule, LocalMemberships::PersonHash hash, RowSorter& rows, std::stop_token stop)
      : rule_(rule), hash_(hash), rows_(rows), stop_(std::move(stop)) {}

  /// Errors: Interrupted, NoSpace, Io.
  Result<void> add(const PersonBatch& batch) override;
  /// Adds what was counted.
  void add_to(DroppedRows& dropped) const;

 private:
  Result<void> add_row(std::string_view person, Rank* first, Rank* last);

  PersonRule rule_;
  LocalMemberships::PersonHash hash_;
  RowSorter& rows_;
  std::stop_token stop_;
  DroppedRows dropped_;
  std::uint64_t asked_ = 0;
  std::string space_;
  Ranks audiences_;
};

}  // namespace audiencesync
