#pragma once

#include "engine/store/sqlite/sqlite_database.h"

namespace audiencesync {

/// Brings the tables to this version, one transaction for each step, or checks them where we may only read.
///
/// Errors: Unsupported when a newer version wrote them, or an older one and we may only read; Corrupt when they are
/// not ours or damaged; NotFound when we may only read and there are none yet.
/// Cost: reads the whole file once when it may write (a damaged page is found before anything builds on it).
Result<void> prepare_schema(SqliteDatabase& database, OpenMode mode);

/// Of the tables this version reads and writes (`user_version`).
std::int64_t schema_version();

}  // namespace audiencesync
