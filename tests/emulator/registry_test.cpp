#include <gtest/gtest.h>

#include "emulator/http/uri.h"
#include "emulator/registry/schema_view.h"
#include "shell_world.h"

namespace emulator {
namespace {

const Headers kJson{{"content-type", "application/json"}};
const std::string kTenant = "/data/foundation/schemaregistry/tenant/";
const std::string kProfile = "https://ns.adobe.com/xdm/context/profile";
const std::string kList = "application/vnd.adobe.xed-id+json";
const std::string kFull = "application/vnd.adobe.xed-full+json; version=1";
const std::string kPlain = "application/vnd.adobe.xed+json;version=1";

struct RegistryTest : testing::Test {
  Reply get(const std::string& path, const std::string& accept) {
    return world.call("GET", kTenant + path, accept.empty() ? Headers() : Headers{{"accept", accept}});
  }
  Reply post(const std::string& path, const Json& body) {
    return world.call("POST", kTenant + path, kJson, body.dump());
  }
  static Json group_body(const std::string& title, const Json& fields) {
    return {{"type", "object"},
            {"title", title},
            {"meta:intendedToExtend", {kProfile}},
            {"definitions",
             {{"customFields",
               {{"type", "object"}, {"properties", {{"_demoemea", {{"type", "object"}, {"properties", fields}}}}}}}}},
            {"allOf", {{{"$ref", "#/definitions/customFields"}, {"type", "object"}}}}};
  }
  std::string group(const std::string& title) {
    return post("fieldgroups", group_body(title, {{"audienceMembershipId", {{"type", "string"}}}})).json()["$id"];
  }
  std::string schema(const std::string& title, const std::vector<std::string>& parts) {
    Json body{{"type", "object"}, {"title", title}, {"description", "Invented"}, {"allOf", {{{"$ref", kProfile}}}}};
    for (const std::string& part : parts) body["allOf"].push_back({{"$ref", part}});
    const Reply reply = post("schemas", body);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return reply.json()["$id"];
  }
  static std::string code(const Reply& reply) {
    const std::string type = reply.json()["type"];
    return type.substr(type.rfind('/') + 1);
  }
  Json identity(const std::string& of, const std::string& property, bool primary) {
    return {{"@type", "xdm:descriptorIdentity"}, {"xdm:sourceSchema", of},   {"xdm:sourceVersion", 1},
            {"xdm:sourceProperty", property},    {"xdm:namespace", "Email"}, {"xdm:property", "xdm:code"},
            {"xdm:isPrimary", primary}};
  }
  ShellWorld world{contract_folder()};
};

TEST_F(RegistryTest, ListsAndLookupsNeedOppositeAcceptHeaders) {
  const std::string id = percent_encode(group("G"));
  EXPECT_EQ(get("fieldgroups", kList).status, 200);
  EXPECT_EQ(get("fieldgroups", "application/vnd.adobe.xed+json").status, 200);
  EXPECT_EQ(code(get("fieldgroups", kList + ";version=1")), "XDM-1006-400");
  EXPECT_EQ(code(get("fieldgroups", "")), "XDM-1006-400");
  EXPECT_EQ(get("fieldgroups/" + id, kPlain).status, 200);
  EXPECT_EQ(code(get("fieldgroups/" + id, "application/vnd.adobe.xed+json")), "XDM-1007-400");
  EXPECT_EQ(code(get("fieldgroups/" + id, "*/*")), "XDM-1007-400");
  EXPECT_EQ(get("fieldgroups/" + id, "text/html").status, 406);
  EXPECT_EQ(get("fieldgroups/" + id, "application/vnd.adobe.xed-id+json;version=1").status, 406);
  EXPECT_EQ(code(get("fieldgroups/" + id, "application/vnd.adobe.xed+json;version=2")), "XDM-1012-404");
  EXPECT_EQ(code(get("descriptors", kList)), "XDM-1008-400");
  EXPECT_EQ(code(get("schemas/none", kPlain)), "XDM-1012-404");
}

TEST_F(RegistryTest, AResourceIsFoundByBothItsNames) {
  const Json made = post("fieldgroups", group_body("G", {{"a", {{"type", "string"}}}})).json();
  EXPECT_EQ(made["version"], "1.0");
  EXPECT_EQ(made["meta:resourceType"], "mixins");
  EXPECT_EQ(made["meta:tenantNamespace"], "_demoemea");
  EXPECT_EQ(get("fieldgroups/" + made["meta:altId"].get<std::string>(), kPlain).json(), made);
  EXPECT_EQ(get("mixins/" + percent_encode(made["$id"].get<std::string>()), kPlain).json(), made);
  EXPECT_EQ(get("schemas/" + percent_encode(made["$id"].get<std::string>()), kPlain).status, 404);
}

TEST_F(RegistryTest, PagesByValueOfTheFirstOrderField) {
  for (const char* title : {"c", "a", "d", "b", "e"}) group(title);
  const auto titles = [&](const Json& page) {
    std::string text;
    for (const Json& item : page["results"]) text += item["title"].get<std::string>() + " ";
    return text;
  };
  const std::string only = "property=title~%5E.%24&";
  Json page = get("fieldgroups?" + only + "orderby=title&limit=2", kList).json();
  EXPECT_EQ(titles(page), "a b ");
  EXPECT_EQ(page["_page"]["next"], "b");
  page = get("fieldgroups?" + only + "orderby=title&limit=2&start=b", kList).json();
  EXPECT_EQ(titles(page), "c d ");
  page = get("fieldgroups?" + only + "orderby=title&limit=2&start=d", kList).json();
  EXPECT_EQ(titles(page), "e ");
  EXPECT_EQ(page["_page"]["next"], nullptr);
  EXPECT_EQ(titles(get("fieldgroups?" + only + "orderby=-title&limit=2&start=c", kList).json()), "b a ");
  EXPECT_EQ(get("fieldgroups?start=b", kList).status, 400);
  EXPECT_EQ(get("fieldgroups?limit=2", kList).status, 400);
  EXPECT_EQ(get("fieldgroups?orderby=title&limit=501", kList).status, 400);
  world.control("PUT", "/_emulator/settings", {{"page_cap", 3}});
  EXPECT_EQ(get("fieldgroups?" + only + "orderby=title&limit=100", kList).json()["results"].size(), 3U);
}

struct FilterCase {
  const char* name;
  const char* query;
  std::size_t found;
};
struct RegistryFilterTest : RegistryTest, testing::WithParamInterface<FilterCase> {};

TEST_P(RegistryFilterTest, Finds) {
  group("alpha");
  group("beta");
  group("gamma");
  const Json found = get(std::string("fieldgroups?property=title~a%24&") + GetParam().query, kList).json();
  EXPECT_EQ(found["results"].size(), GetParam().found) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Properties, RegistryFilterTest,
    testing::Values(
        FilterCase{"equal", "property=title%3D%3Dbeta", 1}, FilterCase{"unequal", "property=title!=beta", 2},
        FilterCase{"less", "property=title%3Cbeta", 1}, FilterCase{"at_most", "property=title%3C%3Dbeta", 2},
        FilterCase{"more", "property=title%3Ebeta", 1}, FilterCase{"at_least", "property=title%3E%3Dbeta", 2},
        FilterCase{"regex", "property=title~mm", 1}, FilterCase{"present", "property=meta:intendedToExtend", 3},
        FilterCase{"absent", "property=meta:class", 0},
        FilterCase{"nested", "property=meta:registryMetadata.xdm:createdClientId==client", 3},
        FilterCase{"in_array", "property=meta:intendedToExtend==https://ns.adobe.com/xdm/context/profile", 3},
        FilterCase{"all_must_hold", "property=title%3Ealpha&property=title%3Cgamma", 1}),
    [](const auto& param) { return param.param.name; });

TEST_F(RegistryTest, ANewResourceMayBeLateInLists) {
  world.control("PUT", "/_emulator/settings", {{"list_lag", "1h"}});
  world.control("PUT", "/_emulator/clock", {{"advance", "2h"}});
  const std::string id = group("late");
  const std::string query = "fieldgroups?property=title==late&orderby=title";
  EXPECT_TRUE(get(query, kList).json()["results"].empty());
  EXPECT_EQ(get("fieldgroups/" + percent_encode(id), kPlain).status, 200);
  world.control("PUT", "/_emulator/clock", {{"advance", "1h"}});
  EXPECT_EQ(get(query, kList).json()["results"].size(), 1U);
}

TEST_F(RegistryTest, FullFormHasEveryFieldInPlace) {
  const std::string id = schema("S", {group("G")});
  const Json plain = get("schemas/" + percent_encode(id), kPlain).json();
  EXPECT_TRUE(plain.contains("allOf"));
  EXPECT_FALSE(plain.contains("properties"));
  EXPECT_EQ(plain["meta:class"], kProfile);
  const Json full = get("schemas/" + percent_encode(id), kFull).json();
  EXPECT_FALSE(full.contains("allOf"));
  EXPECT_EQ(full["title"], "S");
  EXPECT_EQ(full["properties"]["personID"]["type"], "string");
  EXPECT_EQ(full["properties"]["_id"]["type"], "string");
  EXPECT_EQ(full["properties"]["_demoemea"]["properties"]["audienceMembershipId"]["type"], "string");
  const Json bare =
      get("schemas/" + percent_encode(id), "application/vnd.adobe.xed-full-notext+json; version=1").json();
  EXPECT_FALSE(bare.contains("title"));
  EXPECT_FALSE(bare["properties"]["personID"].contains("title"));
}

TEST_F(RegistryTest, UnionHoldsThePeopleSchemasAndWhatThePlatformAdds) {
  const Json list = get("unions", kList).json();
  ASSERT_EQ(list["results"].size(), 1U);
  EXPECT_EQ(list["results"][0]["meta:altId"], "_xdm.context.profile__union");
  const Json full = get("unions/" + percent_encode(kProfile + "__union"), kFull).json()["properties"];
  EXPECT_EQ(full["_demoemea"]["properties"]["identification"]["properties"]["core"]["properties"]["email"]["type"],
            "string");
  EXPECT_EQ(full["person"]["properties"]["name"]["properties"]["lastName"]["type"], "string");
  EXPECT_EQ(full["segmentMembership"]["additionalProperties"]["additionalProperties"]["properties"]["status"]["type"],
            "string");
  EXPECT_EQ(full["identityMap"]["meta:xdmType"], "map");

  const std::string plain = schema("Not for profile", {group("Extra")});
  EXPECT_FALSE(get("unions/_xdm.context.profile__union", kFull)
                   .json()["properties"]["_demoemea"]["properties"]
                   .contains("audienceMembershipId"));
  const Json tag = Json::array({{{"op", "add"}, {"path", "/meta:immutableTags"}, {"value", {"union"}}}});
  EXPECT_EQ(world.call("PATCH", kTenant + "schemas/" + percent_encode(plain), kJson, tag.dump()).status, 200);
  EXPECT_TRUE(get("unions/_xdm.context.profile__union", kFull)
                  .json()["properties"]["_demoemea"]["properties"]
                  .contains("audienceMembershipId"));
}

TEST_F(RegistryTest, RefusesResourcesThatCannotBe) {
  const std::string known = group("known");
  const Json text{{"type", "string"}};
  EXPECT_EQ(code(post("fieldgroups", group_body("known", {{"a", text}}))), "XDM-3005-400");
  EXPECT_EQ(post("fieldgroups", group_body("x", {{"_a", text}})).status, 400);
  EXPECT_EQ(post("fieldgroups", group_body("x", {{"a b", text}})).status, 400);
  EXPECT_EQ(post("fieldgroups", group_body("x", {{"a", {{"type", "text"}}}})).status, 400);
  EXPECT_EQ(post("fieldgroups", group_body("x", {{"a", {{"type", "array"}}}})).status, 400);
  Json elsewhere = group_body("x", {{"a", text}});
  elsewhere["definitions"]["customFields"]["properties"] = {{"other", text}};
  EXPECT_EQ(post("fieldgroups", elsewhere).status, 400);
  EXPECT_EQ(post("schemas", {{"title", "x"}, {"allOf", {{{"$ref", known}}}}}).status, 400) << "no class";
  EXPECT_EQ(post("schemas", {{"title", "x"}, {"allOf", {{{"$ref", kProfile}}, {{"$ref", "https://ns/none"}}}}}).status,
            400);
  EXPECT_EQ(post("schemas", {{"allOf", {{{"$ref", kProfile}}}}}).status, 400) << "no title";
  EXPECT_EQ(world.call("POST", kTenant + "schemas", {}, "{").status, 400);
}

TEST_F(RegistryTest, PatchAppliesRaisesTheVersionAndMayOnlyAddOnceThereIsData) {
  const std::string group_id = group("G");
  const std::string id = schema("S", {group_id});
  const std::string one = kTenant + "fieldgroups/" + percent_encode(group_id);
  const std::string fields = "/definitions/customFields/properties/_demoemea/properties/";
  const auto patch = [&](const Json& operation) {
    return world.call("PATCH", one, kJson, Json::array({operation}).dump());
  };

  const Reply added = patch({{"op", "add"}, {"path", fields + "count"}, {"value", {{"type", "integer"}}}});
  EXPECT_EQ(added.json()["version"], "1.1");
  EXPECT_EQ(patch({{"op", "replace"}, {"path", fields + "count"}, {"value", {{"type", "string"}}}}).status, 200);

  world.registry.schema_has_data = [&](const std::string& schema_id) { return schema_id == id; };
  const Reply broken = patch({{"op", "replace"}, {"path", fields + "count"}, {"value", {{"type", "integer"}}}});
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.body.find("_demoemea.count"), std::string::npos) << broken.body;
  EXPECT_EQ(patch({{"op", "remove"}, {"path", fields + "count"}}).status, 400);
  EXPECT_EQ(patch({{"op", "add"}, {"path", fields + "more"}, {"value", {{"type", "string"}}}}).json()["version"],
            "1.3");
  EXPECT_EQ(patch({{"op", "remove"}, {"path", "/nowhere"}}).status, 400);
  EXPECT_EQ(get("fieldgroups/" + percent_encode(group_id), kPlain).json()["version"], "1.3");
}

TEST_F(RegistryTest, WhatIsInUseCannotBeDeleted) {
  const std::string group_id = group("G");
  const std::string id = schema("S", {group_id});
  const std::string one_group = kTenant + "fieldgroups/" + percent_encode(group_id);
  const std::string one_schema = kTenant + "schemas/" + percent_encode(id);
  EXPECT_EQ(world.call("DELETE", one_group).status, 400);
  world.registry.schema_has_dataset = [](const std::string&) { return true; };
  EXPECT_EQ(world.call("DELETE", one_schema).status, 400);
  world.registry.schema_has_dataset = [](const std::string&) { return false; };
  EXPECT_EQ(post("descriptors", identity(id, "/personID", true)).status, 201);
  EXPECT_EQ(world.call("DELETE", one_schema).status, 204);
  EXPECT_EQ(world.call("DELETE", one_group).status, 204);
  EXPECT_EQ(world.call("DELETE", one_group).status, 404);
}

TEST_F(RegistryTest, OnePrimaryIdentityPerSchema) {
  const std::string id = schema("S", {group("G")});
  const Reply made = post("descriptors", identity(id, "/personID", true));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json()["meta:containerId"], "tenant");
  EXPECT_EQ(post("descriptors", identity(id, "/personID", true)).status, 400) << "again";
  EXPECT_EQ(post("descriptors", identity(id, "/_demoemea/audienceMembershipId", true)).status, 400)
      << "a second primary";
  EXPECT_EQ(post("descriptors", identity(id, "/_demoemea/audienceMembershipId", false)).status, 201);
  EXPECT_EQ(post("descriptors", identity(id, "/nothing", false)).status, 400);
  Json unknown = identity(id, "/repositoryCreatedBy", false);
  unknown["xdm:namespace"] = "email";
  EXPECT_EQ(post("descriptors", unknown).status, 400) << "codes are case sensitive";

  const auto lock = world.platform.objects.lock();
  EXPECT_EQ(resolved_schema(world.platform, id)->at("primaryIdentity"), "/personID");
}

TEST_F(RegistryTest, DescriptorListsSpeakFourDialects) {
  const std::string schema_id = schema("S", {group("G")});
  const std::string id = post("descriptors", identity(schema_id, "/personID", true)).json()["@id"];
  const std::string query =
      "descriptors?property=" + percent_encode("@type==xdm:descriptorIdentity,xdm:sourceSchema==" + schema_id);
  const auto list = [&](const std::string& type) {
    return get(query, "application/vnd.adobe." + type + "+json").json();
  };
  EXPECT_EQ(list("xdm-id")["xdm:descriptorIdentity"], Json::array({id}));
  EXPECT_EQ(list("xdm-link")["xdm:descriptorIdentity"], Json::array({"/tenant/descriptors/" + id}));
  EXPECT_EQ(list("xdm")["xdm:descriptorIdentity"][0]["@id"], id);
  EXPECT_EQ(list("xdm-v2")["results"][0]["@id"], id);
  EXPECT_EQ(list("xdm-v2-id")["results"], Json::array({id}));
  EXPECT_EQ(get("descriptors/" + id, "").json()["xdm:sourceProperty"], "/personID");
  EXPECT_EQ(world.call("DELETE", kTenant + "descriptors/" + id).status, 204);
  EXPECT_EQ(get("descriptors/" + id, "").status, 404);
}

TEST_F(RegistryTest, StatsNameTheTenant) {
  const Json stats = world.call("GET", "/data/foundation/schemaregistry/stats").json();
  EXPECT_EQ(stats["tenantId"], "demoemea");
  EXPECT_EQ(stats["counts"]["schemas"], 1);
}

TEST_F(RegistryTest, TheGlobalContainerIsReadOnly) {
  const std::string global = "/data/foundation/schemaregistry/global/classes";
  EXPECT_EQ(world.call("GET", global, {{"accept", kList}}).json()["results"].size(), 2U);
  EXPECT_EQ(world.call("GET", global + "/_xdm.context.profile", {{"accept", kPlain}}).status, 200);
  EXPECT_EQ(world.call("POST", global, {}, "{}").status, 405);
}

}  // namespace
}  // namespace emulator
