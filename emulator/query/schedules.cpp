#include "emulator/query/schedules.h"

#include <algorithm>
#include <deque>

#include "emulator/data/errors.h"
#include "emulator/query/cron.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr const char* kSchedulePath = "/data/foundation/query/schedules";
constexpr const char* kScheduleKind = "query_schedule";
constexpr const char* kRunKind = "query_run";
constexpr std::size_t kMostMadeUp = 100;

const QueryListing& schedule_listing() {
  static const QueryListing kListing{
      "schedules",
      kSchedulePath,
      {{"created", "> < >= <= == !="}, {"templateId", "=="}, {"userId", "=="}, {"state", "== !="}},
      {"created", "updated"},
      QueryListing::Links::Texts};
  return kListing;
}

/// The platform's ids of runs are the moment in base 64.
std::string run_id(std::int64_t when, bool by_call) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::string text = (by_call ? "manual__" : "scheduled__") + iso8601(when);
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += kDigits[(bits >> static_cast<unsigned>(held - 6)) & 63U];
  }
  if (held > 0) out += kDigits[(bits << static_cast<unsigned>(6 - held)) & 63U];
  return out;
}

std::int64_t time_of(const Json& terms, const char* field, std::int64_t otherwise) {
  if (!terms.contains(field) || terms[field].is_null()) return otherwise;
  const std::string text = terms[field].is_string() ? terms[field].get<std::string>() : terms[field].dump();
  const auto time = parse_iso8601(text);
  if (!time)
    throw query_failure(
        400, std::string("schedule.") + field + ": '" + text + "' is no time; write it as 2026-01-08T12:30:00Z");
  return *time;
}

bool is_once(const Json& terms) { return terms.value("schedule", "") == "@once"; }

/// Throws HttpError 400 for terms that cannot be kept.
void check_terms(const Json& terms) {
  if (!terms.is_object() || terms.value("schedule", "").empty())
    throw query_failure(400, "schedule.schedule is required: a cron line or @once");
  if (!terms.contains("startDate")) throw query_failure(400, "schedule.startDate is required");
  std::string why;
  if (!is_once(terms) && !Cron::parse(terms["schedule"].get<std::string>(), why))
    throw query_failure(400, "schedule.schedule: " + why);
  const std::int64_t start = time_of(terms, "startDate", 0);
  if (time_of(terms, "endDate", INT64_MAX) < start)
    throw query_failure(400, "schedule.endDate is before the startDate");
  if (terms.contains("maxActiveRuns")) {
    const Json& most = terms["maxActiveRuns"];
    if (!most.is_number_integer() || most.get<std::int64_t>() < 1)
      throw query_failure(400, "schedule.maxActiveRuns: '" + most.dump() + "' is not a number from 1 on");
  }
}

/// The first time behind `after` at which these terms want a run.
std::optional<std::int64_t> due_after(const Json& terms, std::int64_t after) {
  const std::int64_t start = time_of(terms, "startDate", 0);
  const std::int64_t end = time_of(terms, "endDate", INT64_MAX);
  std::optional<std::int64_t> due;
  if (is_once(terms)) {
    due = start;
  } else {
    std::string why;
    if (const auto cron = Cron::parse(terms["schedule"].get<std::string>(), why))
      due = cron->next_after(std::max(after, start - 1));
  }
  if (due && *due > end) due.reset();
  return due;
}

Json shown_schedule(Json schedule) {
  const std::string self = std::string(kSchedulePath) + "/" + schedule.value("id", "");
  const auto patch = [&](const char* value) {
    const Json body{{"body", Json::array({{{"op", "replace"}, {"path", "/state"}, {"value", value}}})}};
    return Json{{"href", self}, {"method", "PATCH"}, {"body", body.dump()}};
  };
  schedule["_links"] = {{"self", {{"href", self}, {"method", "GET"}}},
                        {"enable", patch("enable")},
                        {"disable", patch("disable")},
                        {"delete", {{"href", self}, {"method", "DELETE"}}},
                        {"runs", {{"href", self + "/runs"}, {"method", "GET"}}},
                        {"trigger", {{"href", self + "/runs"}, {"method", "POST"}}}};
  schedule.erase("_emulator");
  return schedule;
}

Response accepted(const std::string& what) { return Response::json(202, {{"message", what}, {"statusCode", 202}}); }

}  // namespace

Schedules::Schedules(QueryCore core, Queries& queries, Worker& jobs) : core_(core), queries_(queries), jobs_(jobs) {
  // One run less: another may begin.
  queries_.on_end([this](const Json& query) {
    const std::string id = query.value("scheduleId", "");
    if (!id.empty()) jobs_.at(core_.platform.clock.now_ms(), [this, id] { pump(id); });
  });
}

void Schedules::add_routes(Router& router) {
  const std::string base = kSchedulePath;
  const std::string runs = base + "/{id}/runs";
  const auto add = [&](const char* method, const std::string& path, Response (Schedules::*call)(const Request&)) {
    router.add(method, path, checked([this, call](const Request& request) {
                 const auto lock = core_.platform.objects.lock();
                 return (this->*call)(request);
               }));
  };
  add("POST", base, &Schedules::create);
  add("GET", base, &Schedules::list);
  add("GET", base + "/{id}", &Schedules::one);
  add("PATCH", base + "/{id}", &Schedules::change);
  add("DELETE", base + "/{id}", &Schedules::remove);
  add("GET", runs, &Schedules::list_runs);
  add("POST", runs, &Schedules::start_run);
  add("GET", runs + "/{run}", &Schedules::one_run);
  add("PATCH", runs + "/{run}", &Schedules::change_run);
}

const Json& Schedules::known(const std::string& id) const {
  const Json* found = core_.platform.objects.find(kScheduleKind, id);
  if (found == nullptr) throw query_failure(404, "there is no schedule '" + id + "'");
  return *found;
}

const Json& Schedules::known_run(const Request& request) const {
  const std::string& id = request.parameter("id");
  known(id);
  const Json* found = core_.platform.objects.find(kRunKind, id + "/" + request.parameter("run"));
  if (found == nullptr)
    throw query_failure(404, "the schedule '" + id + "' has no run '" + request.parameter("run") + "'");
  return *found;
}

std::vector<Json> Schedules::runs_of(const std::string& schedule) const {
  std::vector<Json> out;
  const auto& all = core_.platform.objects.all(kRunKind);
  for (auto run = all.lower_bound(schedule + "/"); run != all.end() && run->first.starts_with(schedule + "/"); ++run)
    out.push_back(run->second);
  std::sort(out.begin(), out.end(), [](const Json& a, const Json& b) {
    return a["_emulator"]["number"].get<std::uint64_t>() < b["_emulator"]["number"].get<std::uint64_t>();
  });
  return out;
}

std::string Schedules::run_state(const Json& run) const {
  const Json& facts = run["_emulator"];
  if (facts.contains("failure")) return "FAILED";
  if (!facts.contains("query")) return "IN_PROGRESS";
  const Json* query = core_.platform.objects.find("query", facts["query"].get<std::string>());
  if (query == nullptr) return "FAILED";
  if (!Queries::is_over(*query)) return "IN_PROGRESS";
  return query->value("state", "") == "SUCCESS" ? "SUCCESS" : "FAILED";
}

Json Schedules::shown_run(const Json& run) const {
  Json shown = run;
  const std::string self =
      std::string(kSchedulePath) + "/" + run.value("scheduleId", "") + "/runs/" + run.value("id", "");
  shown["state"] = run_state(run);
  shown["_links"] = {{"self", {{"href", self}, {"method", "GET"}}},
                     {"cancel", {{"href", self}, {"method", "PATCH"}, {"body", R"({ "op": "cancel"})"}}}};
  shown.erase("_emulator");
  return shown;
}

/// The one task of a run: its query.
Json Schedules::tasks_of(const Json& run) const {
  const Json& facts = run["_emulator"];
  Json task{{"taskId", run["id"]}, {"state", run_state(run)}, {"message", ""}};
  if (facts.contains("failure")) task["message"] = facts["failure"];
  const Json* query =
      facts.contains("query") ? core_.platform.objects.find("query", facts["query"].get<std::string>()) : nullptr;
  if (query != nullptr) {
    task["startDate"] = (*query)["created"];
    if (Queries::is_over(*query)) {
      task["endDate"] = (*query)["updated"];
      task["duration"] = std::to_string(query->value("elapsedTime", std::int64_t{0}) / 1000);
      const Json& errors = (*query)["errors"];
      if (!errors.empty()) task["message"] = errors.front().value("message", "");
    }
  } else if (task["state"] == "IN_PROGRESS") {
    task["state"] = "QUEUED";
  }
  return Json::array({task});
}

Response Schedules::create(const Request& request) {
  const Json body = json_body(request, query_failure(400, "the body is not JSON"));
  if (!body.is_object() || !body.contains("query") || !body.contains("schedule"))
    throw query_failure(400, "query and schedule are required");
  queries_.check(body["query"]);
  check_terms(body["schedule"]);
  Platform& platform = core_.platform;
  const std::int64_t now = platform.clock.now_ms();
  Json terms = body["schedule"];
  if (!terms.contains("maxActiveRuns")) terms["maxActiveRuns"] = 1;
  Json schedule{{"id", platform.new_uuid("schedule")},
                {"state", "REGISTERING"},
                {"query", body["query"]},
                {"schedule", std::move(terms)},
                {"created", iso8601(now)},
                {"updated", iso8601(now)},
                {"userId", platform.identity.client_id},
                {"updatedUserId", platform.identity.client_id},
                {"version", 1},
                {"_emulator", {{"registers", now + platform.settings.query_delay.count() / 2}}}};
  if (const auto due = due_after(schedule["schedule"], now)) schedule["_emulator"]["next"] = *due;
  const std::string id = schedule["id"];
  platform.objects.put(kScheduleKind, id, schedule);
  arm(id);
  Json shown = shown_schedule(schedule);
  shown.erase("created");  // the description says that they come only later
  shown.erase("updated");
  return Response::json(202, shown);
}

Response Schedules::list(const Request& request) {
  std::vector<Json> all;
  for (const auto& [id, schedule] : core_.platform.objects.all(kScheduleKind)) all.push_back(shown_schedule(schedule));
  return Response::json(200, query_page(request, std::move(all), schedule_listing()));
}

Response Schedules::one(const Request& request) {
  return Response::json(200, shown_schedule(known(request.parameter("id"))));
}

Response Schedules::change(const Request& request) {
  const std::string& id = request.parameter("id");
  Json schedule = known(id);
  const Json body = json_body(request, query_failure(400, "the body is not JSON"));
  if (!body.is_object() || !body.value("body", Json()).is_array() || body["body"].empty())
    throw query_failure(400, "body: a list of operations is required");
  if (schedule["state"] == "REGISTERING")
    throw query_failure(400, "the schedule is still registering; try again after some time");
  const std::int64_t now = core_.platform.clock.now_ms();
  for (const Json& step : body["body"]) {
    const std::string path = step.value("path", "");
    const std::string value = step.value("value", "");
    if (step.value("op", "") != "replace")
      throw query_failure(400, "op: '" + step.value("op", "") + "' is not replace");
    if (path == "/state") {
      if (value != "enable" && value != "disable")
        throw query_failure(400, "value: '" + value + "' is neither enable nor disable");
      const char* state = value == "enable" ? "ENABLED" : "DISABLED";
      if (schedule["state"] == state) throw query_failure(400, std::string("the schedule is ") + state + " already");
      schedule["state"] = state;
    } else if (path == "/schedule/schedule") {
      schedule["schedule"]["schedule"] = value;
      check_terms(schedule["schedule"]);
    } else {
      throw query_failure(400, "path: '" + path + "' is neither /state nor /schedule/schedule");
    }
  }
  const bool had_its_run = is_once(schedule["schedule"]) && !runs_of(id).empty();
  schedule["_emulator"].erase("next");
  if (schedule["state"] == "ENABLED" && !had_its_run)
    if (const auto due = due_after(schedule["schedule"], now)) schedule["_emulator"]["next"] = *due;
  schedule["updated"] = iso8601(now);
  schedule["updatedUserId"] = core_.platform.identity.client_id;
  core_.platform.objects.put(kScheduleKind, id, std::move(schedule));
  arm(id);
  return accepted("Request to patch accepted");
}

Response Schedules::remove(const Request& request) {
  const std::string& id = request.parameter("id");
  if (known(id)["state"] != "DISABLED")
    throw query_failure(400, "Please disable the schedule before requesting delete operation");
  const auto runs = runs_of(id);
  if (std::any_of(runs.begin(), runs.end(), [&](const Json& run) { return run_state(run) == "IN_PROGRESS"; }))
    throw query_failure(400,
                        "There are active run(s) for this schedule, please wait for completion before requesting "
                        "delete operation");
  for (const Json& run : runs) core_.platform.objects.erase(kRunKind, id + "/" + run["id"].get<std::string>());
  core_.platform.objects.erase(kScheduleKind, id);
  return accepted("Schedule deleted successfully");
}

Response Schedules::list_runs(const Request& request) {
  const std::string& id = request.parameter("id");
  known(id);
  std::vector<Json> all;
  for (const Json& run : runs_of(id)) all.push_back(shown_run(run));
  const QueryListing listing{"runsSchedules",
                             std::string(kSchedulePath) + "/" + id + "/runs",
                             {{"created", "> <"}, {"state", "== !="}, {"externalTrigger", "=="}},
                             {"created"},
                             QueryListing::Links::Texts};
  return Response::json(200, query_page(request, std::move(all), listing));
}

Response Schedules::start_run(const Request& request) {
  const std::string& id = request.parameter("id");
  const Json& schedule = known(id);
  if (schedule["state"] == "DISABLED")
    throw query_failure(400, "Schedule is disabled. Immediate run cannot be triggered");
  if (schedule["state"] == "REGISTERING")
    throw query_failure(400, "the schedule is still registering; try again after some time");
  add_run(id, core_.platform.clock.now_ms(), true);
  pump(id);
  return accepted("Request to trigger run of a scheduled query accepted");
}

Response Schedules::one_run(const Request& request) {
  const Json& run = known_run(request);
  Json shown = shown_run(run);
  shown["taskStatusList"] = tasks_of(run);
  return Response::json(200, shown);
}

Response Schedules::change_run(const Request& request) {
  Json run = known_run(request);
  const Json body = json_body(request, query_failure(400, "the body is not JSON"));
  if (!body.is_object() || body.value("op", "") != "cancel") throw query_failure(400, "op: only cancel is known");
  if (run_state(run) != "IN_PROGRESS")
    throw query_failure(404, "the run '" + run.value("id", "") + "' is over: " + run_state(run));
  Json& facts = run["_emulator"];
  if (facts.contains("query")) {
    queries_.cancel(facts["query"].get<std::string>());
  } else {
    facts["failure"] = "cancelled before it began";
    store_run(run);
  }
  return accepted("Request to cancel run of a scheduled query accepted");
}

void Schedules::store_run(const Json& run) {
  core_.platform.objects.put(kRunKind, run.value("scheduleId", "") + "/" + run.value("id", ""), run);
}

void Schedules::add_run(const std::string& schedule, std::int64_t when, bool by_call) {
  // Two calls in a millisecond are two runs.
  while (core_.platform.objects.find(kRunKind, schedule + "/" + run_id(when, by_call)) != nullptr) ++when;
  store_run({{"id", run_id(when, by_call)},
             {"scheduleId", schedule},
             {"created", iso8601(when)},
             {"externalTrigger", by_call},
             {"version", 1},
             {"_emulator", {{"number", core_.platform.objects.next(kRunKind)}}}});
}

/// Wakes up when the schedule next has something to do.
void Schedules::arm(const std::string& id) {
  const Json& schedule = known(id);
  const Json& facts = schedule["_emulator"];
  if (schedule["state"] == "REGISTERING")
    jobs_.at(facts["registers"].get<std::int64_t>(), [this, id] { registered(id); });
  else if (schedule["state"] == "ENABLED" && facts.contains("next"))
    jobs_.at(facts["next"].get<std::int64_t>(), [this, id] { tick(id); });
}

void Schedules::registered(const std::string& id) {
  const auto lock = core_.platform.objects.lock();
  const Json* found = core_.platform.objects.find(kScheduleKind, id);
  if (found == nullptr || (*found)["state"] != "REGISTERING") return;
  Json schedule = *found;
  schedule["state"] = "ENABLED";
  schedule["updated"] = iso8601(core_.platform.clock.now_ms());
  core_.platform.objects.put(kScheduleKind, id, std::move(schedule));
  arm(id);
}

void Schedules::tick(const std::string& id) {
  const auto lock = core_.platform.objects.lock();
  const Json* found = core_.platform.objects.find(kScheduleKind, id);
  if (found == nullptr || (*found)["state"] != "ENABLED" || !(*found)["_emulator"].contains("next")) return;
  Json schedule = *found;
  const std::int64_t now = core_.platform.clock.now_ms();
  std::optional<std::int64_t> next = schedule["_emulator"]["next"].get<std::int64_t>();
  if (*next > now) return;  // it was changed meanwhile, and waits for another time
  std::deque<std::int64_t> due;
  while (next && *next <= now) {
    due.push_back(*next);
    if (due.size() > kMostMadeUp) due.pop_front();
    next = is_once(schedule["schedule"]) ? std::nullopt : due_after(schedule["schedule"], *next);
  }
  schedule["_emulator"].erase("next");
  if (next) schedule["_emulator"]["next"] = *next;
  core_.platform.objects.put(kScheduleKind, id, std::move(schedule));
  for (const std::int64_t when : due) add_run(id, when, false);
  arm(id);
  pump(id);
}

void Schedules::pump(const std::string& id) {
  const auto lock = core_.platform.objects.lock();
  const Json* schedule = core_.platform.objects.find(kScheduleKind, id);
  if (schedule == nullptr) return;
  const auto most = (*schedule)["schedule"].value("maxActiveRuns", std::int64_t{1});
  const Json query = (*schedule)["query"];
  std::int64_t active = 0;
  std::vector<Json> waiting;
  for (Json& run : runs_of(id)) {
    if (run_state(run) != "IN_PROGRESS") continue;
    if (run["_emulator"].contains("query"))
      ++active;
    else
      waiting.push_back(std::move(run));
  }
  for (Json& run : waiting) {
    if (active >= most) return;
    try {
      run["_emulator"]["query"] =
          queries_.submit(query, {{"scheduleId", id}, {"scheduleRunId", run["id"]}}).value("id", "");
      ++active;
    } catch (const HttpError& refused) {
      const Json why = Json::parse(refused.response.body, nullptr, false);
      run["_emulator"]["failure"] = why.is_object() ? why.value("detail", "the query is refused") : "";
    }
    store_run(run);
  }
}

void Schedules::resume() {
  const auto lock = core_.platform.objects.lock();
  std::vector<std::string> ids;
  for (const auto& [id, schedule] : core_.platform.objects.all(kScheduleKind)) ids.push_back(id);
  for (const std::string& id : ids) {
    arm(id);
    jobs_.at(core_.platform.clock.now_ms(), [this, id] { pump(id); });
  }
}

}  // namespace emulator
