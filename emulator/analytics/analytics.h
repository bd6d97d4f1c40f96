#pragma once

#include <memory>

#include "emulator/data/data_plane.h"

namespace emulator {

/// Customer Journey Analytics: connections, data views and their components, segments, reports, and the person who
/// clicks where no API reaches.
///
/// Built after the data plane, before the router serves; outlives it. In a new world it makes the dataset of web events
/// with `events` rows, one connection that holds it and one data view on that. Thread-safe.
class Analytics {
 public:
  Analytics(Platform& platform, DataPlane& data, std::uint64_t events);
  ~Analytics();

  void add_routes(Router& router);

  /// Ids of what the world began with, for the ready file: "connection", "data_view", "event_dataset".
  Json seeded() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
