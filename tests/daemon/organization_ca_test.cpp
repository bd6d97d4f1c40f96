// Certificates of an organisation, through the whole program, against a server with an authority of its own.
#include <gmock/gmock.h>

#include <sstream>

#include "daemon/plans/plan_server.h"
#include "daemon/program.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/report/memory_events.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OrganizationCa : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = testing::run_process(
        {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path("key.pem"),
         "-out", path("ca.pem")},
        {}, folder_.path());
    ASSERT_EQ(made.code, 0) << made.err;
    // Any server will do: it knows no token service, and says so.
    Listen listen;
    listen.host = "127.0.0.1";
    listen.certificate = path("ca.pem");
    listen.key = path("key.pem");
    server_ = std::make_unique<PlanServer>(listen, PlanServices{});
    auto port = server_->start();
    ASSERT_TRUE(port.ok()) << port.error().text();
    port_ = *port;
    std::filesystem::create_directories(folder_.path() / "credentials");
    testing::write_file(folder_.path() / "credentials" / "adobe", R"({"client_id":"i","client_secret":"s"})");
    std::filesystem::permissions(folder_.path() / "credentials" / "adobe", std::filesystem::perms::owner_read);
    testing::write_file(folder_.path() / "m.yaml",
                        "version: 1\nname: luma\ntenant: _t\nidentity: { field: _t.email, namespace: Email }\n"
                        "audiences: [{ name: Gold }]\n");
  }
  std::string path(const char* name) const { return (folder_.path() / name).string(); }

  /// What `plan` says with these lines in the organisation.
  std::string plan(const std::string& lines) {
    const auto url = "https://127.0.0.1:" + std::to_string(port_);
    testing::write_file(folder_.path() / "s.yaml",
                        "version: 1\nstate: state\nretry: { attempts: 1 }\norganizations:\n  default:\n"
                        "    organization_id: X@AdobeOrg\n    credential: adobe\n    endpoints: { ims: \"" +
                            url + "\", platform: \"" + url + "\", analytics: \"" + url + "\" }\n" + lines);
    const Environment empty = [](std::string_view) { return std::nullopt; };
    const Adapters adapters{files_, clock_, transport_, events_, empty, open_sqlite_store, {}, {}};
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in;
    const Console console{out, err, {}, {}, &in};
    EXPECT_NE(run_program({"plan", path("m.yaml"), "--config", path("s.yaml")}, adapters, console, {}),
              ExitCode::Converged);
    return out.str() + err.str();
  }

  testing::TemporaryFolder folder_;
  PosixFiles files_;
  SystemClock clock_;
  http::CurlTransport transport_;
  MemoryEvents events_;
  std::unique_ptr<PlanServer> server_;
  int port_ = 0;
};

TEST_F(OrganizationCa, ItsServersAreTrustedByIt) {
  EXPECT_THAT(plan(""), HasSubstr("certificate")) << "the system does not know that authority";
  const auto trusted = plan("    ca_file: ca.pem\n");
  EXPECT_THAT(trusted, HasSubstr("404")) << "it got as far as an answer";
  EXPECT_THAT(trusted, Not(HasSubstr("certificate")));
}

TEST_F(OrganizationCa, AFileWithoutCertificatesIsSaidBeforeAnyCall) {
  EXPECT_THAT(plan("    ca_file: nowhere.pem\n"), HasSubstr("nowhere.pem' of the organisation cannot be read"));
  EXPECT_THAT(plan("    ca_file: m.yaml\n"), HasSubstr("m.yaml' of the organisation holds no certificate"));
}

}  // namespace
}  // namespace audiencesync
