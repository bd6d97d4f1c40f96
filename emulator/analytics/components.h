#pragma once

#include <optional>

#include "emulator/analytics/answers.h"
#include "emulator/analytics/held_rows.h"
#include "emulator/data/lake.h"
#include "emulator/data/world.h"

namespace emulator {

// What a report can be asked for. A data view carries its own components in `_emulator.components`; the standard ones
// are in every view. One is {"id","name","kind","dataset","path","type","title","container","rest","many","delimiter",
// "include"}: `dataset` is null for a field of the events, `path` is null for a standard one.

inline constexpr const char* kDataViewKind = "analytics_data_view";
inline constexpr const char* kPersonIdDimension = "variables/adobe_personid";

enum class ComponentKind { Dimension, Metric };

/// Own and standard components of a data view, in the order of their ids.
std::vector<Json> components_of(const Json& data_view, ComponentKind kind);
/// One of them by its whole id or without "variables/" or "metrics/"; nullopt when there is none.
std::optional<Json> find_component(const Json& data_view, ComponentKind kind, const std::string& id);
/// Whether each event adds something to the metric: own metrics of events, and their count.
bool is_metric_of_events(const Json& component);
/// Whether access control forbids a component of a data view, written with its prefix or without.
bool component_denied(const Settings& settings, const Json& data_view, const Json& component);
/// The data view, or a 404 as the service says it. Needs the objects locked.
const Json& known_data_view(const Platform& platform, const std::string& id);

/// Dimensions and metrics of data views as the API shows them; only a person changes them.
class Components {
 public:
  Components(Platform& platform, Lake& lake, World& world, HeldRows& rows)
      : platform_(platform), lake_(lake), world_(world), rows_(rows) {}

  void add_routes(AnalyticsRoutes& routes);

 private:
  Response list(const Request& request, ComponentKind kind);
  Response one(const Request& request, ComponentKind kind);
  Json shown(const Expansion& expansion, const Json& data_view, const Json& component) const;
  bool has_data(const Json& connection, const Json& component) const;

  Platform& platform_;
  Lake& lake_;
  World& world_;
  HeldRows& rows_;
};

}  // namespace emulator
