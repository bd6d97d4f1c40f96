#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "emulator/data/lake.h"

namespace emulator {

// A connection is an object of kind "analytics_connection" by its id `dg_<uuid>`: the read model of the API, plus
// `_emulator` in it and in each of its data sets with what only we need. Everything here needs the objects locked.

inline constexpr const char* kConnectionKind = "analytics_connection";

/// `dg_<uuid>` for an id written with or without the prefix.
std::string connection_key(const std::string& id);
/// The connection; null when there is none.
const Json* find_connection(const Platform& platform, const std::string& id);
/// The data set in a connection; null when it does not hold it.
const Json* find_data_set(const Json& connection, const std::string& dataset);
/// Keeps a changed connection and its new date.
void store_connection(Platform& platform, Json connection);

enum class Delays { Wait, Ignore };  // of the way from the lake to Analytics

/// When the rows of a batch are in a connection that holds its dataset so; nullopt: never, as things stand.
///
/// A batch comes by itself when new data were imported at the moment it became readable; older ones come with a
/// backfill. After a change of the person id everything is read again.
std::optional<std::int64_t> arrival(const Settings& settings, const Json& data_set, const Json& batch, Delays delays);

/// IN_QUEUE, IN_PROGRESS or COMPLETED, by the clock.
std::string backfill_status(const Json& backfill, std::int64_t now);

/// One batch whose rows a connection has taken in.
struct HeldBatch {
  std::string id;
  std::int64_t finished = 0;
  std::vector<std::filesystem::path> parts;
  bool withdrawn = false;  // gone from the lake since, and that is known here
};

/// The batches of a data set that are in the connection by now, oldest first; with `Delays::Ignore` those that will be.
std::vector<HeldBatch> held_batches(const Platform& platform, Lake& lake, const Json& data_set, Delays delays);

}  // namespace emulator
