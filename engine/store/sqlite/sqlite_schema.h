#pragma once

#include "engine/store/sqlite/sqlite_database.h"

namespace audiencesync {

/// Brings the tables to this version, one transaction for each step, or checks them where we may only read.
///
/// Errors: Unsupported when a newer version wrote them, or an older one and we may only read; Corrupt when they are
/// not ours or damaged; NotFound when we may only read and there are none yet.
/// Cost: reads the whole file once when it may write (a damaged page is found before anything builds on it).
Result<void> prepare_schema(SqliteDatabase& database, OpenMode mode);

/// Brings the tables no further than to an older version, for tests of what that left behind.
Result<void> migrate_to(SqliteDatabase& database, std::int64_t version);

/// Of the tables this version reads and writes (`user_version`).
std::int64_t schema_version();

}  // namespace audiencesync
