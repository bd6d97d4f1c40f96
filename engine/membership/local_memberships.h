#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/base/files.h"
#include "engine/membership/comparison.h"
#include "engine/membership/memberships.h"
#include "engine/membership/person_source.h"
#include "engine/membership/row_sorter.h"

namespace audiencesync {

/// The membership engine on this machine: one pass over the export, one over the snapshot, nothing proportional to the
/// people in memory, both passes on all cores.
///
/// Files of its folder: `snapshot-<digest>`, `changes-<digest>`, `delta-<digest>` (docs/formats) and `tmp/`, which is
/// emptied when this is built, so one object at a time may use a folder (the state lock sees to that). All files hold
/// person ids.
class LocalMemberships final : public Memberships {
 public:
  /// How people are ordered. Only tests that force collisions give another one than person_hash.
  using PersonHash = std::uint64_t (*)(std::string_view);

  LocalMemberships(Files& files, PersonSource& source, Path folder, MemoryBudget budget = {});
  LocalMemberships(Files& files, PersonSource& source, Path folder, MemoryBudget budget, PersonHash hash);

  /// Who reads the records of a target dataset; must outlive this. Without one, nothing can be read back.
  void read_targets_with(TargetSource& targets) { targets_ = &targets; }
  /// What makes upload files of other formats than JSON lines; outlives this. Without it they are Unsupported.
  void use_converter(RecordConverter& converter) { converter_ = &converter; }

  Result<Bulk> compare(const RelationSpec& spec, const SourceRef& source, const BaseRef& base,
                       std::stop_token stop) override;
  Digest question(const RelationSpec& spec, const SourceRef& source, const BaseRef& base) const override;
  /// Changeset read and checked, candidate opened: cost is that of the change, not of the people.
  bool holds(const Bulk& bulk) const override;
  Result<Upload> encode(const RelationSpec& spec, const Bulk& bulk, const EncodeOptions& options, const Path& folder,
                        std::stop_token stop) override;
  Result<std::vector<ChangedRow>> sample(const Bulk& bulk, std::size_t most) override;
  Result<std::unique_ptr<MemberReader>> members(const Digest& snapshot) override;
  Result<std::vector<AudiencePeople>> people(const Digest& snapshot) override;
  Result<std::string> shape(const Digest& snapshot) override;
  Result<std::uint64_t> holders(const Digest& snapshot) override;
  Result<void> check(const Digest& snapshot) override;
  Result<ReadBack> read_back(const RelationSpec& spec, const TargetFiles& files, std::int64_t oldest_generation,
                             std::stop_token stop) override;
  Result<RowCheck> check_rows(const RelationSpec& spec, const TargetFiles& files, const Digest& snapshot,
                              const RowCheckOptions& options, std::stop_token stop) override;
  Result<KeptDelta> keep_delta(const DeltaRequest& request, std::stop_token stop) override;
  Result<std::unique_ptr<PastMembers>> past(const PastRef& past) override;
  Result<Digest> recall(const PastRef& past, std::stop_token stop) override;
  Result<Digest> erase(const Digest& delta, const Forgotten& people, std::stop_token stop) override;
  std::optional<std::uint64_t> delta_bytes(const Digest& delta) const override;
  Result<void> clean(const std::set<Digest>& keep) override;

 private:
  using Sorters = std::vector<std::unique_ptr<RowSorter>>;
  Result<Sorters> read_source(const RelationSpec& spec, const SourceRef& source, const ComparisonScope& scope,
                              DroppedRows& dropped, std::stop_token stop);
  Result<void> convert(const RelationSpec& spec, Upload& upload);
  Result<Digest> write_smaller_candidate(const EncodeOptions& options, const Bulk& bulk, std::stop_token stop);
  Result<std::unique_ptr<class DatasetRows>> read_target(const struct DatasetMeaning& meaning, const TargetFiles& files,
                                                         std::stop_token stop);
  Path work_path(std::string_view name);

  Files& files_;
  PersonSource& source_;
  TargetSource* targets_ = nullptr;
  Path folder_;
  MemoryBudget budget_;
  PersonHash hash_;
  RecordConverter* converter_ = nullptr;
  std::size_t cores_;
  std::atomic<std::uint64_t> work_number_{0};
};

}  // namespace audiencesync
