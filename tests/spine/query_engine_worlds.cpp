#include "tests/spine/query_engine_worlds.h"

#include <set>
#include <sstream>

#include "engine/base/json.h"

namespace audiencesync::testing {

void be_patient(World& world) {
  auto settings = read_file(world.emulator().config());
  for (const std::string deadline : {"deadline_export: 5s", "deadline_batch: 5s"}) {
    const auto at = settings.find(deadline);
    ASSERT_NE(at, std::string::npos) << deadline;
    settings.replace(at + deadline.size() - 2, 2, "90s");
  }
  write_file(world.emulator().config(), settings);
}

std::map<std::string, std::string> newest_records(World& world) {
  std::istringstream lines(world.emulator().control_text("GET", "/_emulator/datasets/" + world.target() + "/rows"));
  std::map<std::string, std::pair<std::int64_t, std::string>> newest;
  for (std::string line; std::getline(lines, line);) {
    const auto row = parse_json(line).value();
    const auto* ours = row.find(world.emulator().tenant());
    std::set<std::string> audiences;
    for (const auto& one : ours->items("audienceMembership"))
      audiences.insert(one.text("audienceMembershipId") + "=" + one.text("audienceMembershipName"));
    const auto generation = ours->number("audienceSyncGeneration").value_or(-1);
    auto& known = newest[row.text("personID")];
    if (generation <= known.first) continue;
    known = {generation, fmt::format("{} {} {}", row.text("_id"), ours->number("audienceMembershipCount").value_or(-1),
                                     fmt::join(audiences, ","))};
  }
  std::map<std::string, std::string> out;
  for (const auto& [person, record] : newest) out[person] = record.second;
  return out;
}

std::vector<Value> queries_posted_by_syncs(World& world) {
  const auto answer = world.emulator().api("GET", "/data/foundation/query/queries?limit=100&orderby=-created");
  std::vector<Value> posted;
  for (const auto& query : answer.items("queries"))
    if (query.text("effectiveSQL").find("-- audiencesync ") == 0) posted.push_back(query);
  return posted;
}

BothEngines::BothEngines(int seed) : local(small_lake(seed)), query(small_lake(seed)) {
  both(be_patient);
  extra("");
}

void BothEngines::extra(const std::string& lines) {
  local.extra = lines;
  query.extra = "engine: query-service\n" + lines;
}

void BothEngines::control(const std::string& method, const std::string& path, const std::string& body) {
  both([&](World& world) { world.emulator().control(method, path, body); });
}

}  // namespace audiencesync::testing
