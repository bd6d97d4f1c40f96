#include <array>

#include "emulator/control/duration.h"
#include "emulator/control/faults.h"
#include "emulator/http/errors.h"

namespace emulator {
namespace {

[[noreturn]] void refuse_fault(const std::string& name, const Json& value, const std::string& allowed) {
  throw HttpError{control_error(400, "fault: " + name + ": " + value.dump() + " is not possible; " + allowed)};
}

std::uint64_t whole_number(const std::string& name, const Json& value) {
  if (!value.is_number_unsigned()) refuse_fault(name, value, "write a whole number");
  return value.get<std::uint64_t>();
}

std::string words(const std::string& name, const Json& value) {
  if (!value.is_string()) refuse_fault(name, value, "write a string");
  return value.get<std::string>();
}

Moment moment(const std::string& name, const Json& value) {
  if (value == "before") return Moment::Before;
  if (value == "after") return Moment::After;
  refuse_fault(name, value, "write before or after");
}

FaultAction parse_action(const Json& value) {
  if (!value.is_object() || value.empty())
    refuse_fault("action", value, R"(write an object, for example {"status":503})");
  FaultAction action;
  for (const auto& [name, given] : value.items()) {
    if (name == "status") {
      const std::uint64_t status = whole_number(name, given);
      if (status < 200 || status > 599) refuse_fault(name, given, "it lies between 200 and 599");
      action.status = static_cast<int>(status);
    } else if (name == "retry_after") {
      action.retry_after = static_cast<std::int64_t>(whole_number(name, given));
    } else if (name == "body") {
      action.body = given.is_string() ? given.get<std::string>() : given.dump();
    } else if (name == "content_type") {
      action.content_type = words(name, given);
    } else if (name == "delay_ms") {
      action.delay_ms = static_cast<std::int64_t>(whole_number(name, given));
    } else if (name == "drip_bytes_per_second") {
      action.drip_bytes_per_second = whole_number(name, given);
    } else if (name == "drop") {
      action.drop = moment(name, given);
    } else if (name == "hold") {
      action.hold = moment(name, given);
    } else if (name == "truncate") {
      action.truncate = whole_number(name, given);
    } else if (name == "empty_list") {
      if (!given.is_boolean()) refuse_fault(name, given, "write true");
      action.empty_list = given.get<bool>();
    } else if (name == "upload_reset_after") {
      action.upload_reset_after = whole_number(name, given);
    } else {
      refuse_fault("action", name, "there is no such action");
    }
  }
  return action;
}

/// A total as the service writes it: some write numbers, some the same as a string.
Json zero_like(const Json& value) { return value.is_string() ? Json("0") : Json(0); }

void empty_page(Json& page) {
  for (const char* total : {"totalCount", "totalPages", "count", "pageSize"})
    if (page.contains(total)) page[total] = zero_like(page[total]);
  if (page.contains("next")) page["next"] = nullptr;
}

}  // namespace

FaultRule parse_fault(const Json& value) {
  if (!value.is_object()) refuse_fault("entry", value, R"(write {"method","path","after","times","action"})");
  if (!value.contains("action")) refuse_fault("entry", value, "the action is missing");
  FaultRule rule;
  for (const auto& [name, given] : value.items()) {
    if (name == "id") {
      rule.id = words(name, given);
    } else if (name == "method") {
      rule.method = words(name, given);
    } else if (name == "path") {
      rule.path = words(name, given);
    } else if (name == "query") {
      rule.query = words(name, given);
    } else if (name == "after") {
      rule.after = whole_number(name, given);
    } else if (name == "times") {
      rule.times = whole_number(name, given);
    } else if (name == "action") {
      rule.action = parse_action(given);
      rule.written = given;
    } else {
      refuse_fault("entry", name, "known are id, method, path, query, after, times and action");
    }
  }
  return rule;
}

Json emptied_list(std::string_view path, Json body) {
  if (body.is_array()) return Json::array();
  if (!body.is_object()) return body;
  if (path.starts_with("/data/foundation/catalog")) return Json::object();
  for (const char* list :
       {"children", "records", "segments", "results", "data", "sandboxes", "queries", "content", "rows"})
    if (body.contains(list) && body[list].is_array()) body[list] = Json::array();
  if (body.contains("content")) {  // Analytics writes its totals beside the list
    for (const char* total : {"totalElements", "totalPages", "numberOfElements"})
      if (body.contains(total)) body[total] = zero_like(body[total]);
    for (const char* last : {"lastPage", "last"})
      if (body.contains(last)) body[last] = true;
  }
  for (const char* page : {"_page", "page"})
    if (body.contains(page) && body[page].is_object()) empty_page(body[page]);
  for (const char* links : {"_links", "link"})
    if (body.contains(links) && body[links].is_object() && body[links].contains("next")) {
      if (body[links]["next"].is_string())
        body[links]["next"] = "";
      else
        body[links].erase("next");
    }
  return body;
}

}  // namespace emulator
