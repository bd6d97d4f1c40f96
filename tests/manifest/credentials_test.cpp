#include "engine/manifest/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <type_traits>

#include "tests/manifest/memory_files.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kMarker = "planted-marker-71c0";

std::string credential_json(std::string_view id) {
  return R"({"client_id":")" + std::string(id) + R"(","client_secret":")" + kMarker + "\"}";
}

class CredentialsTest : public testing::Test {
 protected:
  Result<Credential> find(std::string_view name = "my-org") {
    return find_credential(
        files,
        [this](std::string_view key) -> std::optional<std::string> {
          const auto found = environment.find(std::string(key));
          return found == environment.end() ? std::nullopt : std::optional(found->second);
        },
        "/nowhere/audiencesync", name);
  }

  /// The message of the error; none of them may have a part of a credential.
  std::string failure(std::string_view name = "my-org") {
    const auto found = find(name);
    EXPECT_FALSE(found.ok());
    if (found.ok()) return "";
    EXPECT_THAT(found.error().text(), Not(HasSubstr(kMarker)));
    return found.error().text();
  }

  MemoryFiles files;
  std::map<std::string, std::string> environment;
};

TEST_F(CredentialsTest, TheThreePlacesAreLookedAtInOrder) {
  environment = {{"CREDENTIALS_DIRECTORY", "/run/credentials"},
                 {"AUDIENCESYNC_MY_ORG_CLIENT_ID", "third"},
                 {"AUDIENCESYNC_MY_ORG_CLIENT_SECRET", kMarker}};
  EXPECT_EQ(find()->client_id, "third");
  files.put("/nowhere/audiencesync/credentials/my-org", credential_json("second"));
  EXPECT_EQ(find()->client_id, "second");
  files.put("/run/credentials/audiencesync_my-org", credential_json("folder"));
  EXPECT_EQ(find()->client_id, "folder");
  files.put("/run/credentials/my-org", credential_json("first"));
  const auto found = find();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->client_id, "first");
  EXPECT_EQ(found->client_secret.reveal(), kMarker);
  EXPECT_EQ(found->scopes, "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext");
}

TEST_F(CredentialsTest, ScopesLoseTheirBlanks) {
  files.put("/nowhere/audiencesync/credentials/my-org",
            R"({"client_id":"a","client_secret":"b","scopes":"openid, session"})");
  EXPECT_EQ(find()->scopes, "openid,session");
}

TEST_F(CredentialsTest, NothingFoundNamesEveryPlace) {
  EXPECT_EQ(failure(),
            "credential 'my-org' was not found; looked at $CREDENTIALS_DIRECTORY (not set), "
            "/nowhere/audiencesync/credentials/my-org, the variables AUDIENCESYNC_MY_ORG_CLIENT_ID and "
            "AUDIENCESYNC_MY_ORG_CLIENT_SECRET; write {\"client_id\": \"...\", \"client_secret\": \"...\"} into "
            "/nowhere/audiencesync/credentials/my-org with mode 0600");
  environment["CREDENTIALS_DIRECTORY"] = "/run/credentials";
  EXPECT_THAT(failure(),
              HasSubstr("looked at /run/credentials/my-org, /run/credentials/audiencesync_my-org, /nowhere"));
  EXPECT_EQ(find().error().code(), ErrorCode::Authentication);
}

TEST_F(CredentialsTest, ADamagedFileIsNotPassedOver) {
  environment = {{"AUDIENCESYNC_MY_ORG_CLIENT_ID", "third"}, {"AUDIENCESYNC_MY_ORG_CLIENT_SECRET", kMarker}};
  const std::string path = "/nowhere/audiencesync/credentials/my-org";
  const std::string expected =
      "credential " + path +
      " is not as expected; write {\"client_id\": \"...\", \"client_secret\": \"...\"} and, if "
      "needed, \"scopes\": \"a,b\"";
  for (const auto& content : {std::string(kMarker), std::string("{\"client_secret\": \"") + kMarker, std::string("[]"),
                              std::string(R"({"client_id":1,"client_secret":"x"})"),
                              std::string(R"({"client_id":"a","client_secret":"x","other":"y"})")}) {
    files.put(path, content);
    EXPECT_EQ(failure(), expected) << content;
  }
}

TEST_F(CredentialsTest, MissingAndBrokenPartsAreNamed) {
  const std::string path = "/nowhere/audiencesync/credentials/my-org";
  files.put(path, std::string(R"({"client_secret":")") + kMarker + "\"}");
  EXPECT_EQ(failure(), "credential " + path + ": client_id is missing or empty; copy it from the Developer Console");
  files.put(path, std::string(R"({"client_id":"a","client_secret":")") + kMarker + "\\n\"}");
  EXPECT_EQ(failure(), "credential " + path + ": client_secret has blanks or line breaks; copy it again without them");
}

TEST_F(CredentialsTest, HalfACredentialInTheEnvironmentIsNamed) {
  environment["AUDIENCESYNC_MY_ORG_CLIENT_ID"] = "a";
  EXPECT_EQ(failure(),
            "credential of the variables AUDIENCESYNC_MY_ORG_CLIENT_ID and _CLIENT_SECRET: client_secret is missing or "
            "empty; copy it from the Developer Console");
}

TEST_F(CredentialsTest, ANameIsNoPath) {
  files.put("/nowhere/audiencesync/credentials/../adobe", credential_json("x"));
  EXPECT_THAT(failure("../adobe"), HasSubstr("credential '../adobe' is not the name of a credential"));
}

TEST(CredentialFileTest, MustNotBeReadableByOthers) {
  const auto folder = std::filesystem::temp_directory_path() / ("credentials_test." + std::to_string(::getpid()));
  const auto path = folder / "credentials" / "adobe";
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << credential_json("a");
  const auto nothing = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
  using std::filesystem::perms;
  const auto with_mode = [&](perms mode) {
    std::filesystem::permissions(path, mode);
    const auto found = find_credential(PosixFiles(), nothing, folder, "adobe");
    return found.ok() ? found->client_id : found.error().text();
  };
  const auto owner = perms::owner_read | perms::owner_write;
  EXPECT_EQ(with_mode(owner), "a");
  EXPECT_EQ(with_mode(owner | perms::group_read), "credential " + path.string() +
                                                      " can be read or changed by other users (mode 0640); run: chmod "
                                                      "600 " +
                                                      path.string());
  EXPECT_THAT(with_mode(owner | perms::others_read), HasSubstr("(mode 0604)"));
  std::filesystem::remove_all(folder);
}

TEST_F(CredentialsTest, OfQueryServiceIsThePlatformsOwnFile) {
  const auto find_query = [&] {
    return find_query_credential(
        files, [](std::string_view) { return std::nullopt; }, "/nowhere/audiencesync", "query");
  };
  const auto complaint = [&](const std::string& content) {
    files.put("/nowhere/audiencesync/credentials/query", content);
    const auto found = find_query();
    EXPECT_FALSE(found.ok()) << content;
    if (found.ok()) return std::string();
    EXPECT_THAT(found.error().text(), Not(HasSubstr(kMarker)));
    return found.error().text();
  };
  EXPECT_THAT(find_query().error().text(), HasSubstr("credential 'query' of Query Service was not found"));
  EXPECT_THAT(complaint(kMarker), HasSubstr("is not as expected"));
  EXPECT_THAT(complaint(std::string(R"({"credential":")") + kMarker + "\"}"),
              HasSubstr("technicalAccountId is missing or empty"));
  EXPECT_THAT(complaint(std::string(R"({"technicalAccountId":"a@b","credential":")") + kMarker + "\\n\"}"),
              HasSubstr("credential has blanks or line breaks"));
  files.put("/nowhere/audiencesync/credentials/query",
            std::string(R"({"technicalAccountName":"n","technicalAccountId":"a@b","credential":")") + kMarker + "\"}");
  const auto found = find_query();
  ASSERT_TRUE(found.ok()) << found.error().text();
  EXPECT_EQ(found->password.reveal(), std::string("a@b:") + kMarker);
}

}  // namespace
}  // namespace audiencesync
