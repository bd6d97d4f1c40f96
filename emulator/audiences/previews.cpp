#include "emulator/audiences/previews.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>

#include "emulator/audiences/pql.h"
#include "emulator/data/errors.h"
#include "emulator/data/profile_fields.h"
#include "emulator/http/uri.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kPreview = "preview";
constexpr const char* kUnionSchema = "https://ns.adobe.com/xdm/context/profile__union";
constexpr const char* kEntities = "https://platform.adobe.io/data/core/ups/access/entities?schema.name=";
constexpr std::uint64_t kPreviewPage = 1000;
constexpr std::uint64_t kAllAreRead = 1'000'000;
constexpr std::uint64_t kShareIsRead = 20'000'000;

/// How many of that many profiles an estimate looks at.
std::uint64_t sample_of(std::uint64_t profiles) {
  if (profiles <= kAllAreRead) return profiles;
  return profiles <= kShareIsRead ? kAllAreRead : profiles / 20;
}

std::string opaque(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

/// Whether the union of profile has that field; a map has every field below it.
bool has_field(const Json& schema, const std::string& path) {
  const Json* node = &schema;
  for (std::size_t begin = 0; begin != std::string::npos;) {
    if (node->contains("additionalProperties")) return true;
    const std::size_t dot = path.find('.', begin);
    const std::string name = path.substr(begin, dot == std::string::npos ? dot : dot - begin);
    if (!node->contains("properties") || !(*node)["properties"].contains(name)) return false;
    node = &(*node)["properties"][name];
    begin = dot == std::string::npos ? dot : dot + 1;
  }
  return true;
}

std::uint64_t preview_number(const Request& request, const char* name, std::uint64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (!number) throw ups_failure(400, "UPAPI-113001-400", std::string(name) + " must be a number");
  return *number;
}

std::uint64_t cell_number(const Row& row, std::size_t column) { return std::stoull(row[column].value_or("0")); }

}  // namespace

Previews::Previews(Platform& platform, World& world, Worker& worker)
    : platform_(platform), world_(world), worker_(worker) {}

void Previews::add_routes(Router& router) {
  const std::string base = "/data/core/ups";
  router.add("POST", base + "/preview", checked([this](const Request& r) { return create(r); }));
  router.add("GET", base + "/preview/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("DELETE", base + "/preview/{id}", checked([this](const Request& r) { return remove(r); }));
  router.add("GET", base + "/estimate/{id}", checked([this](const Request& r) { return estimate(r); }));
  router.add("GET", base + "/previewsamplestatus", checked([this](const Request& r) { return sample(r); }));
  router.add("GET", base + "/previewsamplestatus/report/namespace",
             checked([this](const Request& r) { return namespaces(r); }));
}

void Previews::resume() {
  const auto lock = platform_.objects.lock();
  for (const auto& [id, preview] : platform_.objects.all(kPreview))
    if (preview["state"] == "RUNNING") schedule(id, preview["_emulator"]["due"]);
}

void Previews::schedule(const std::string& id, std::int64_t due) {
  worker_.at(due, [this, id] { finish(id); });
}

const Json& Previews::known(const Request& request) const {
  const Json* found = platform_.objects.find(kPreview, request.parameter("id"));
  if (found == nullptr) throw ups_failure(404, "UPAPI-100404-404", "Preview not found");
  return *found;
}

std::string Previews::condition_of(const std::string& expression) {
  const Vocabulary words = world_.vocabulary();
  const auto members = [&](const std::vector<std::string>& ids) {
    return World::member_of(words, "ups", ids, {"realized", "existing"});
  };
  std::vector<std::string> own;
  for (const auto& [id, audience] : platform_.objects.all("audience"))
    if (audience.value("expression", Json::object()).value("value", "") == expression) own.push_back(id);
  if (!own.empty()) return members(own);

  const std::vector<ProfileField> carried = profile_fields(platform_.identity);
  const std::optional<Json> schema = resolved_schema(platform_, kUnionSchema);
  const PqlNames names{[&](const std::string& path) {
                         for (const ProfileField& field : carried)
                           if (field.path == path) return field.sql;
                         if (!schema || !has_field(*schema, path))
                           throw PqlFailure{"the field '" + path + "' is not in the union schema"};
                         return std::string("NULL::VARCHAR");  // a field that nobody here has a value of
                       },
                       [&](const std::string& id) {
                         if (platform_.objects.find("audience", id) == nullptr)
                           throw PqlFailure{"there is no audience '" + id + "'"};
                         return members({id});
                       }};
  return pql_condition(expression, names);
}

Response Previews::create(const Request& request) {
  const Json body = json_body(request, ups_failure(400, "UPAPI-113001-400", "The body is not JSON"));
  const auto text = [&](const char* name, const char* otherwise) {
    const Json value = body.value(name, Json(otherwise));
    if (!value.is_string() || value.get<std::string>().empty())
      throw ups_failure(400, "UPAPI-113001-400", std::string(name) + " must be a text");
    return value.get<std::string>();
  };
  const std::string expression = text("predicateExpression", "");
  const std::string graph = text("graphType", "pdg");
  if (text("predicateType", "pql/text") != "pql/text")
    throw ups_failure(400, "UPAPI-113001-400", "predicateType must be pql/text");
  if (text("predicateModel", "_xdm.context.profile") != "_xdm.context.profile")
    throw ups_failure(400, "UPAPI-113001-400", "predicateModel must be _xdm.context.profile");
  if (graph != "pdg" && graph != "none") throw ups_failure(400, "UPAPI-113001-400", "graphType must be pdg or none");
  const auto lock = platform_.objects.lock();
  const std::string query = platform_.new_uuid(kPreview);
  const std::string id = opaque("audience-preview:" + query + ":0");
  const std::int64_t now = platform_.clock.now_ms();
  const std::int64_t due = now + platform_.settings.preview_delay.count();
  platform_.objects.put(kPreview, id,
                        {{"state", "RUNNING"}, {"_emulator", {{"expression", expression}, {"due", due}}}});
  schedule(id, due);
  Response response = Response::json(201, {{"state", "NEW"},
                                           {"previewQueryId", query},
                                           {"previewQueryStatus", "NEW"},
                                           {"previewId", id},
                                           {"previewExecutionId", 0}});
  response.headers["x-location"] = "/data/core/ups/preview/" + percent_encode(id);
  return response;
}

void Previews::finish(const std::string& id) {
  Json done;
  std::string condition;
  {
    const auto lock = platform_.objects.lock();
    const Json* found = platform_.objects.find(kPreview, id);
    if (found == nullptr || (*found)["state"] != "RUNNING") return;
    done = *found;
    try {
      condition = condition_of(done["_emulator"]["expression"]);
    } catch (const PqlFailure& failure) {
      done["state"] = "FAILED";
      done["error"] = {{"description", failure.message}, {"traceback", ""}};
      platform_.objects.put(kPreview, id, std::move(done));
      return;
    }
  }
  const std::uint64_t all = world_.profiles();
  const std::uint64_t read = sample_of(all);
  Connection connection(world_.database());
  const std::string looked_at =
      read == all ? "true" : "hash(profile_id, 77) % " + std::to_string(all) + " < " + std::to_string(read);
  const Row row = connection.rows("SELECT count(*), count(person), count(ecid) FROM profiles WHERE " + looked_at +
                                  " AND (" + condition + ")")[0];
  const std::uint64_t matched = cell_number(row, 0);
  const double scale = read == 0 ? 0 : static_cast<double>(all) / static_cast<double>(read);
  const double share = read == 0 ? 0 : static_cast<double>(matched) / static_cast<double>(read);
  const double error =
      read == all ? 0 : std::sqrt(share * (1 - share) / static_cast<double>(read)) * static_cast<double>(all);
  Json spaces = Json::array();
  for (const auto& [space, column] : {std::pair{"4", std::size_t{2}}, std::pair{"6", std::size_t{1}}})
    spaces.push_back({{"namespaceId", space}, {"profilesMatchedSoFar", cell_number(row, column)}});
  done["state"] = "RESULT_READY";
  done["estimate"] = {{"estimatedSize", std::llround(static_cast<double>(matched) * scale)},
                      {"numRowsToRead", read},
                      {"profilesReadSoFar", read},
                      {"profilesMatchedSoFar", matched},
                      {"totalRows", all},
                      {"standardError", std::llround(error)},
                      {"estimatedNamespaceDistribution", std::move(spaces)}};
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find(kPreview, id) != nullptr) platform_.objects.put(kPreview, id, std::move(done));
}

Response Previews::one(const Request& request) {
  const std::uint64_t offset = preview_number(request, "offset", 0);
  const std::uint64_t limit = std::min(preview_number(request, "limit", kPreviewPage), kPreviewPage);
  std::string condition;
  {
    const auto lock = platform_.objects.lock();
    const Json& preview = known(request);
    if (preview["state"] != "RESULT_READY")
      return Response::json(200, {{"state", preview["state"]}, {"results", Json::array()}, {"page", Json::object()}});
    condition = condition_of(preview["_emulator"]["expression"]);
  }
  Json results = Json::array();
  Connection connection(world_.database());
  // One row more tells whether there is a next page.
  for (const Row& row :
       connection.rows("SELECT md5('profile ' || profile_id), ecid FROM profiles WHERE " + condition +
                       " ORDER BY profile_id LIMIT " + std::to_string(limit + 1) + " OFFSET " + std::to_string(offset)))
    results.push_back({{"objectId", row[0].value_or("")},
                       {"_href", kEntities + std::string("_xdm.context.profile&entityId=") + row[1].value_or("") +
                                     "&entityIdNS=ECID"}});
  std::string link;
  if (results.size() > limit) {
    results.erase(results.size() - 1);
    link = "/preview/" + percent_encode(request.parameter("id")) + "?offset=" + std::to_string(offset + limit) +
           "&limit=" + std::to_string(limit);
  }
  const std::size_t size = results.size();
  return Response::json(200, {{"state", "RESULT_READY"},
                              {"results", std::move(results)},
                              {"page", {{"offset", offset}, {"size", size}}},
                              {"link", link}});
}

Response Previews::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  known(request);
  platform_.objects.erase(kPreview, request.parameter("id"));
  return Response::json(200, {{"status", true}, {"message", "The preview has been deleted"}});
}

Response Previews::estimate(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json& preview = known(request);
  Json answer = {{"estimatedSize", 0},
                 {"numRowsToRead", 0},
                 {"profilesReadSoFar", 0},
                 {"profilesMatchedSoFar", 0},
                 {"totalRows", 0},
                 {"standardError", 0},
                 {"estimatedNamespaceDistribution", Json::array()}};
  answer.update(preview.value("estimate", Json::object()));
  answer["state"] = preview["state"];
  answer["confidenceInterval"] = "95%";
  answer["error"] = preview.value("error", Json{{"description", ""}, {"traceback", ""}});
  answer["_links"]["preview"] = "@/preview/" + percent_encode(request.parameter("id"));
  return Response::json(200, answer);
}

Response Previews::sample(const Request&) {
  const std::uint64_t all = world_.profiles();
  const std::uint64_t read = sample_of(all);
  const auto lock = platform_.objects.lock();
  const std::string now = iso8601(platform_.clock.now_ms());
  return Response::json(200, {{"totalRows", std::to_string(all)},
                              {"numRowsToRead", std::to_string(read)},
                              {"docCount", std::to_string(all)},
                              {"totalFragmentCount", all},
                              {"samplingRatio", all == 0 ? 1.0 : static_cast<double>(read) / static_cast<double>(all)},
                              {"status", "TASK_FINISHED"},
                              {"lastSampledTimestamp", now},
                              {"sampleJobRunning", {{"status", false}, {"submissionTimestamp", now}}}});
}

Response Previews::namespaces(const Request& request) {
  std::int64_t now = 0;
  {
    const auto lock = platform_.objects.lock();
    now = platform_.clock.now_ms();
  }
  const std::string today = iso8601(now).substr(0, 10);
  if (request.query_value("date").value_or(today) != today)  // what the base was like on other days nobody kept
    throw ups_failure(404, "UPAPI-100404-404", "There is no report of that day");
  Connection connection(world_.database());
  const Row row = connection.rows("SELECT count(*), count(person), count(ecid) FROM profiles")[0];
  const std::uint64_t all = cell_number(row, 0);
  Json data = Json::array();
  for (const auto& [code, column] : {std::pair{"Email", std::size_t{1}}, std::pair{"ECID", std::size_t{2}}}) {
    const std::uint64_t count = cell_number(row, column);
    const double percentage = all == 0 ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(all);
    data.push_back({{"code", code},
                    {"value", code},
                    {"fullIDsCount", count},
                    {"fullIDsPercentage", percentage},
                    {"fullIDsFragmentCount", count},
                    {"sampleCount", count},
                    {"samplePercentage", percentage},
                    {"reportTimestamp", iso8601(now)}});
  }
  return Response::json(200, {{"data", std::move(data)}, {"reportTimestamp", iso8601(now)}});
}

}  // namespace emulator
