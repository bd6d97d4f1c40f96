#include <gtest/gtest.h>

#include "shell_world.h"

namespace emulator {
namespace {

constexpr const char* kAudiences = "/data/core/ups/audiences";

struct GatewayTest : testing::Test {
  Reply without(const std::string& header) {
    Headers headers = world.credentials();
    headers.erase(header);
    return TestClient(world.server->port()).send("GET", kAudiences, headers);
  }
  Reply with(const std::string& header, const std::string& value) {
    Headers headers = world.credentials();
    headers[header] = value;
    return TestClient(world.server->port()).send("GET", kAudiences, headers);
  }
  Reply ask_token(const std::string& form) {
    return TestClient(world.server->port())
        .send("POST", "/ims/token/v3", {{"content-type", "application/x-www-form-urlencoded"}}, form);
  }
  ShellWorld world;
};

TEST_F(GatewayTest, NamesWhatIsMissingInTheOrderOfThePlatform) {
  EXPECT_EQ(TestClient(world.server->port()).send("GET", kAudiences).json()["error_code"], "403010");
  EXPECT_EQ(without("authorization").json()["error_code"], "403010");
  EXPECT_EQ(with("authorization", "Bearer nobody").json()["error_code"], "401013");
  EXPECT_EQ(without("x-api-key").json()["error_code"], "403000");
  EXPECT_EQ(with("x-api-key", "other").json()["error_code"], "403003");
  EXPECT_EQ(without("x-gw-ims-org-id").json()["error_code"], "400003");
  EXPECT_EQ(with("x-gw-ims-org-id", "OTHER@AdobeOrg").json()["error_code"], "403027");
  EXPECT_EQ(with("x-gw-ims-org-id", "ABC").json()["error_code"], "403025");
  EXPECT_EQ(without("x-sandbox-name").json()["error_code"], "400003");
  EXPECT_EQ(with("x-sandbox-name", "dev").status, 404);
}

TEST_F(GatewayTest, StatusIsTheBeginningOfTheCode) {
  EXPECT_EQ(without("authorization").status, 403);
  EXPECT_EQ(with("authorization", "Bearer nobody").status, 401);
  EXPECT_EQ(without("x-gw-ims-org-id").status, 400);
}

TEST_F(GatewayTest, EveryAnswerCarriesARequestId) {
  EXPECT_FALSE(without("authorization").headers.at("x-request-id").empty());
  EXPECT_EQ(with("x-request-id", "mine").headers.at("x-request-id"), "mine");
}

TEST_F(GatewayTest, SandboxManagementNeedsNoSandbox) {
  Headers headers = world.credentials();
  headers.erase("x-sandbox-name");
  const Reply reply = TestClient(world.server->port()).send("GET", "/data/foundation/sandbox-management/", headers);
  EXPECT_EQ(reply.json()["sandboxes"][0]["name"], "prod");
  EXPECT_EQ(world.call("GET", "/data/foundation/sandbox-management/sandboxes/dev").status, 404);
}

TEST_F(GatewayTest, UnknownPathsAndMethodsAreTheGatewaysBusiness) {
  EXPECT_EQ(world.call("GET", "/data/core/nothing").status, 404);
  EXPECT_EQ(world.call("DELETE", kAudiences).status, 405);
}

TEST_F(GatewayTest, TokenServiceRefusesAsOAuthDoes) {
  const std::string good = "grant_type=client_credentials&client_id=client&client_secret=top-secret";
  EXPECT_EQ(ask_token(good).json()["error"], "invalid_scope");
  EXPECT_EQ(ask_token(good + "&scope=other").json()["error"], "invalid_scope");
  EXPECT_EQ(ask_token("grant_type=password&client_id=client").json()["error"], "unsupported_grant_type");
  EXPECT_EQ(ask_token("grant_type=client_credentials&client_id=x&client_secret=y").json()["error"], "invalid_client");
  const Reply wrong = ask_token("grant_type=client_credentials&client_id=client&client_secret=y&scope=openid");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json()["error"], "invalid_client");
  const Reply token = ask_token(good + "&scope=openid%2CAdobeID");
  EXPECT_EQ(token.json()["token_type"], "bearer");
  EXPECT_EQ(token.json()["expires_in"], 86399);
}

TEST_F(GatewayTest, TokensExpireByTheEmulatorsClock) {
  world.control("PUT", "/_emulator/settings", {{"token_lifetime", "1h"}});
  EXPECT_EQ(world.call("GET", kAudiences).status, 200);
  world.control("PUT", "/_emulator/clock", {{"advance", "59m"}});
  EXPECT_EQ(world.call("GET", kAudiences).status, 200);
  world.control("PUT", "/_emulator/clock", {{"advance", "1m"}});
  EXPECT_EQ(world.call("GET", kAudiences).json()["error_code"], "401013");
  EXPECT_EQ(with("authorization", "Bearer " + world.token()).status, 200);
}

TEST_F(GatewayTest, DeniesWhatAccessControlForbidsInTheServicesOwnWords) {
  world.control(
      "PUT", "/_emulator/settings",
      {{"deny",
        {{{"method", "GET"}, {"path", kAudiences}}, {{"method", "POST"}, {"path", "/data/foundation/catalog/*"}}}}});
  const Reply audiences = world.call("GET", kAudiences);
  EXPECT_EQ(audiences.status, 403);
  EXPECT_EQ(audiences.json()["errors"]["403"][0]["code"], "UPAPI-113752-403");
  EXPECT_EQ(world.call("POST", "/data/foundation/catalog/dataSets", {}, "{}").status, 403);
  EXPECT_EQ(world.created, 0);
  EXPECT_EQ(world.call("GET", "/data/foundation/catalog/dataSets").status, 200);
}

TEST_F(GatewayTest, MergePoliciesAndNamespaces) {
  const Json policies = world.call("GET", "/data/core/ups/config/mergePolicies").json();
  ASSERT_EQ(policies["children"].size(), 2U);
  const Json chosen = world.call("GET", "/data/core/ups/config/mergePolicies?default=true").json()["children"];
  ASSERT_EQ(chosen.size(), 1U);
  const std::string one = "/data/core/ups/config/mergePolicies/" + chosen[0]["id"].get<std::string>();
  EXPECT_EQ(world.call("GET", one).json()["default"], true);
  EXPECT_EQ(world.call("GET", "/data/core/ups/config/mergePolicies/none").status, 404);
  const Json page = world.call("GET", "/data/core/ups/config/mergePolicies?limit=1").json();
  EXPECT_EQ(page["_page"]["next"], "1");
  EXPECT_EQ(world.call("GET", "/data/core/ups/config/mergePolicies?limit=1&start=1").json()["children"][0],
            policies["children"][1]);

  const std::string identities = "/data/core/idnamespace/identities";
  Json email;
  for (const Json& entry : world.call("GET", identities).json())
    if (entry["code"] == "Email") email = entry;
  EXPECT_EQ(email["id"], 6);
  const Json wanted{{"name", "CRM"}, {"code", "crm"}, {"idType", "CROSS_DEVICE"}};
  const Json made = world.call("POST", identities, {}, wanted.dump()).json();
  EXPECT_EQ(made["custom"], true);
  EXPECT_EQ(world.call("GET", identities + "/" + made["id"].dump()).json(), made);
  const Reply again = world.call("POST", identities, {}, wanted.dump());
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.json()["error"], "NAMESPACE_CODE_CONFLICT");
}

}  // namespace
}  // namespace emulator
