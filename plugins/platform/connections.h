#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// How far what was in a dataset before it joined a connection has been read into it.
struct Backfills {
  std::int64_t completed = 0;
  std::int64_t in_progress = 0;  // or queued
  std::int64_t failed = 0;
};

/// A dataset as a connection holds it.
struct ConnectedDataset {
  std::string id;
  std::string name;
  std::string type;                        // lower case: event, profile, lookup, summary
  std::string person_id;                   // dotted path of the field, "" with the identity map
  std::string identity_namespace;          // code, case kept
  bool identity_map = false;               // the person id comes from the identity map instead of a field
  std::string key;                         // of a lookup: path of the field that identifies its rows
  std::vector<std::string> matching_keys;  // of a lookup: paths of the fields that name such a row
  bool streaming = false;                  // new data are imported
  std::optional<Time> streaming_since;
  Backfills backfills;
};

/// What a connection itself holds against one of its datasets.
struct ConnectionProblem {
  std::string code;     // MISSING_FIELD, NAMESPACE_UNAVAILABLE, ...
  std::string dataset;  // "" when it is about the connection
  std::string field;    // missing or not allowed, "" when it is about none
};

struct Connection {
  std::string id;  // dg_...
  std::string name;
  std::string sandbox;
  std::string primary_id;  // lower case: person, account
  bool deleted = false;
  bool disabled = false;
  std::vector<ConnectedDataset> datasets;
  std::vector<ConnectionProblem> problems;
};

/// Connections that hold this dataset, by id. Read past the platform's cache.
Result<std::vector<Connection>> connections_with(http::ReadClient& client, const std::string& dataset);
/// All connections that the account may see, by id; with every dataset of theirs, so it costs more.
Result<std::vector<Connection>> all_connections(http::ReadClient& client);

Connection connection_from(const Value& value);

}  // namespace audiencesync::platform
