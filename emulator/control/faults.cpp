#include "emulator/control/faults.h"

#include <algorithm>

#include "emulator/control/glob.h"
#include "emulator/http/errors.h"
#include "emulator/http/uri.h"

namespace emulator {
namespace {

bool matches(const FaultRule& rule, const Request& head) {
  if (rule.method != "*" && rule.method != head.method) return false;
  if (!glob_match(rule.path, percent_decode(head.path))) return false;
  if (rule.query.empty()) return true;
  const std::size_t mark = head.target.find('?');
  return mark != std::string::npos &&
         percent_decode(std::string_view(head.target).substr(mark + 1), PlusSign::Space).find(rule.query) !=
             std::string::npos;
}

}  // namespace

std::optional<Faults::Hit> Faults::meet(const Request& head) {
  const std::lock_guard lock(mutex_);
  std::optional<Hit> hit;
  for (Entry& entry : entries_) {
    if (!matches(entry.rule, head)) continue;
    ++entry.matched;
    const bool due = entry.matched > entry.rule.after && (entry.rule.times == 0 || entry.hits < entry.rule.times);
    if (!due || hit) continue;  // one call meets one fault; the others keep their turn
    ++entry.hits;
    hit = Hit{.id = entry.rule.id, .action = entry.rule.action, .text = entry.rule.written.dump()};
  }
  return hit;
}

void Faults::hold(const Hit& hit, std::uint64_t call) {
  std::unique_lock lock(mutex_);
  Held held{.fault = hit.id, .call = call};
  held_.push_back(&held);
  changed_.wait(lock, [&] { return held.released || interrupted_; });
  std::erase(held_, &held);
}

void Faults::wait(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&] { return interrupted_; });
}

void Faults::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

Json Faults::list_locked() const {
  Json list = Json::array();
  for (const Entry& entry : entries_) {
    Json holding = Json::array();
    for (const Held* held : held_)
      if (held->fault == entry.rule.id && !held->released) holding.push_back(held->call);
    Json row{{"id", entry.rule.id},       {"method", entry.rule.method}, {"path", entry.rule.path},
             {"after", entry.rule.after}, {"times", entry.rule.times},   {"action", entry.rule.written},
             {"matched", entry.matched},  {"hits", entry.hits},          {"holding", std::move(holding)}};
    if (!entry.rule.query.empty()) row["query"] = entry.rule.query;
    list.push_back(std::move(row));
  }
  return list;
}

Response Faults::replace(const Request& request) {
  const Json list = request.method == "DELETE" ? Json::array() : Json::parse(request.body);
  if (!list.is_array()) return control_error(400, "faults: write a JSON array; an empty one removes all");
  std::vector<Entry> entries;
  for (const Json& value : list) entries.push_back({.rule = parse_fault(value)});

  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries)
    if (entry.rule.id.empty()) entry.rule.id = "fault-" + std::to_string(++last_id_);
  entries_ = std::move(entries);
  for (Held* held : held_) held->released = true;  // nobody could name them any more
  changed_.notify_all();
  return Response::json(200, list_locked());
}

Response Faults::release(const Request& request) {
  const Json body = request.body.empty() ? Json::object() : Json::parse(request.body);
  if (!body.is_object() || (body.contains("id") && !body["id"].is_string()))
    return control_error(400, R"(release: write {"id":"fault-1"}, or nothing for all)");
  const std::lock_guard lock(mutex_);
  std::uint64_t released = 0;
  for (Held* held : held_) {
    if (held->released || (body.contains("id") && body["id"] != held->fault)) continue;
    held->released = true;
    ++released;
  }
  changed_.notify_all();
  return Response::json(200, Json{{"released", released}});
}

void Faults::add_routes(Router& router) {
  const RouteOptions open{.body = BodyMode::Memory, .gate = Gate::Open};
  router.add(
      "GET", "/_emulator/faults",
      [this](const Request&) {
        const std::lock_guard lock(mutex_);
        return Response::json(200, list_locked());
      },
      open);
  router.add(
      "PUT", "/_emulator/faults", [this](const Request& request) { return replace(request); }, open);
  router.add(
      "DELETE", "/_emulator/faults", [this](const Request& request) { return replace(request); }, open);
  router.add(
      "POST", "/_emulator/faults/release", [this](const Request& request) { return release(request); }, open);
}

}  // namespace emulator
