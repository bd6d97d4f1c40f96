#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "engine/base/files.h"
#include "engine/membership/forgotten.h"
#include "engine/membership/memberships.h"
#include "engine/store/store.h"

namespace audiencesync {

/// Where a sync keeps people, beside what the engine has of them.
struct SyncPlace {
  std::string uid;
  std::string relation;
  Path work;  // of its runs
};

/// What was taken out of the local state.
struct Erased {
  std::size_t quarantined = 0;  // records of the quarantine
  bool unfinished = false;      // an interrupted run still needs its files; they go at the end of the next one
};

/// Puts the list in force: from here on those on it stay out of every comparison, and what this sync keeps of them
/// beside the current snapshot is to be erased. Killed in between, nothing has happened yet but an erasure of nobody.
Result<void> keep_out(Store& store, const SyncPlace& place, const Forgotten& people);

/// Whether something of the people on the list may still have to be erased.
Result<bool> must_erase(const Records& records, const SyncPlace& place);

/// Takes the people on the list out of history, quarantine, work files, and every file of the engine but the current
/// snapshot: the record that ends their memberships is made from that, and the commit of it leaves them out. Safe to
/// repeat, and repeated at the end of runs until it was done. Errors: Io, NoSpace, Interrupted.
Result<Erased> erase_forgotten(Memberships& memberships, Store& store, Files& files, const SyncPlace& place,
                               std::stop_token stop);

}  // namespace audiencesync
