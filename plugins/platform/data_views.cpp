#include "plugins/platform/data_views.h"

#include <algorithm>
#include <cmath>

#include "plugins/platform/analytics_list.h"
#include "plugins/platform/call.h"

namespace audiencesync::platform {
namespace {

const char* const kDataViews = "/data/dataviews";
const char* const kValidateDataView = "/data/dataviews/validate";
// All of them, because what is read is written back.
const char* const kDataViewExpansion =
    "name,description,owner,isDeleted,parentDataGroupId,segmentList,currentTimezoneOffset,timezoneDesignator,modified,"
    "createdDate,organization,curationEnabled,sessionDefinition,externalData,containerNames";
// Members the platform writes itself.
constexpr const char* kReadOnlyMembers[] = {
    "id",           "modifiedDate",          "modifiedBy",           "createdDate", "owner",
    "isDeleted",    "currentTimezoneOffset", "recentRecordedAccess", "createdBy",   "componentType",
    "ownerFullName"};

std::optional<Duration> offset_of(const Value& value) {
  const auto* hours = value.find("currentTimezoneOffset");
  if (hours == nullptr) return std::nullopt;
  double number = 0;
  if (const auto* fraction = hours->double_if()) {
    number = *fraction;
  } else if (const auto whole = to_number(*hours)) {
    number = static_cast<double>(*whole);
  } else {
    return std::nullopt;
  }
  constexpr double kFarthest = 14;  // hours; anything beyond is another unit
  if (std::abs(number) > kFarthest) return std::nullopt;
  return Duration(static_cast<std::int64_t>(std::llround(number * 3'600'000)));
}

Result<std::vector<DataView>> list_data_views(http::ReadClient& client, http::Query query) {
  query.emplace_back("expansion", kDataViewExpansion);
  query.emplace_back("cached", "false");
  std::vector<DataView> views;
  TRY(each_listed(client, "data views", kDataViews, std::move(query),
                  [&](const Value& value) { views.push_back(data_view_from(value)); }));
  std::erase_if(views, [](const DataView& view) { return view.id.empty() || view.deleted; });
  std::sort(views.begin(), views.end(), [](const DataView& left, const DataView& right) { return left.id < right.id; });
  return views;
}

Value data_view_body(const NewDataView& view) {
  Value body;
  body["name"] = view.name;
  body["description"] = view.description;
  body["parentDataGroupId"] = view.connection;
  body["timezoneDesignator"] = view.time_zone;
  body["externalData"]["externalId"] = view.external_id;
  body["externalData"]["externalParentId"] =
      view.connection.starts_with("dg_") ? view.connection.substr(3) : view.connection;
  Value session;
  session["numPeriods"] = 30;
  session["granularity"] = "MINUTE";
  session["func"] = "INACTIVITY";
  body["sessionDefinition"] = Value::Array{std::move(session)};
  return body;
}

/// Answers have these words in lower case, and requests want them as they are listed.
void raise_case_of_sessions(Value& body) {
  Value::Array sessions;
  for (Value session : body.items("sessionDefinition")) {
    for (const char* name : {"granularity", "func"}) {
      auto word = session.text(name);
      std::transform(word.begin(), word.end(), word.begin(), [](unsigned char letter) { return std::toupper(letter); });
      if (!word.empty()) session[name] = word;
    }
    sessions.push_back(std::move(session));
  }
  if (!sessions.empty()) body["sessionDefinition"] = std::move(sessions);
}

}  // namespace

DataView data_view_from(const Value& value) {
  DataView view;
  view.id = value.text("id");
  view.name = value.text("name");
  view.connection = connection_id(value.text("parentDataGroupId"));
  if (const auto* external = value.find("externalData")) view.external_id = external->text("externalId");
  view.time_zone = value.text("timezoneDesignator");
  view.offset = offset_of(value);
  view.version = id_text(value.find("modifiedDate"));
  view.created = time_of(value.find("createdDate"));
  view.deleted = value.flag("isDeleted");
  view.document = value;
  return view;
}

Result<std::vector<DataView>> data_views_of(http::ReadClient& client, const std::string& connection) {
  if (connection.empty()) return list_data_views(client, {});
  auto views = TRY(list_data_views(client, {{"parentDataGroupId", connection}}));
  std::erase_if(views, [&](const DataView& view) { return view.connection != connection; });
  return views;
}

Result<std::optional<DataView>> get_data_view(http::ReadClient& client, const std::string& id) {
  const auto views = TRY(list_data_views(client, {{"dataViewIds", id}}));
  const auto found = std::find_if(views.begin(), views.end(), [&](const DataView& view) { return view.id == id; });
  return found == views.end() ? std::optional<DataView>() : std::optional<DataView>(*found);
}

Result<std::vector<DataView>> data_views_marked(http::ReadClient& client, const std::string& connection,
                                                const std::string& external_id) {
  auto views = TRY(list_data_views(client, {{"parentDataGroupId", connection}, {"externalIds", external_id}}));
  std::erase_if(views,
                [&](const DataView& view) { return view.connection != connection || view.external_id != external_id; });
  std::stable_sort(views.begin(), views.end(), [](const DataView& left, const DataView& right) {
    return left.created.value_or(Time()) < right.created.value_or(Time());
  });
  return views;
}

Result<void> validate_data_view(http::ReadClient& client, const NewDataView& view) {
  const auto answer = TRY(
      read_json(client, analytics_send(http::Method::Post, kValidateDataView, data_view_body(view), http::Repeat::Read))
          .in("validate data view"));
  if (answer.flag("valid", true)) return {};
  return Error(ErrorCode::Rejected,
               "Customer Journey Analytics would not take data view '" + view.name + "': " + answer.text("message"));
}

Result<std::string> create_data_view(http::WriteClient& client, const NewDataView& view) {
  const auto answer =
      TRY(write_json(client, analytics_send(http::Method::Post, kDataViews, data_view_body(view), http::Repeat::Once))
              .in("create data view"));
  auto id = answer.text("id");
  if (id.empty()) return Error(ErrorCode::Unknown, "the platform made data view '" + view.name + "' and named no id");
  return id;
}

Result<void> rename_data_view(http::WriteClient& client, const DataView& view, const std::string& name) {
  Value body = view.document;
  for (const auto* member : kReadOnlyMembers) {
    if (auto* object = body.object_if()) object->erase(member);
  }
  raise_case_of_sessions(body);
  body["name"] = name;
  TRY(write_json(client,
                 analytics_send(http::Method::Put, std::string(kDataViews) + "/" + http::encode_segment(view.id), body,
                                http::Repeat::Repeatable))
          .in("data view " + view.id));
  return {};
}

}  // namespace audiencesync::platform
