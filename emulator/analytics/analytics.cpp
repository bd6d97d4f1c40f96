#include "emulator/analytics/analytics.h"

#include "emulator/analytics/audit_log.h"
#include "emulator/analytics/calculated_metrics.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/connection_model.h"
#include "emulator/analytics/connections.h"
#include "emulator/analytics/data_views.h"
#include "emulator/analytics/date_ranges.h"
#include "emulator/analytics/events.h"
#include "emulator/analytics/held_people.h"
#include "emulator/analytics/person.h"
#include "emulator/analytics/reports.h"
#include "emulator/analytics/segment_routes.h"
#include "emulator/analytics/tags.h"
#include "emulator/analytics/users.h"

namespace emulator {

struct Analytics::Parts {
  Parts(Platform& shared, DataPlane& data)
      : platform(shared),
        limit(shared),
        rows(data.world().database()),
        connections(shared, data.lake()),
        data_views(shared, data.world()),
        components(shared, data.lake(), data.world(), rows),
        reports(shared, data.lake(), data.world(), rows),
        segments(shared),
        metrics(shared),
        world(data.world()),
        lake(data.lake()),
        person(shared) {}

  Platform& platform;
  AnalyticsLimit limit;
  HeldRows rows;
  Connections connections;
  DataViews data_views;
  Components components;
  Reports reports;
  SegmentRoutes segments;
  CalculatedMetrics metrics;
  World& world;
  Lake& lake;
  Person person;
};

Analytics::Analytics(Platform& platform, DataPlane& data, std::uint64_t events)
    : parts_(std::make_unique<Parts>(platform, data)) {
  data.lake().keeps_withdrawn = [&platform](const std::string& dataset) {
    for (const auto& [id, connection] : platform.objects.all(kConnectionKind))
      if (find_data_set(connection, dataset) != nullptr) return true;
    return false;
  };
  const auto lock = platform.objects.lock();
  if (platform.objects.find("world", "analytics") != nullptr) return;
  const std::string dataset = seed_event_dataset(platform);
  invent_events(platform, data.lake(), data.world(), dataset, events);
  const std::string connection = parts_->person.create_connection("Luma web");
  parts_->person.add_dataset({{"connection", connection}, {"dataset", dataset}});
  const std::string view = parts_->data_views.make(
      {{"name", "Luma analysis"}, {"parentDataGroupId", connection}, {"timezoneDesignator", "Etc/UTC"}});
  parts_->person.add_component({{"data_view", view}, {"path", "web.webPageDetails.name"}, {"name", "Page"}});
  platform.objects.put(
      "world", "analytics",
      {{"event_dataset", dataset}, {"connection", connection}, {"data_view", view}, {"events", events}});
}

Analytics::~Analytics() = default;

void Analytics::add_routes(Router& router) {
  AnalyticsRoutes routes(router, parts_->limit);
  parts_->connections.add_routes(routes);
  parts_->data_views.add_routes(routes);
  parts_->components.add_routes(routes);
  parts_->reports.add_routes(routes);
  parts_->segments.add_routes(routes);
  parts_->metrics.add_routes(routes);
  add_date_range_routes(routes, parts_->platform);
  add_project_routes(routes, parts_->platform);
  add_tag_routes(routes, parts_->platform);
  add_share_routes(routes, parts_->platform);
  add_audit_log_routes(routes, parts_->platform);
  add_user_routes(routes, parts_->platform);
  parts_->person.add_routes(router);
  add_held_people(router, parts_->platform, parts_->lake, parts_->world, parts_->rows);
}

Json Analytics::seeded() const {
  const auto lock = parts_->platform.objects.lock();
  return *parts_->platform.objects.find("world", "analytics");
}

}  // namespace emulator
