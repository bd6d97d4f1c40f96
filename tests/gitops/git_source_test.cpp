#include "daemon/gitops/git_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/gitops/known_hosts.h"
#include "daemon/gitops/libgit2/libgit2_repository.h"
#include "tests/gitops/git_bench.h"
#include "tests/gitops/gitops_world.h"

namespace audiencesync::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class GitSourceTest : public ::testing::Test {
 protected:
  GitSourceTest() {
    from_.url = authors_.url();
    from_.path = "manifests";
  }

  void write(const std::string& name, const std::string& text) { authors_.write("manifests/" + name, text); }

  /// Looks at the remote once, as the daemon's other process does.
  GitState look() {
    auto repository = open_git_repository(files_, checkout_.repository());
    if (!repository.ok()) throw std::runtime_error(repository.error().text());
    now_ += 1min;
    auto state = checkout_.look(**repository, from_, rules_, now_);
    if (!state.ok()) throw std::runtime_error(state.error().text());
    return std::move(state).take();
  }
  std::string problems(const GitState& state) {
    std::string out;
    for (const auto& line : complaints_of(state, from_)) out += line + "\n";
    return out;
  }
  /// The names of the syncs that count, by uid.
  std::string counting() {
    auto set = manifests_of_branch(checkout_, from_, rules_);
    if (!set.ok()) return "error: " + set.error().text();
    set_ = std::move(set).take();
    return names_of(set_);
  }
  std::string counting_after_a_look() {
    look();
    return counting();
  }

  static void wait_for_the_look(GitSource& source) {
    while (source.watch_fd() >= 0) {
      ASSERT_TRUE(heard(source));
      ASSERT_TRUE(source.drain().ok());
    }
  }

  TemporaryFolder scratch_;
  AuthorsRepository authors_{scratch_.path()};
  PosixFiles files_;
  ManifestRules rules_ = usual_rules();
  GitManifests from_;
  GitCheckout checkout_{files_, scratch_.path() / "state" / "manifests"};
  Time now_ = from_epoch_ms(1'767'225'600'000);
  ManifestSet set_;
};

TEST_F(GitSourceTest, TheNewestCommitOfTheBranchCounts) {
  write("luma.yaml", manifest_text("luma"));
  authors_.write("elsewhere.yaml", manifest_text("elsewhere"));
  const auto first = authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_EQ(set_.commit, first);
  EXPECT_EQ(set_.manifests[0].manifest.commit, first);
  EXPECT_EQ(set_.manifests[0].file(), "manifests/luma.yaml");
  EXPECT_THAT(set_.rejected, IsEmpty());

  write("emea/gold.yaml", manifest_text("gold"));
  const auto second = authors_.commit();
  authors_.git({"checkout", "-q", "-b", "topic"});
  write("topic.yaml", manifest_text("topic"));
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "gold luma");
  EXPECT_EQ(set_.commit, second);
}

TEST_F(GitSourceTest, BeforeTheFirstLookNothingIsKnown) {
  EXPECT_THAT(counting(), HasSubstr("was not looked at yet; audiencesync manifests --fetch does"));
}

TEST_F(GitSourceTest, ABadCommitKeepsTheOneBeforeAndIsNamed) {
  write("luma.yaml", manifest_text("luma"));
  const auto good = authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  write("gold.yaml", manifest_text("gold"));
  write("luma.yaml", manifest_text("luma", "scheduel: x\n"));
  const auto bad = authors_.commit();
  // Not even the good half of it.
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_EQ(set_.commit, good);
  EXPECT_EQ(
      rejections_of(set_),
      fmt::format("commit {}: manifests/luma.yaml:7:1: unknown key 'scheduel'; did you mean 'schedule'?; commit {} "
                  "goes on counting\n",
                  short_commit(bad), short_commit(good)));
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "gold luma");
  EXPECT_THAT(set_.rejected, IsEmpty());
}

TEST_F(GitSourceTest, ABadFirstCommitSaysWhatIsWrong) {
  write("luma.yaml", "name: luma\n");
  authors_.commit();
  EXPECT_THAT(counting_after_a_look(), HasSubstr("'version' is missing"));
  EXPECT_THAT(counting(), HasSubstr("there is none before it that could be used"));
}

TEST_F(GitSourceTest, TwoWithOneUidMakeACommitBad) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  write("gold.yaml", manifest_text("gold", "uid: luma\n"));
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("manifests/gold.yaml:7:6: uid 'luma' is that of manifests/luma.yaml:2:7"));
}

TEST_F(GitSourceTest, RewrittenHistoryIsTakenOverAndSaid) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  write("gold.yaml", manifest_text("gold"));
  const auto lost = authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "gold luma");
  EXPECT_THAT(set_.warnings, IsEmpty());
  authors_.git({"reset", "-q", "--hard", "HEAD~1"});
  write("silver.yaml", manifest_text("silver"));
  const auto forced = authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma silver");
  EXPECT_THAT(set_.warnings, ElementsAre(HasSubstr(fmt::format("history of branch main was rewritten: commit {} does "
                                                               "not follow {}",
                                                               short_commit(forced), short_commit(lost)))));
  // Said until the next commit.
  EXPECT_EQ(counting_after_a_look(), "luma silver");
  EXPECT_EQ(set_.warnings.size(), 1U);
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma silver");
  EXPECT_THAT(set_.warnings, IsEmpty());
}

TEST_F(GitSourceTest, ARemoteThatIsGoneLeavesTheLastAndIsSaidSinceWhen) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  const auto away = scratch_.path() / "away";
  std::filesystem::rename(authors_.path(), away);
  look();
  const auto since = to_iso8601(now_);
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("cannot be reached since " + since));
  EXPECT_THAT(rejections_of(set_), HasSubstr("goes on counting"));
  std::filesystem::rename(away, authors_.path());
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(set_.rejected, IsEmpty());
}

TEST_F(GitSourceTest, ABranchThatIsGoneIsSaidWithThoseThereAre) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  authors_.git({"branch", "-q", "-m", "main", "trunk"});
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("it has no branch 'main'; it has: trunk"));
}

TEST_F(GitSourceTest, AFolderThatIsGoneMakesACommitBad) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  authors_.git({"mv", "manifests", "moved"});
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("it has no folder 'manifests'; correct manifests.git.path"));
}

TEST_F(GitSourceTest, ManifestsThatAreRemovedAreGone) {
  write("luma.yaml", manifest_text("luma"));
  write("gold.yaml", manifest_text("gold"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "gold luma");
  authors_.git({"rm", "-q", "manifests/gold.yaml"});
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
}

TEST_F(GitSourceTest, LinksAreNotFollowed) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  std::filesystem::create_symlink("/etc/passwd", authors_.path() / "manifests/gold.yaml");
  std::filesystem::create_directory_symlink("/etc", authors_.path() / "manifests/more");
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("manifests/gold.yaml: is a link, and links of a repository are not "
                                             "followed; put the file itself there"));
  std::filesystem::remove(authors_.path() / "manifests/gold.yaml");
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(set_.warnings, ElementsAre("manifests/more: is a link, and what it leads to was not looked at"));
}

TEST_F(GitSourceTest, SubmodulesAreNotFollowed) {
  write("luma.yaml", manifest_text("luma"));
  const auto commit = authors_.commit();
  authors_.git({"update-index", "--add", "--cacheinfo", "160000," + commit + ",manifests/vendored"});
  authors_.git({"commit", "-q", "-m", "a submodule"});
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(set_.warnings, ElementsAre("manifests/vendored: is a submodule, and what it leads to was not looked at"));
}

TEST_F(GitSourceTest, NamesThatWouldLeaveTheFolderAreRefused) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  const auto blob = authors_.git({"hash-object", "-w", "manifests/luma.yaml"});
  write_file(scratch_.path() / "tree", fmt::format("100644 blob {}\tx\\..\\y.yaml\n", blob));
  const auto tree = authors_.git(
      {"-c", "core.protectNTFS=false", "-c", "alias.m=!git mktree < " + (scratch_.path() / "tree").string(), "m"});
  write_file(scratch_.path() / "root", fmt::format("040000 tree {}\tmanifests\n", tree));
  const auto root = authors_.git({"-c", "alias.m=!git mktree < " + (scratch_.path() / "root").string(), "m"});
  authors_.git({"reset", "-q", "--soft", authors_.git({"commit-tree", "-p", "HEAD", "-m", "x", root})});
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("cannot be the name of a manifest; rename it"));
}

TEST_F(GitSourceTest, HooksAndConfigurationOfTheRepositoryDoNothing) {
  const auto marker = scratch_.path() / "ran";
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  // As bad as it gets: in our own copy.
  const auto hooks = checkout_.repository() / "hooks";
  std::filesystem::create_directories(hooks);
  for (const auto* name : {"post-checkout", "post-merge", "reference-transaction", "update", "post-update"}) {
    write_file(hooks / name, "#!/bin/sh\ntouch " + marker.string() + "\n");
    std::filesystem::permissions(hooks / name, std::filesystem::perms::owner_all);
  }
  authors_.write(".gitattributes", "*.yaml filter=evil\n");
  authors_.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch " + marker.string() + "\n");
  write("gold.yaml", manifest_text("gold"));
  std::filesystem::permissions(authors_.path() / "manifests/gold.yaml", std::filesystem::perms::owner_all);
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "gold luma");
  EXPECT_FALSE(std::filesystem::exists(marker));
}

TEST_F(GitSourceTest, ADamagedCopyIsFetchedAnew) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  std::filesystem::remove(checkout_.repository() / "HEAD");
  write_file(checkout_.repository() / "config", "nonsense");
  write("gold.yaml", manifest_text("gold"));
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "gold luma");
}

TEST_F(GitSourceTest, ADamagedStateIsKnownAnewFromTheRemote) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  ASSERT_EQ(counting_after_a_look(), "luma");
  write_file(scratch_.path() / "state/manifests/branch.json", "{");
  EXPECT_THAT(counting(), HasSubstr("branch.json"));
  EXPECT_EQ(counting_after_a_look(), "luma");
  std::filesystem::remove_all(scratch_.path() / "state/manifests/commits");
  EXPECT_THAT(counting(), HasSubstr("error: "));
  EXPECT_EQ(counting_after_a_look(), "luma");
}

TEST_F(GitSourceTest, WhatTheRemoteIsAskedLeavesNoSecretBehind) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  write_file(scratch_.path() / "token", "SECRET-MARKER-1\n");
  from_.url = "http://127.0.0.1:9/a.git";
  from_.token_file = scratch_.path() / "token";
  const auto state = look();
  ASSERT_TRUE(state.unreached);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.path() / "state")) {
    if (entry.is_regular_file()) {
      EXPECT_THAT(read_file(entry.path()), Not(HasSubstr("SECRET-MARKER"))) << entry.path();
    }
  }
}

TEST_F(GitSourceTest, TheSourceGivesWhatCountsAndIsToldWhenALookIsOver) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  int looks = 0;
  const auto start = [&]() -> Result<RunningLook> {
    ++looks;
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC) != 0) return Error(ErrorCode::Io, "pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
      look();
      ::_exit(0);
    }
    ::close(pair[1]);
    return RunningLook{pid, Descriptor(pair[0])};
  };
  from_.poll = 1h;
  GitSource source(files_, scratch_.path() / "state" / "manifests", from_, rules_, start);
  const auto early = source.load();
  EXPECT_TRUE(!early.ok() || names_of(*early) == "luma");
  ASSERT_TRUE(!early.ok() || looks == 1);
  wait_for_the_look(source);
  ASSERT_TRUE(source.drain().ok());
  auto set = source.load();
  ASSERT_TRUE(set.ok()) << set.error().text();
  EXPECT_EQ(names_of(*set), "luma");
  EXPECT_EQ(looks, 1);  // the next one is due in an hour
  EXPECT_EQ(source.watch_fd(), -1);
  EXPECT_EQ(source.poll_interval(), Duration(1h));
}

TEST_F(GitSourceTest, ALookThatFailsIsSaidAndTheLastCommitCounts) {
  write("luma.yaml", manifest_text("luma"));
  authors_.commit();
  look();
  const auto start = []() -> Result<RunningLook> {
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC) != 0) return Error(ErrorCode::Io, "pipe");
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string_view text = "error: the disk is full\n";
      if (::write(pair[1], text.data(), text.size()) < 0) ::_exit(2);
      ::_exit(1);
    }
    ::close(pair[1]);
    return RunningLook{pid, Descriptor(pair[0])};
  };
  GitSource source(files_, scratch_.path() / "state" / "manifests", from_, rules_, start);
  ASSERT_TRUE(source.load().ok());
  wait_for_the_look(source);
  auto set = source.load();
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(names_of(*set), "luma");
  EXPECT_THAT(rejections_of(*set), HasSubstr("error: the disk is full"));
}

// Signatures.

class SignedCommitTest : public GitSourceTest {
 protected:
  SignedCommitTest() {
    write("luma.yaml", manifest_text("luma"));
    from_.require_signature = true;
  }
  /// A new SSH key; its public part.
  std::string ssh_key(const std::string& name) {
    const auto path = (scratch_.path() / name).string();
    const auto made = run_process({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path}, {},
                                  scratch_.path());
    EXPECT_EQ(made.code, 0) << made.err;
    return read_file(path + ".pub");
  }
  std::string commit_with_ssh(const std::string& key) {
    authors_.git({"config", "gpg.format", "ssh"});
    authors_.git({"config", "user.signingkey", (scratch_.path() / key).string()});
    return authors_.commit({"-S"});
  }
  void allow(const std::string& lines) {
    from_.allowed_signers = scratch_.path() / "signers";
    write_file(from_.allowed_signers, lines);
  }
};

TEST_F(SignedCommitTest, OneByAnAllowedSshKeyCounts) {
  allow("ada@example.com namespaces=\"git\" " + ssh_key("ada"));
  const auto commit = commit_with_ssh("ada");
  EXPECT_EQ(look().signer, "ada@example.com");
  EXPECT_EQ(counting(), "luma");
  EXPECT_EQ(set_.commit, commit);
}

TEST_F(SignedCommitTest, OneWithoutSignatureDoesNotCount) {
  allow("ada@example.com " + ssh_key("ada"));
  commit_with_ssh("ada");
  ASSERT_EQ(counting_after_a_look(), "luma");
  write("gold.yaml", manifest_text("gold"));
  authors_.commit();
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_),
              HasSubstr("it is not signed, and manifests.git.require_signature wants a signature"));
}

TEST_F(SignedCommitTest, OneBySomebodyElseDoesNotCount) {
  allow("ada@example.com " + ssh_key("ada"));
  ssh_key("eve");
  commit_with_ssh("eve");
  EXPECT_THAT(counting_after_a_look(), HasSubstr("it is signed with an SSH key that"));
  // Nor one with a key that may sign other things only.
  allow("ada@example.com namespaces=\"file\" " + read_file(scratch_.path() / "ada.pub"));
  commit_with_ssh("ada");
  EXPECT_THAT(counting_after_a_look(), HasSubstr("SSH"));
  EXPECT_THAT(counting(), HasSubstr("error: "));
}

TEST_F(SignedCommitTest, ASignatureOfAnotherCommitDoesNotCount) {
  allow("ada@example.com " + ssh_key("ada"));
  commit_with_ssh("ada");
  // The same signature on other content.
  const auto object = authors_.git({"cat-file", "commit", "HEAD"});
  write_file(scratch_.path() / "object", object + "\nand more\n");
  const auto forged = authors_.git({"hash-object", "-t", "commit", "-w", (scratch_.path() / "object").string()});
  authors_.git({"reset", "-q", "--hard", forged});
  EXPECT_THAT(counting_after_a_look(), HasSubstr("its SSH signature is not one of ada@example.com"));
}

TEST_F(SignedCommitTest, AMissingListOfSignersIsSaid) {
  ssh_key("ada");
  from_.allowed_signers = scratch_.path() / "nowhere";
  commit_with_ssh("ada");
  EXPECT_THAT(counting_after_a_look(), HasSubstr("nowhere: there is no such file"));
}

TEST_F(SignedCommitTest, OneByAnAllowedOpenPgpKeyCounts) {
  const auto home = scratch_.path() / "gpg";
  std::filesystem::create_directory(home);
  std::filesystem::permissions(home, std::filesystem::perms::owner_all);
  const auto gpg = [&](std::vector<std::string> words) {
    std::vector<std::string> command{"/usr/bin/gpg", "--batch",      "--quiet", "--homedir",
                                     home.string(),  "--passphrase", ""};
    command.insert(command.end(), words.begin(), words.end());
    const auto ran = run_process(command, {}, scratch_.path());
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  };
  gpg({"--quick-generate-key", "Ada <ada@example.com>", "ed25519", "sign", "never"});
  from_.keyring = scratch_.path() / "signers.gpg";
  write_file(from_.keyring, gpg({"--export"}));
  authors_.git({"config", "gpg.format", "openpgp"});
  authors_.git({"config", "user.signingkey", "ada@example.com"});
  authors_.commit({"-S"});
  EXPECT_THAT(look().signer, MatchesRegex("[0-9A-F]{40}"));
  EXPECT_EQ(counting(), "luma");
  // Of a key that is not listed.
  write_file(from_.keyring, "");
  write("gold.yaml", manifest_text("gold"));
  authors_.commit({"-S"});
  EXPECT_EQ(counting_after_a_look(), "luma");
  EXPECT_THAT(rejections_of(set_), HasSubstr("its OpenPGP signature is of no key in"));
  run_process({"/usr/bin/gpgconf", "--homedir", home.string(), "--kill", "all"}, {}, scratch_.path());
}

// Hosts.

TEST(KnownHostsTest, AnAddressHasTheNameThatSshWritesDown) {
  EXPECT_EQ(known_host_name("ssh://git@git.example.com/a.git"), "git.example.com");
  EXPECT_EQ(known_host_name("ssh://git@git.example.com:2222/a.git"), "[git.example.com]:2222");
  EXPECT_EQ(known_host_name("ssh://git.example.com:22/a.git"), "git.example.com");
  EXPECT_EQ(known_host_name("git@git.example.com:team/a.git"), "git.example.com");
  EXPECT_EQ(known_host_name("ssh://git@[2001:db8::1]:2222/a.git"), "[2001:db8::1]:2222");
}

TEST(KnownHostsTest, OnlyTheKeyThatIsListedIsKnown) {
  const TemporaryFolder scratch;
  const auto path = scratch.path() / "known_hosts";
  const std::string key("\0\0\0\7ssh-rsa key", 15);
  write_file(path,
             "git.example.com ssh-rsa AAAAB3NzaC1yc2Ega2V5\n@revoked other.example.com ssh-rsa AAAAB3NzaC1yc2Ega2V5\n");
  const auto known = [&](const char* url, std::string_view shown_key) {
    const auto result = is_known_host(path, url, shown_key);
    return result.ok() && *result;
  };
  EXPECT_TRUE(known("git@git.example.com:a", key));
  EXPECT_FALSE(known("git@git.example.com:a", "another key"));
  EXPECT_FALSE(known("git@elsewhere.example.com:a", key));
  EXPECT_FALSE(known("git@other.example.com:a", key));
  run_process({"/usr/bin/ssh-keygen", "-q", "-H", "-f", path.string()}, {}, scratch.path());
  EXPECT_THAT(read_file(path), HasSubstr("|1|"));
  EXPECT_TRUE(known("git@git.example.com:a", key));
  EXPECT_EQ(is_known_host(scratch.path() / "gone", "git@git.example.com:a", key).error().code(), ErrorCode::NotFound);
}

}  // namespace
}  // namespace audiencesync::testing
