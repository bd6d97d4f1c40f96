#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "daemon/gitops/git_source.h"
#include "daemon/gitops/libgit2/libgit2_repository.h"
#include "tests/gitops/git_bench.h"
#include "tests/gitops/gitops_world.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A host as companies have them: https with a certificate of an authority of their own, and a token.
class GitHostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made =
        run_process({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                     "-keyout", at("key.pem"), "-out", at("certificate.pem")},
                    {}, scratch_.path());
    ASSERT_EQ(made.code, 0) << made.err;
    authors_.write("manifests/luma.yaml", manifest_text("luma"));
    commit_ = authors_.commit();
    host_ = start_process(
        {"/usr/bin/env", "node", AUDIENCESYNC_SOURCE_DIR "/tests/gitops/git_host.js", scratch_.path().string(),
         at("certificate.pem"), at("key.pem"), "reader", "TOKEN-MARKER-7", at("ready")},
        {}, at("host.out"), at("host.err"));
    for (int looks = 0; looks < 12000 && !std::filesystem::exists(at("ready")); ++looks) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(std::filesystem::exists(at("ready"))) << read_file(at("host.err"));
    from_.url = fmt::format("https://localhost:{}/authors/.git", read_file(at("ready")));
    from_.path = "manifests";
    from_.username = "reader";
    from_.token_file = at("token");
    write_file(from_.token_file, "TOKEN-MARKER-7\n");
  }
  void TearDown() override {
    if (host_ == 0) return;
    ::kill(host_, SIGTERM);
    wait_process(host_);
  }

  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }

  /// Why a look did not reach the host; "" when it did.
  std::string unreached() {
    auto repository = open_git_repository(files_, checkout_.repository());
    if (!repository.ok()) return repository.error().text();
    const auto state = checkout_.look(**repository, from_, usual_rules(), from_epoch_ms(1'767'225'600'000));
    if (!state.ok()) return state.error().text();
    std::string said;
    for (const auto& line : complaints_of(*state, from_)) said += line + "\n";
    return said;
  }

  TemporaryFolder scratch_;
  AuthorsRepository authors_{scratch_.path()};
  PosixFiles files_;
  GitManifests from_;
  GitCheckout checkout_{files_, scratch_.path() / "state" / "manifests"};
  std::string commit_;
  pid_t host_ = 0;
};

TEST_F(GitHostTest, IsReachedByTokenOnceItsAuthorityIsTrusted) {
  // The order matters: what one look was told to trust, the program that looks trusts until it ends.
  EXPECT_THAT(unreached(), HasSubstr("the certificate of localhost is not trusted here; add its authority to the "
                                     "system's, or name its file in manifests.git.ca_file"));
  from_.ca_file = at("key.pem");
  EXPECT_THAT(unreached(), HasSubstr("manifests.git.ca_file " + at("key.pem") +
                                     " cannot be used; write the path of a file with certificates (PEM)"));
  from_.ca_file = at("certificate.pem");
  write_file(from_.token_file, "another\n");
  const auto refused = unreached();
  EXPECT_THAT(refused, HasSubstr("the host does not accept what we show; check username, token_file and ssh_key"));
  EXPECT_THAT(refused, ::testing::Not(HasSubstr("another")));
  write_file(from_.token_file, "TOKEN-MARKER-7\n");
  EXPECT_THAT(unreached(), IsEmpty());
  const auto set = manifests_of_branch(checkout_, from_, usual_rules());
  ASSERT_TRUE(set.ok()) << set.error().text();
  EXPECT_EQ(names_of(*set), "luma");
  EXPECT_EQ(set->commit, commit_);
}

}  // namespace
}  // namespace audiencesync::testing
