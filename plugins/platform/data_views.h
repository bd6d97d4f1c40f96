#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

struct DataView {
  std::string id;  // dv_...
  std::string name;
  std::string connection;          // dg_... of the connection it looks at
  std::string external_id;         // "External ID" of the user interface; ours says which sync made it
  std::string time_zone;           // as declared: Europe/Berlin
  std::optional<Duration> offset;  // of that time zone from UTC now, when the platform tells
  std::string version;             // when it was last changed, "" when the platform does not tell
  std::optional<Time> created;
  bool deleted = false;
  Value document;  // everything the platform said, to be written back whole
};

/// Data views of one connection, by id; of all connections when `connection` is empty. Read past the platform's cache.
Result<std::vector<DataView>> data_views_of(http::ReadClient& client, const std::string& connection);
/// nullopt when there is none of that id, or it was deleted.
Result<std::optional<DataView>> get_data_view(http::ReadClient& client, const std::string& id);
/// Data views of a connection with this external id, oldest first.
Result<std::vector<DataView>> data_views_marked(http::ReadClient& client, const std::string& connection,
                                                const std::string& external_id);

struct NewDataView {
  std::string name;
  std::string description;
  std::string connection;
  std::string external_id;
  std::string time_zone = "UTC";
};

/// Asks the platform whether it would take such a data view. Errors: Rejected with its words when not.
Result<void> validate_data_view(http::ReadClient& client, const NewDataView& view);
/// Makes a data view and gives its id. Not repeatable: names are not unique. Errors: Unknown when it may exist.
Result<std::string> create_data_view(http::WriteClient& client, const NewDataView& view);
/// Renames it and writes everything else back as it was read: a PUT may replace the whole.
Result<void> rename_data_view(http::WriteClient& client, const DataView& view, const std::string& name);

DataView data_view_from(const Value& value);

}  // namespace audiencesync::platform
