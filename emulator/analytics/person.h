#pragma once

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// What only a person can do, in the user interface: `POST /_emulator/person {"do":...}`. Every refusal is a 400 that
/// says why.
class Person {
 public:
  explicit Person(Platform& platform) : platform_(platform) {}

  void add_routes(Router& router);

  /// A new connection without data sets; answers its id. Needs the objects locked.
  std::string create_connection(const std::string& name);
  /// As the action of that name, with its members. Needs the objects locked.
  Json add_dataset(const Json& action);
  Json add_component(const Json& action);

 private:
  Json act(const Json& action);
  Json remove_dataset(const Json& action);
  Json set_dataset(const Json& action);
  Json start_backfill(const Json& action);
  Json remove_component(const Json& action);
  Json change_component(const Json& action);
  Json rename_data_view(const Json& action);
  Json rename_connection(const Json& action);
  Json delete_connection(const Json& action);
  Json configure_audience_analysis(const Json& action);

  Json connection_of(const Json& action) const;
  Json data_view_of(const Json& action) const;
  void set_person_id(Json& data_set, const Json& action) const;
  void add_backfill(Json& data_set);

  Platform& platform_;
};

}  // namespace emulator
