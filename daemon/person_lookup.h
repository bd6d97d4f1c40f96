#pragma once

#include <stop_token>
#include <string>

#include "daemon/adapters.h"
#include "daemon/explanation.h"
#include "engine/manifest/settings.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Finds a person in a snapshot. Reads beside a running apply; cost: the few blocks that may hold the person.
/// Errors: NotFound, Corrupt with the path.
Result<PersonInSnapshot> find_in_snapshot(const Files& files, const Path& snapshot, const PersonId& person);

/// Whose export is to be read, from the canonical manifest of the last run.
struct ExportQuestion {
  Value manifest;  // canonical
  std::string batches;
  PersonId person;  // normalised
  Path folder;      // scratch, removed afterwards
};

/// Finds a person in the files of export batches, one file after the other; nothing of them stays on the disk.
///
/// Talks to the platform, reads only. Cost: the whole export is downloaded and read.
/// Errors: those of the credential and the client; NotFound when the batches are no longer there.
Result<PersonInExport> find_in_export(const Adapters& adapters, const Settings& settings,
                                      const ExportQuestion& question, std::stop_token stop);

/// The person rule that identity.normalize of a canonical manifest names.
PersonRule person_rule_of(const Value& manifest);

}  // namespace audiencesync
