#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/membership/audience_matcher.h"
#include "engine/membership/local_memberships.h"
#include "engine/membership/person_source.h"
#include "engine/membership/row_sink.h"
#include "engine/membership/row_sorter.h"
#include "engine/model/bulk.h"

namespace audiencesync {

/// Where and within what an export is sorted.
struct SortingPlace {
  Files& files;
  Path folder;       // for sorted runs that do not fit into the budget
  std::string name;  // their names begin with it; no two sortings of a folder share one
  MemoryBudget budget;
  std::size_t cores = 1;
  LocalMemberships::PersonHash hash;
};

/// Everyone of an export who is in a wanted audience, sorted, as one sorter for each thread that read.
using SortedSource = std::vector<std::unique_ptr<RowSorter>>;

/// A range of people, each once. Both must outlive it.
std::unique_ptr<RowStream> sorted_stream(const SortedSource& source, const HashRange& range, RunScratch& scratch);

/// Reads export files on all cores. Rows that cannot be used are counted in `dropped`.
/// Errors: those of the source; Interrupted, NoSpace, Io.
Result<SortedSource> sort_source(const SortingPlace& place, PersonSource& source, const std::vector<Path>& paths,
                                 const RelationSpec& spec, const std::vector<Rank>& targets, std::size_t dictionary,
                                 DroppedRows& dropped, std::stop_token stop,
                                 RowSink::Keep keep = RowSink::Keep::Members);

}  // namespace audiencesync
