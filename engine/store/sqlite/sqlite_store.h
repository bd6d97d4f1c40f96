#pragma once

#include <memory>

#include "engine/store/sqlite/sqlite_database.h"
#include "engine/store/store.h"

namespace audiencesync {

/// The store in one SQLite file, private to the user (0600, its folder 0700 when made here).
///
/// ReadWrite makes the file and its folder when absent and migrates older versions; the caller holds the state lock.
/// ReadOnly works beside a writer of another process and sees what was committed last; its mutating calls are Internal.
/// Errors: NotFound (ReadOnly, nothing there yet), Corrupt, Unsupported (a newer version wrote it), NoSpace, Io.
Result<std::unique_ptr<Store>> open_sqlite_store(const Path& file, OpenMode mode);

/// A copy of the state as it was committed last, for somebody who may do with it what they like; beside a writer.
/// `to` must not exist. Errors: NotFound when there is no state yet; as above.
Result<void> copy_sqlite_store(const Path& from, const Path& to);

}  // namespace audiencesync
