#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/membership/dictionary.h"
#include "engine/membership/read_back.h"
#include "engine/membership/relation_spec.h"
#include "engine/membership/row_sorter.h"
#include "engine/membership/target_source.h"

namespace audiencesync {

/// A person as the newest of their records says.
struct DatasetPerson {
  std::uint64_t hash = 0;
  std::string person;
  std::int64_t generation = 0;
  Ranks audiences;  // of DatasetRows::dictionary()
};

/// What a dataset is read as.
struct DatasetMeaning {
  const RelationSpec& spec;  // how a record of ours looks; its layout is that of the newest full generation
  /// Generations below it no longer count, 0 when that is not known: without tombstones only this says who is gone.
  std::int64_t oldest_generation = 0;
};

/// The records of a dataset, reduced to one of each person, sorted as a snapshot is.
///
/// First `read`, then `next` until it is false. Records are sorted by person and then generation, on disk where they
/// do not fit, so the memory is that of the budget whatever the dataset.
class DatasetRows {
 public:
  using PersonHash = std::uint64_t (*)(std::string_view);

  /// Temporary files are made in `folder` under names that begin with `name`. References must outlive this.
  DatasetRows(Files& files, Path folder, std::string name, MemoryBudget budget, PersonHash hash);

  /// Errors: those of the source and of `files`; Corrupt for a record whose list is not as long as its count says;
  /// Interrupted.
  Result<void> read(const DatasetMeaning& meaning, TargetSource& source, const TargetFiles& files,
                    std::stop_token stop);

  /// All audiences, under every name they were written with. After `read`.
  const Dictionary& dictionary() const { return dictionary_; }
  const RecordCounts& counts() const { return counts_; }
  /// Of which shape (RelationSpec::shape) the records of the highest generation are. After `read`.
  const std::string& shape() const { return shape_; }

  /// False at the end. Sorted by (hash, person); each person once.
  Result<bool> next(DatasetPerson& person);

 private:
  Result<void> add(const DatasetMeaning& meaning, const TargetFile& file, const TargetRow& row);
  void look_at_shape(const RelationSpec& spec, std::int64_t generation, const TargetRow& row);
  bool is_gone(const DatasetPerson& person) const;
  Result<bool> next_known(DatasetPerson& person);
  bool has_our_id(const RelationSpec& spec, const TargetRow& row);
  Result<Rank> number_of(const TargetRow::Membership& membership);
  Result<void> start_merge();

  PersonHash hash_;
  std::size_t most_streams_;
  RowSorter sorter_;
  RecordCounts counts_;
  std::string shape_;
  std::int64_t shape_of_ = 0;  // the generation that it is of
  bool without_tombstones_ = false;
  std::int64_t oldest_generation_ = 0;
  std::set<PersonId> rejected_;
  std::uint64_t sequence_ = 0;                     // of the record
  std::unordered_map<std::string, Rank> numbers_;  // by id and name
  std::vector<DictionaryEntry> entries_;           // by number
  Dictionary dictionary_;
  std::vector<Rank> ranks_;  // by number
  RunScratch scratch_;
  std::unique_ptr<RowStream> merge_;
  const DesiredRow* row_ = nullptr;
  std::string key_, salted_, space_;
  Ranks set_;
};

}  // namespace audiencesync
