#include "emulator/control/settings_calls.h"

#include <functional>

#include "emulator/control/duration.h"
#include "emulator/http/errors.h"

namespace emulator {
namespace {

struct SettingRow {
  const char* name;
  std::function<Json(const Settings&)> read;
  std::function<void(Settings&, const Json&)> write;
};

[[noreturn]] void refuse_setting(const std::string& name, const Json& value, const std::string& allowed) {
  throw HttpError{control_error(400, name + ": " + value.dump() + " is not possible; " + allowed)};
}

SettingRow choice(const char* name, std::string Settings::*member, std::vector<std::string> allowed) {
  return {name, [member](const Settings& settings) { return Json(settings.*member); },
          [name, member, allowed](Settings& settings, const Json& value) {
            std::string list;
            for (const std::string& word : allowed) {
              if (value == word) {
                settings.*member = word;
                return;
              }
              list += (list.empty() ? "write " : " or ") + word;
            }
            refuse_setting(name, value, list);
          }};
}

template <class Duration>
SettingRow duration(const char* name, Duration Settings::*member) {
  return {name,
          [member](const Settings& settings) {
            return Json(duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(settings.*member)));
          },
          [name, member](Settings& settings, const Json& value) {
            const auto given = duration_of(value, name);
            if (given.count() < 0) refuse_setting(name, value, "it is 0 or longer");
            settings.*member = std::chrono::duration_cast<Duration>(given);
          }};
}

SettingRow count(const char* name, std::uint64_t Settings::*member) {
  return {name, [member](const Settings& settings) { return Json(settings.*member); },
          [name, member](Settings& settings, const Json& value) {
            if (!value.is_number_integer() || value < 1) refuse_setting(name, value, "write a whole number above 0");
            settings.*member = value.get<std::uint64_t>();
          }};
}

SettingRow flag(const char* name, bool Settings::*member) {
  return {name, [member](const Settings& settings) { return Json(settings.*member); },
          [name, member](Settings& settings, const Json& value) {
            if (!value.is_boolean()) refuse_setting(name, value, "write true or false");
            settings.*member = value.get<bool>();
          }};
}

Json denials_json(const Settings& settings) {
  Json list = Json::array();
  for (const Denial& denial : settings.deny) list.push_back({{"method", denial.method}, {"path", denial.path}});
  return list;
}

void set_denials(Settings& settings, const Json& value) {
  const std::string allowed = R"(write [{"method":"GET","path":"/data/core/ups/audiences"}], * allowed in both)";
  if (!value.is_array()) refuse_setting("deny", value, allowed);
  settings.deny.clear();
  for (const Json& entry : value) {
    if (!entry.is_object() || !entry.contains("path") || !entry["path"].is_string() ||
        (entry.contains("method") && !entry["method"].is_string()))
      refuse_setting("deny", entry, allowed);
    settings.deny.push_back({entry.value("method", "*"), entry["path"].get<std::string>()});
  }
}

const std::vector<SettingRow>& setting_rows() {
  static const std::vector<SettingRow> kRows{
      choice("row_rule", &Settings::row_rule, {"replace_record", "merge_fields", "accumulate"}),
      choice("delete_batch", &Settings::delete_batch, {"hide", "resurrect_previous"}),
      choice("empty_list", &Settings::empty_list, {"clears", "ignored"}),
      duration("export_delay", &Settings::export_delay),
      duration("export_visibility", &Settings::export_visibility),
      duration("batch_delay", &Settings::batch_delay),
      duration("list_lag", &Settings::list_lag),
      duration("table_tag_delay", &Settings::table_tag_delay),
      duration("hygiene_delay", &Settings::hygiene_delay),
      duration("preview_delay", &Settings::preview_delay),
      duration("abandon_after", &Settings::abandon_after),
      duration("token_lifetime", &Settings::token_lifetime),
      count("page_cap", &Settings::page_cap),
      count("rows_per_part", &Settings::rows_per_part),
      count("upload_cap", &Settings::upload_cap),
      flag("port_in_links", &Settings::port_in_links),
      duration("analytics_delay", &Settings::analytics_delay),
      duration("analytics_delete_delay", &Settings::analytics_delete_delay),
      duration("backfill_delay", &Settings::backfill_delay),
      duration("analytics_cache", &Settings::analytics_cache),
      choice("page_dialect", &Settings::page_dialect, {"live", "spring"}),
      choice("dataview_put", &Settings::dataview_put, {"overwrite", "partial"}),
      flag("analytics_rate_limit", &Settings::analytics_rate_limit),
      flag("visibility_requires_event", &Settings::visibility_requires_event),
      count("substring_array_cap", &Settings::substring_array_cap),
      duration("report_duration", &Settings::report_duration),
      duration("report_cutoff", &Settings::report_cutoff),
      flag("query_batch", &Settings::query_batch),
      flag("query_plain", &Settings::query_plain),
      flag("query_cursors_capped", &Settings::query_cursors_capped),
      count("query_row_cap", &Settings::query_row_cap),
      count("query_limit_max", &Settings::query_limit_max),
      count("query_sessions", &Settings::query_sessions),
      duration("query_timeout", &Settings::query_timeout),
      duration("query_delay", &Settings::query_delay),
      {"deny", denials_json, set_denials}};
  return kRows;
}

Json clock_json(const Platform& platform) {
  const std::int64_t now = platform.clock.now_ms();
  return {{"now", iso8601(now)}, {"now_ms", now}, {"offset", duration_text(platform.clock.offset())}};
}

}  // namespace

Json settings_json(const Settings& settings) {
  Json object = Json::object();
  for (const SettingRow& row : setting_rows()) object[row.name] = row.read(settings);
  return object;
}

Settings changed_settings(const Settings& settings, const Json& change) {
  if (!change.is_object()) throw HttpError{control_error(400, "settings: write a JSON object")};
  Settings result = settings;
  for (const auto& [name, value] : change.items()) {
    const SettingRow* found = nullptr;
    for (const SettingRow& row : setting_rows())
      if (name == row.name) found = &row;
    if (found == nullptr)
      throw HttpError{control_error(400, "settings: there is no '" + name + "'; GET /_emulator/settings lists them")};
    found->write(result, value);
  }
  return result;
}

void restore_settings(Platform& platform) {
  const auto lock = platform.objects.lock();
  if (const Json* saved = platform.objects.find("emulator", "settings"))
    platform.settings = changed_settings(platform.settings, *saved);
  if (const Json* saved = platform.objects.find("emulator", "clock"))
    platform.clock.advance(std::chrono::milliseconds(saved->at("offset_ms").get<std::int64_t>()));
}

void add_settings_routes(Router& router, Platform& platform) {
  const RouteOptions open{.body = BodyMode::Memory, .gate = Gate::Open};
  const auto show = [&platform](const Request&) {
    const auto lock = platform.objects.lock();
    return Response::json(200, settings_json(platform.settings));
  };
  router.add("GET", "/_emulator/settings", show, open);
  router.add(
      "PUT", "/_emulator/settings",
      [&platform, show](const Request& request) {
        const auto lock = platform.objects.lock();
        platform.settings = changed_settings(platform.settings, Json::parse(request.body));
        platform.objects.put("emulator", "settings", settings_json(platform.settings));
        return show(request);
      },
      open);
  router.add(
      "GET", "/_emulator/clock", [&platform](const Request&) { return Response::json(200, clock_json(platform)); },
      open);
  router.add(
      "PUT", "/_emulator/clock",
      [&platform](const Request& request) {
        const Json change = Json::parse(request.body);
        if (!change.is_object() || change.size() != 1 || !change.contains("advance"))
          throw HttpError{control_error(400, R"(clock: write {"advance":"3h"})")};
        const auto lock = platform.objects.lock();
        platform.clock.advance(duration_of(change["advance"], "advance"));
        platform.objects.put("emulator", "clock", {{"offset_ms", platform.clock.offset().count()}});
        return Response::json(200, clock_json(platform));
      },
      open);
}

}  // namespace emulator
