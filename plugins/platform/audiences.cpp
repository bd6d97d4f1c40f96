#include "plugins/platform/audiences.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"

namespace audiencesync::platform {
namespace {

const char* const kAudiences = "/data/core/ups/audiences";
const char* const kPeople = "_xdm.context.profile";
constexpr std::size_t kBulk = 100;  // more ids in one call are refused
const char* const kAudiencePage = "100";

/// An element of a bulk answer that is no audience: its errors are keyed by status.
std::optional<MissingAudience> missing_from(const Value& value) {
  const auto* errors = value.find("errors");
  if (errors == nullptr || !errors->is_object() || errors->object_if()->empty()) return {};
  const auto& [status, list] = *errors->object_if()->begin();
  MissingAudience missing;
  std::from_chars(status.data(), status.data() + status.size(), missing.status);
  if (const auto* array = list.array_if(); array != nullptr && !array->empty())
    missing.message = array->front().text("message");
  return missing;
}

Result<void> bulk_get(http::ReadClient& client, const std::vector<std::string>& ids, AudienceAnswers& answers) {
  Value body;
  Value::Array list;
  for (const auto& id : ids) {
    Value entry;
    entry["id"] = id;
    list.push_back(std::move(entry));
  }
  body["ids"] = std::move(list);
  auto request = send(http::Method::Post, std::string(kAudiences) + "/bulk-get", body, http::Repeat::Read);
  auto answer = TRY(read_json_if_there(client, std::move(request)).in("audiences"));
  const auto* results = answer.find("results");
  if (results == nullptr || !results->is_object()) return {};  // 404: none of them, asked for one by one below
  for (const auto& [id, value] : *results->object_if())
    if (!missing_from(value) && !value.text("name").empty()) answers.found.emplace(id, audience_from(value));
  return {};
}

Result<void> get_one(http::ReadClient& client, const std::string& id, AudienceAnswers& answers) {
  auto request = get(std::string(kAudiences) + "/" + http::encode_segment(id));
  request.expected = {403, 404};
  auto response = TRY(client.read(request).in("audience " + id));
  if (response.status == 403 || response.status == 404) {
    MissingAudience missing;
    missing.status = response.status;
    if (auto body = response.json()) missing.message = body->text("title");
    answers.missing.emplace(id, std::move(missing));
    return {};
  }
  auto value = TRY(response.json());
  answers.found.emplace(id, audience_from(value));
  return {};
}

/// Calls `take` for every audience whose name contains `part`.
Result<void> each_named(http::ReadClient& client, const std::string& part,
                        const std::function<void(const Value&)>& take) {
  std::size_t empty_answers = 0;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query{{"name", part}, {"entityType", kPeople}, {"limit", kAudiencePage}};
    if (!cursor.empty()) query.emplace_back("start", cursor);
    const auto request = get(kAudiences, std::move(query));
    auto answer = TRY(read_json(client, request));
    if (cursor.empty() && answer.items("children").empty() && ++empty_answers == 1)
      answer = TRY(read_json(client, request));
    for (const auto& child : answer.items("children")) take(child);
    return next_cursor(answer, "start");
  };
  return each_page("audiences", fetch).in("audiences");
}

}  // namespace

Audience audience_from(const Value& value) {
  Audience audience;
  audience.id = id_text(value.find("id"));
  audience.name = value.text("name");
  audience.origin = value.text("originName");
  audience.audience_namespace = value.text("namespace");
  for (const auto* name : {"lifecycleState", "lifecycle", "lifecycleStatus"})
    if (audience.lifecycle.empty()) audience.lifecycle = ascii_lower(value.text(name));
  if (audience.lifecycle == "active") audience.lifecycle = "published";
  if (const auto* schema = value.find("schema")) audience.schema = schema->text("name");
  audience.merge_policy = id_text(value.find("mergePolicyId"));
  if (const auto* data = value.find_path({"metrics", "data"}))
    if (const auto people = data->number("totalProfiles"); people && *people >= 0)
      audience.people = static_cast<std::uint64_t>(*people);
  audience.created = time_of(value.find("creationTime"));
  return audience;
}

Result<AudienceAnswers> get_audiences(http::ReadClient& client, const std::vector<std::string>& ids) {
  AudienceAnswers answers;
  for (std::size_t begin = 0; begin < ids.size(); begin += kBulk) {
    const auto end = std::min(begin + kBulk, ids.size());
    const std::vector<std::string> some(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                        ids.begin() + static_cast<std::ptrdiff_t>(end));
    TRY(bulk_get(client, some, answers));
  }
  for (const auto& id : ids)
    if (!answers.found.contains(id) && !answers.missing.contains(id)) TRY(get_one(client, id, answers));
  return answers;
}

Result<std::vector<Audience>> audiences_named(http::ReadClient& client, const std::string& name) {
  std::map<std::string, Audience> found;
  TRY(each_named(client, name, [&](const Value& child) {
    auto audience = audience_from(child);
    if (audience.name == name && !audience.id.empty()) found.insert_or_assign(audience.id, std::move(audience));
  }));
  std::vector<Audience> audiences;
  for (auto& [id, audience] : found) audiences.push_back(std::move(audience));
  return audiences;
}

Result<std::vector<std::string>> names_like(http::ReadClient& client, const std::string& part, std::size_t most) {
  std::vector<std::string> names;
  TRY(each_named(client, part, [&](const Value& child) {
    if (auto name = child.text("name"); names.size() < most && !name.empty()) names.push_back(std::move(name));
  }));
  return names;
}

}  // namespace audiencesync::platform
