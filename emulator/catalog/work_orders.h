#pragma once

#include "emulator/catalog/row_eraser.h"
#include "emulator/data/worker.h"
#include "emulator/data/world.h"
#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// Record deletes of data hygiene, /data/core/hygiene/workorder. A work order is an object of kind "work_order".
///
/// Its status moves on by the clock and its rows go `hygiene_delay` after it was made: from the batches of its dataset,
/// or of all that name people ("ALL"), and then the people themselves from the profile store. What an order asks for
/// is forgotten when it is done; only how many identities it had stays, for the quotas.
class WorkOrders {
 public:
  WorkOrders(Platform& platform, World& world, Lake& lake, Worker& worker);

  void add_routes(Router& router);
  /// Takes up the orders that a stopped process left unfinished.
  void resume();

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response change(const Request& request);

  const Json& known(const Request& request) const;
  Json shown(const Json& order) const;
  /// Where the rows of a dataset name people; nullopt where they do not. Needs the objects locked.
  std::optional<IdentityPlaces> places_of(const Json& dataset) const;
  void spend(std::uint64_t identities) const;
  void schedule(const std::string& id, const Json& order);
  void finish(const std::string& id);
  void erase_rows(const std::string& dataset, const IdentityPlaces& places, RowEraser& eraser);

  Platform& platform_;
  World& world_;
  Lake& lake_;
  Worker& worker_;
};

/// How many identities record deletes asked for since a moment. Needs the objects locked.
std::uint64_t identities_since(const Platform& platform, std::int64_t since_ms);
/// The midnight, and the first midnight of the month, before that moment; GMT.
std::int64_t day_begin(std::int64_t now_ms);
std::int64_t month_begin(std::int64_t now_ms);

/// Identities that may be deleted a day; and a month, of a base of so many profiles.
inline constexpr std::uint64_t kDailyIdentities = 1'000'000;
std::uint64_t monthly_identities(std::uint64_t profiles);

}  // namespace emulator
