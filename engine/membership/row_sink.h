#pragma once

#include <stop_token>
#include <string>

#include "engine/membership/local_memberships.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/person_source.h"
#include "engine/membership/row_sorter.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// One thread's way from a source into its sorter: normalises people, counts who cannot be used. Whoever is in no
/// wanted audience is not sorted: to the comparison they are as good as absent. Unless everyone is asked for.
class RowSink final : public PersonSink {
 public:
  enum class Keep { Members, Everyone };

  /// `rows` must outlive this.
  RowSink(PersonRule rule, LocalMemberships::PersonHash hash, RowSorter& rows, Keep keep, std::stop_token stop)
      : rule_(rule), hash_(hash), rows_(rows), keep_(keep), stop_(std::move(stop)) {}

  /// Errors: Interrupted, NoSpace, Io.
  Result<void> add(const PersonBatch& batch) override;
  /// What could not be used.
  const DroppedRows& dropped() const { return dropped_; }

 private:
  /// Counts why the person of a row cannot be used.
  void count_problem(const PersonBatch& batch, const PersonBatch::Row& row, PersonProblem problem);
  void keep_sample(const PersonBatch& batch, std::uint64_t position, const char* reason, std::string_view person);

  PersonRule rule_;
  LocalMemberships::PersonHash hash_;
  RowSorter& rows_;
  Keep keep_;
  std::stop_token stop_;
  DroppedRows dropped_;
  std::uint64_t asked_ = 0;
  std::string space_;
  Ranks audiences_;
};

}  // namespace audiencesync
