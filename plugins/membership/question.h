#pragma once

#include <optional>
#include <string>

#include "engine/membership/memberships.h"
#include "engine/plugin/context.h"

namespace audiencesync {

/// What is to be compared with what.
struct Question {
  RelationSpec spec;
  std::vector<std::string> batches;       // of the export, or the id of `files`
  std::vector<Path> files;                // on this machine, to be read where they are; empty: batches are fetched
  std::optional<std::uint64_t> profiles;  // rows the export job counted; fewer read means a truncated input
  std::optional<SnapshotRecord> current;  // proven; nullopt: nothing is in the dataset yet
  bool rewrite = false;                   // see BaseRef::rewrite
  std::optional<Digest> restore;          // see SourceRef::restore
};

/// The difference, from the answer kept in the work folder when it still fits, else by fetching and reading the export.
///
/// Once the difference of an export was committed, the same export differs in nothing: that needs no reading either.
/// Errors: Corrupt when fewer rows are read than the export counted.
Result<Bulk> compare_memberships(const Question& question, ReadContext& context);

/// The comparison kept in a work folder, if there is a readable one: its files must not be cleaned away.
std::optional<Bulk> kept_comparison(const Files& files, const Path& work);

}  // namespace audiencesync
