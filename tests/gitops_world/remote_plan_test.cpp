#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "tests/support/world.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A world with the server that answers `plan --server`.
class RemotePlanTest : public ::testing::Test {
 protected:
  explicit RemotePlanTest(const std::string& listen = {}) {
    write_file(token(), "0123456789abcdef0123456789abcdef\n");
    auto text = read_file(world_.emulator().config());
    text += fmt::format("listen: {{ address: \"127.0.0.1:0\", token_file: {}{} }}\n", token().string(), listen);
    write_file(world_.emulator().config(), text);
    const auto out = scratch_.path() / "server.out";
    server_ = start_process(
        {AUDIENCESYNC_BIN_DIR "/audiencesync", "serve-plans", "--config", world_.emulator().config().string()}, {}, out,
        scratch_.path() / "server.err");
    constexpr std::string_view kSaid = "plans are made at ";
    for (int looks = 0; looks < 2000 && url_.empty(); ++looks) {
      const auto said = read_file(out);
      if (said.starts_with(kSaid) && said.ends_with('\n'))
        url_ = said.substr(kSaid.size(), said.size() - kSaid.size() - 1);
      if (url_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (url_.empty()) throw std::runtime_error("no server: " + read_file(scratch_.path() / "server.err"));
  }
  ~RemotePlanTest() override {
    ::kill(server_, SIGTERM);
    EXPECT_EQ(wait_process(server_, 60), 128 + SIGTERM);
  }

  std::filesystem::path token() const { return scratch_.path() / "token"; }
  ProcessResult remote_plan(const std::vector<std::string>& more = {}) {
    write_file(world_.manifest(), world_.manifest_text());
    std::vector<std::string> words{"plan",          world_.manifest().string(), "--server", url_, "--token-file",
                                   token().string()};
    words.insert(words.end(), more.begin(), more.end());
    return world_.run(words);
  }
  /// The process that makes a plan at this moment, 0 when there is none.
  pid_t maker() const {
    for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", server_))) {
      std::istringstream children(read_file(task.path() / "children"));
      if (pid_t child = 0; children >> child) return child;
    }
    return 0;
  }
  bool plans_are_gone() const {
    return !std::filesystem::exists(world_.state() / "plans") || std::filesystem::is_empty(world_.state() / "plans");
  }
  void hold_plans() {
    world_.emulator().faults(
        R"([{"method":"GET","path":"/data/foundation/sandbox-management/*","times":1,"action":{"hold":"before"}}])");
  }

  std::vector<std::string> state_files() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(world_.state())) return names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world_.state())) {
      if (entry.is_regular_file() && entry.path().extension() != ".db-shm" && entry.path().extension() != ".db-wal") {
        names.push_back(entry.path().string() + " " + read_file(entry.path()));
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder scratch_;
  World world_;
  std::string url_;
  pid_t server_ = 0;
};

TEST_F(RemotePlanTest, IsThePlanThatWouldBeMadeThereAndChangesNothing) {
  // Of a state in which nothing ever ran.
  auto plan = remote_plan({"--detailed-exitcode"});
  EXPECT_EQ(plan.code, 2) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("plan for loyalty (manifest.yaml)"));
  EXPECT_EQ(remote_plan().code, 0);

  ASSERT_EQ(world_.apply().code, 0);
  world_.declared.pop_back();
  const auto before = state_files();
  world_.emulator().clear_calls();
  plan = remote_plan({"--format", "json"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("\"audience-withdrawn\""));
  for (const auto& person : world_.emulator().truth(world_.declared.front().id)) {
    EXPECT_THAT(plan.out, Not(HasSubstr(person)));
  }
  EXPECT_THAT(world_.emulator().writes(), IsEmpty());
  EXPECT_EQ(state_files(), before);
  EXPECT_FALSE(std::filesystem::exists(world_.state() / "plans") &&
               !std::filesystem::is_empty(world_.state() / "plans"));
  // The same as of the one who has the state.
  const auto here = world_.plan({"--format", "json"});
  const auto digest = [](const std::string& text) { return text.substr(text.find("\"digest\""), 80); };
  EXPECT_EQ(digest(plan.out), digest(here.out));
}

TEST_F(RemotePlanTest, MakesItInAProcessWithALimitOfMemory) {
  write_file(world_.manifest(), world_.manifest_text());
  hold_plans();
  const auto client = start_process({AUDIENCESYNC_BIN_DIR "/audiencesync", "plan", world_.manifest().string(),
                                     "--server", url_, "--token-file", token().string()},
                                    {}, scratch_.path() / "plan.out", scratch_.path() / "plan.err");
  for (int looks = 0; looks < 12000 && maker() == 0; ++looks) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_NE(maker(), 0);
  std::string limit;
  for (int looks = 0; looks < 12000 && limit.find("512000000") == std::string::npos; ++looks) {
    // It is given right after the start: twice the 256 MB of limits.memory.
    std::istringstream limits(read_file(fmt::format("/proc/{}/limits", maker())));
    for (std::string line; std::getline(limits, line);) {
      if (line.starts_with("Max data size")) limit = line;
    }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    break;  // they reserve terabytes, so nothing is limited
#endif
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_THAT(limit, HasSubstr("512000000"));
#endif
  world_.emulator().faults("[]");
  EXPECT_EQ(wait_process(client), 0) << read_file(scratch_.path() / "plan.err");
}

class HastyPlanTest : public RemotePlanTest {
 protected:
  HastyPlanTest() : RemotePlanTest(", deadline: 1s") {}
};

TEST_F(HastyPlanTest, APlanThatTakesTooLongIsEndedAndLeavesNothing) {
  hold_plans();
  const auto plan = remote_plan();
  EXPECT_NE(plan.code, 0);
  EXPECT_THAT(plan.err, HasSubstr("listen.deadline"));
  EXPECT_EQ(maker(), 0) << "its process is gone";
  EXPECT_TRUE(plans_are_gone());
  world_.emulator().faults("[]");
}

TEST_F(RemotePlanTest, WhatIsWrongWithAManifestIsSaidAsItWouldBeHere) {
  world_.extra = "sandbox: other\n";
  auto plan = remote_plan();
  EXPECT_EQ(plan.code, 65);
  EXPECT_THAT(plan.err, HasSubstr("sandbox 'other' is not allowed for organization 'default' in the settings"));
  EXPECT_EQ(plan.out, "");
  write_file(token(), "another token of some length\n");
  world_.extra = "";
  plan = remote_plan();  // the server reads the same file, so that both have the new one
  EXPECT_EQ(plan.code, 0) << plan.err;
  const auto wrong = scratch_.path() / "wrong";
  write_file(wrong, "SECRET-MARKER-7\n");
  const auto refused =
      world_.run({"plan", world_.manifest().string(), "--server", url_, "--token-file", wrong.string()});
  EXPECT_EQ(refused.code, 7);
  EXPECT_THAT(refused.err, HasSubstr("answered 401"));
  EXPECT_THAT(refused.err, Not(HasSubstr("SECRET-MARKER")));
}

// The workflows.

/// The shell of each step: the blocks behind `run: |` or `- |`.
std::vector<std::string> shell_steps(const std::string& file, const std::string& begin) {
  std::vector<std::string> steps;
  std::istringstream lines(read_file(std::filesystem::path(AUDIENCESYNC_SOURCE_DIR) / "etc/ci" / file));
  std::size_t indent = 0;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    const auto text = line.find_first_not_of(' ');
    if (inside && (text == std::string::npos || text > indent)) {
      steps.back() += line + "\n";
      continue;
    }
    inside = text != std::string::npos && line.substr(text) == begin;
    if (!inside) continue;
    indent = text;
    steps.emplace_back();
  }
  return steps;
}

class WorkflowTest : public RemotePlanTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(bin());
    std::filesystem::create_symlink(AUDIENCESYNC_BIN_DIR "/audiencesync", bin() / "audiencesync");
    // Who posts comments keeps what it was given.
    for (const auto* name : {"gh", "curl"}) {
      write_file(bin() / name,
                 "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$STAND_IN/arguments\"\ncp plan.md \"$STAND_IN/comment\"\n");
      std::filesystem::permissions(bin() / name, std::filesystem::perms::owner_all);
    }
    ASSERT_TRUE(git({"init", "-q", "-b", "main"}));
    std::filesystem::create_directories(repository() / "manifests");
    write_file(repository() / "README.md", "manifests\n");
    commit();
    ASSERT_TRUE(git({"update-ref", "refs/remotes/origin/main", "HEAD"}));
    ASSERT_TRUE(git({"checkout", "-q", "-b", "topic"}));
    ASSERT_EQ(world_.apply().code, 0);
    world_.declared.pop_back();
  }
  std::filesystem::path bin() const { return scratch_.path() / "bin"; }
  std::filesystem::path repository() const { return scratch_.path() / "repository"; }
  bool git(std::vector<std::string> words) {
    std::filesystem::create_directories(repository());
    std::vector<std::string> command{"/usr/bin/git", "-C", repository().string()};
    command.insert(command.end(), words.begin(), words.end());
    return run_process(command,
                       {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ada", "GIT_COMMITTER_NAME=Ada",
                        "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_EMAIL=a@example.com"},
                       scratch_.path())
               .code == 0;
  }
  void commit() {
    ASSERT_TRUE(git({"add", "-A"}));
    ASSERT_TRUE(git({"commit", "-q", "-m", "a change"}));
  }
  /// Runs the steps one by one as their runner does; the code of the first that fails.
  int run_steps(const std::vector<std::string>& steps, const std::vector<std::string>& shell) {
    int code = 0;
    for (const auto& step : steps) {
      write_file(scratch_.path() / "step.sh", fmt::format("export PATH='{}':/usr/bin:/bin\ncd '{}'\n{}", bin().string(),
                                                          repository().string(), step));
      std::vector<std::string> command = shell;
      command.push_back((scratch_.path() / "step.sh").string());
      const auto ran = run_process(
          command,
          {"STAND_IN=" + scratch_.path().string(), "AUDIENCESYNC_SERVER=" + url_,
           "AUDIENCESYNC_TOKEN=0123456789abcdef0123456789abcdef", "GITHUB_BASE_REF=main", "PULL_REQUEST=12",
           "RUNNER_TEMP=" + scratch_.path().string(), "CI_MERGE_REQUEST_DIFF_BASE_SHA=origin/main", "COMMENT_TOKEN=c",
           "CI_API_V4_URL=https://git.example.com/api/v4", "CI_PROJECT_ID=3", "CI_MERGE_REQUEST_IID=12"},
          scratch_.path());
      if (code == 0) code = ran.code;
      told_ += ran.out + ran.err;
    }
    return code;
  }
  std::string comment() const { return read_file(scratch_.path() / "comment"); }
  std::string told_;
};

TEST_F(WorkflowTest, GithubPostsThePlanOfWhatIsChanged) {
  const auto steps = shell_steps("github-actions.yml", "run: |");
  ASSERT_EQ(steps.size(), 3U);
  write_file(repository() / "manifests/luma.yaml", world_.manifest_text());
  commit();
  const std::vector<std::string> shell{"/bin/bash", "--noprofile", "--norc", "-eo", "pipefail"};
  EXPECT_EQ(run_steps(steps, shell), 0) << told_;
  EXPECT_THAT(comment(), HasSubstr("loyalty"));
  EXPECT_THAT(comment(), HasSubstr("is no longer in the manifest"));
  EXPECT_THAT(read_file(scratch_.path() / "arguments"), HasSubstr("pr\ncomment\n12\n"));

  // A bad one fails the check, and says why in the comment.
  write_file(repository() / "manifests/luma.yaml", world_.manifest_text() + "scheduel: x\n");
  commit();
  EXPECT_EQ(run_steps(steps, shell), 65) << told_;
  EXPECT_THAT(comment(), HasSubstr("unknown key 'scheduel'; did you mean 'schedule'?"));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "audiencesync-token"));
  EXPECT_THAT(told_, Not(HasSubstr("0123456789abcdef0123456789abcdef")));
}

TEST_F(WorkflowTest, GitlabPostsThePlanOfWhatIsChanged) {
  const auto steps = shell_steps("gitlab-ci.yml", "- |");
  ASSERT_EQ(steps.size(), 2U);
  write_file(repository() / "manifests/luma.yaml", world_.manifest_text());
  commit();
  EXPECT_EQ(run_steps(steps, {"/bin/sh", "-e"}), 0) << told_;
  EXPECT_THAT(comment(), HasSubstr("is no longer in the manifest"));
  EXPECT_THAT(read_file(scratch_.path() / "arguments"),
              HasSubstr("https://git.example.com/api/v4/projects/3/merge_requests/12/notes"));
}

}  // namespace
}  // namespace audiencesync::testing
