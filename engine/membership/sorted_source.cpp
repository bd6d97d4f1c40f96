#include "engine/membership/sorted_source.h"

#include <fmt/format.h>

#include "engine/membership/row_sink.h"
#include "engine/membership/workers.h"

namespace audiencesync {

std::unique_ptr<RowStream> sorted_stream(const SortedSource& source, const HashRange& range, RunScratch& scratch) {
  std::vector<const RowSorter*> sorters;
  for (const auto& one : source) sorters.push_back(one.get());
  return RowSorter::stream(sorters, range, scratch);
}

Result<SortedSource> sort_source(const SortingPlace& place, PersonSource& source, const std::vector<Path>& paths,
                                 const RelationSpec& spec, const std::vector<Rank>& targets, std::size_t dictionary,
                                 DroppedRows& dropped, std::stop_token stop, RowSink::Keep keep) {
  const AudienceMatcher matcher(spec, targets);
  const auto lanes = source.lanes(place.cores);
  // Several threads may spill at once, and none of them should find the folder half made.
  if (lanes > 1) TRY(place.files.make_folder(place.folder));
  SortedSource sorters;
  std::vector<std::unique_ptr<RowSink>> sinks;
  std::vector<PersonSink*> sinks_of_lanes;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    sorters.push_back(std::make_unique<RowSorter>(place.files, place.folder, fmt::format("{}-{}", place.name, lane),
                                                  MemoryBudget{place.budget.bytes / lanes}, dictionary, place.hash));
    sinks.push_back(std::make_unique<RowSink>(spec.person, place.hash, *sorters.back(), keep, stop));
    sinks_of_lanes.push_back(sinks.back().get());
  }
  TRY(source.read_batches(paths, {spec.identity_field, spec.identity_namespace}, matcher, sinks_of_lanes));
  for (const auto& sink : sinks) dropped.add(sink->dropped());
  // Each thread of the merge has every run open, and a quarter of the budget is for that.
  const auto streams = place.budget.bytes / 4 / (place.cores * sorters.front()->block_bytes());
  TRY(run_workers(lanes, [&](std::size_t lane) { return sorters[lane]->finish(streams / lanes); }));
  return sorters;
}

}  // namespace audiencesync
