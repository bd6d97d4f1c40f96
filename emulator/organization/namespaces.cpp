#include "emulator/organization/namespaces.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr const char* kNamespaceKind = "namespace";
constexpr const char* kNamespacePath = "/data/core/idnamespace/identities";
constexpr std::int64_t kStandardTime = 1'551'688'425'455;
constexpr std::uint64_t kFirstCustomId = 10'000'000;

struct StandardNamespace {
  int id;
  const char* code;
  const char* type;
  const char* name;
};
constexpr std::array<StandardNamespace, 12> kStandardNamespaces{
    {{0, "CORE", "COOKIE", "CORE"},
     {4, "ECID", "COOKIE", "ECID"},
     {6, "Email", "Email", "Email"},
     {7, "Phone", "Phone", "Phone"},
     {8, "WAID", "DEVICE", "Windows AID"},
     {11, "Email_LC_SHA256", "Email", "Emails (SHA256, lowercased)"},
     {15, "Phone_SHA256", "Phone", "Phone (SHA256)"},
     {17, "Phone_E.164", "Phone", "Phone (E.164)"},
     {20, "GAID", "Device", "Google Ad ID (GAID)"},
     {21, "IDFA", "Device", "Apple IDFA (ID for Advertisers)"},
     {411, "AdCloud", "COOKIE", "AdCloud"},
     {771, "TNTID", "COOKIE", "Adobe Target (TNTID)"}}};

Json standard_json(const StandardNamespace& entry) {
  return {{"id", entry.id},
          {"code", entry.code},
          {"name", entry.name},
          {"description", std::string("Adobe standard namespace ") + entry.code},
          {"idType", entry.type},
          {"status", "ACTIVE"},
          {"custom", false},
          {"createTime", kStandardTime},
          {"updateTime", kStandardTime}};
}

Json all_namespaces(const Platform& platform) {
  Json list = Json::array();
  for (const StandardNamespace& entry : kStandardNamespaces) list.push_back(standard_json(entry));
  for (const auto& [id, value] : platform.objects.all(kNamespaceKind)) list.push_back(value);
  return list;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

Response create_namespace(Platform& platform, const Request& request) {
  static constexpr std::array<std::string_view, 7> kTypes{"COOKIE", "CROSS_DEVICE", "DEVICE", "EMAIL",
                                                          "MOBILE", "NON_PEOPLE",   "PHONE"};
  const Json body = Json::parse(request.body);
  const auto text = [&](const char* name) {
    return body.is_object() && body.contains(name) && body[name].is_string() ? body[name].get<std::string>()
                                                                             : std::string();
  };
  const std::string code = text("code");
  const std::string type = text("idType");
  if (text("name").empty() || code.empty() || type.empty())
    return identity_error(400, "INVALID_INPUT", "name, code and idType are required");
  if (code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") != std::string::npos)
    return identity_error(400, "INVALID_NAMESPACE_CODE", "code may hold letters, digits and _ - . only");
  if (std::find(kTypes.begin(), kTypes.end(), upper(type)) == kTypes.end())
    return identity_error(400, "INVALID_ID_TYPE", "idType " + type + " is not known");

  const auto lock = platform.objects.lock();
  for (const Json& known : all_namespaces(platform))
    if (upper(known["code"].get<std::string>()) == upper(code))
      return identity_error(409, "NAMESPACE_CODE_CONFLICT", "a namespace with the code " + code + " exists already");
  const std::uint64_t id = kFirstCustomId + platform.objects.next("namespace");
  const std::int64_t now = platform.clock.now_ms();
  Json value{{"id", id},         {"code", code},       {"name", text("name")}, {"description", text("description")},
             {"idType", type},   {"status", "ACTIVE"}, {"custom", true},       {"createTime", now},
             {"updateTime", now}};
  platform.objects.put(kNamespaceKind, std::to_string(id), value);
  return Response::json(200, value);
}

}  // namespace

std::optional<Json> find_namespace(const Platform& platform, const std::string& code) {
  for (const Json& known : all_namespaces(platform))
    if (known["code"] == code) return known;
  return std::nullopt;
}

bool knows_namespace(const Platform& platform, const std::string& code) {
  const auto is_it = [&](const Json& known) { return upper(known["code"].get<std::string>()) == upper(code); };
  const Json all = all_namespaces(platform);
  return std::any_of(all.begin(), all.end(), is_it);
}

std::optional<Json> find_namespace_by_id(const Platform& platform, const std::string& id) {
  for (const Json& known : all_namespaces(platform))
    if (std::to_string(known["id"].get<std::uint64_t>()) == id) return known;
  return std::nullopt;
}

void add_namespace_routes(Router& router, Platform& platform) {
  router.add("GET", kNamespacePath, [&platform](const Request&) {
    const auto lock = platform.objects.lock();
    return Response::json(200, all_namespaces(platform));
  });
  router.add("POST", kNamespacePath,
             [&platform](const Request& request) { return create_namespace(platform, request); });
  router.add("GET", std::string(kNamespacePath) + "/{id}", [&platform](const Request& request) {
    const auto lock = platform.objects.lock();
    if (const auto known = find_namespace_by_id(platform, request.parameter("id"))) return Response::json(200, *known);
    return identity_error(404, "NAMESPACE_NOT_FOUND", "there is no namespace with this id");
  });
}

}  // namespace emulator
