// The real daemon, the real emulator: what a service manager and operators see.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "engine/base/json.h"
#include "engine/store/sqlite/sqlite_store.h"
#include "tests/support/emulator.h"
#include "tests/support/process.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kProgram = AUDIENCESYNC_BIN_DIR "/audiencesync";

class DaemonTest : public ::testing::Test {
 protected:
  DaemonTest() : emulator_(folder_.path() / "emulator", {.profiles = 300, .audiences = 2}) {
    emulator_.hide_analytics();
    auto text = read_file(emulator_.config());
    const auto timing = text.find("timing: {");
    text.replace(timing, 9, "timing: { retry_first: 100ms, retry_most: 400ms,");
    write_file(emulator_.config(), text);
    std::filesystem::create_directories(manifests());
  }
  ~DaemonTest() override {
    if (daemon_ > 0) {
      ::kill(daemon_, SIGKILL);
      wait_process(daemon_);
    }
  }

  std::filesystem::path config() { return emulator_.config(); }
  std::filesystem::path manifests() { return emulator_.config().parent_path() / "manifests.d"; }
  std::filesystem::path state() { return emulator_.config().parent_path() / "state"; }
  std::filesystem::path socket() { return folder_.path() / "control.sock"; }

  void put(const std::string& name, const std::string& more = "schedule: { cron: \"0 0 1 1 *\", jitter: 0s }\n") {
    const auto audience = emulator_.audiences().front();
    const auto text = fmt::format(
        "version: 1\nname: {}\ntenant: {}\nidentity: {{ field: {}, namespace: Email }}\n"
        "audiences: [{{ id: {}, name: \"{}\" }}]\n{}",
        name, emulator_.ready().text("tenant"), emulator_.ready().text("identity_field"), audience.id, audience.name,
        more);
    write_file(folder_.path() / "new", text);
    std::filesystem::rename(folder_.path() / "new", manifests() / (name + ".yaml"));
  }

  void start() {
    log_ = folder_.path() / fmt::format("daemon-{}", ++starts_);
    daemon_ = start_process({kProgram, "daemon", "--config", config().string(), "--socket", socket().string()}, {},
                            log_.string() + ".out", log_);
  }
  int end() {
    const int code = wait_process(daemon_, 60);
    daemon_ = 0;
    return code;
  }
  int stop() {
    ::kill(daemon_, SIGTERM);
    return end();
  }
  std::string log() { return read_file(log_); }

  /// Until something is so; the limit only ends a test that fails.
  ::testing::AssertionResult becomes(const std::function<bool()>& so) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (std::chrono::steady_clock::now() < limit) {
      if (so()) return ::testing::AssertionSuccess();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return ::testing::AssertionFailure() << "it never became so; the log is\n" << log();
  }
  ::testing::AssertionResult logs(const std::string& text, int times = 1) {
    return becomes([&] {
      const auto all = log();
      int found = 0;
      for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
      return found >= times;
    });
  }
  ProcessResult ask(std::vector<std::string> words) {
    std::vector<std::string> command{kProgram};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--socket", socket().string()});
    return run_process(command, {}, folder_.path());
  }
  Value status(const std::string& sync) {
    const auto said = ask({"status", "--format", "json", sync});
    const auto value = parse_json(said.out);
    if (!value.ok() || value->items("syncs").empty()) return {};
    return value->items("syncs").front();
  }
  pid_t run_of(const std::string& sync) {
    const auto now = status(sync);
    const auto* running = now.find_path({"daemon", "running"});
    return running == nullptr ? 0 : static_cast<pid_t>(running->number("pid").value_or(0));
  }
  /// The first plan of a sync is there; it gets its approval.
  void approve(const std::string& sync) {
    ASSERT_TRUE(becomes([&] { return status(sync).text("condition") == "waits_for_approval"; }));
    const auto digest = status(sync).find("held_plan")->text("digest");
    const auto said = ask({"approve", digest, "--reason", "reviewed"});
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("next: audiencesync status " + sync)) << "nobody has to call apply";
  }
  bool in_sync(const std::string& sync) { return status(sync).text("condition") == "in_sync"; }

  TemporaryFolder folder_;
  Emulator emulator_;
  std::filesystem::path log_;
  pid_t daemon_ = 0;
  int starts_ = 0;
};

TEST_F(DaemonTest, AManifestIsPlannedAtOnceHeldAndAppliedWhenSomebodyApproves) {
  put("luma");
  start();
  approve("luma");
  EXPECT_TRUE(becomes([&] { return in_sync("luma"); }));
  const auto now = status("luma");
  EXPECT_EQ(now.find("daemon")->items("next").size(), 5U);
  const auto history = ask({"history", "luma"});
  EXPECT_THAT(history.out, HasSubstr("reviewed"));
  EXPECT_THAT(log(), HasSubstr("operator.command"));
  EXPECT_THAT(log(), HasSubstr("approve "));

  // Nothing is due until January, so what runs now was asked for, and changes go through without anybody.
  emulator_.evolve(0.2, 7);
  emulator_.control("PUT", "/_emulator/clock", R"({"advance":"1h"})");
  EXPECT_EQ(ask({"run-now", "luma"}).code, 0);
  EXPECT_TRUE(logs("verdict=converged", 4));
  EXPECT_EQ(stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(DaemonTest, AKilledDaemonTakesItsRunsAlongAndTheNextOneFinishesThem) {
  put("luma");
  start();
  approve("luma");
  ASSERT_TRUE(becomes([&] { return in_sync("luma"); }));
  emulator_.evolve(0.2, 3);
  emulator_.control("PUT", "/_emulator/clock", R"({"advance":"1h"})");
  // The upload stops in the middle of its way.
  emulator_.faults(
      R"([{"method":"POST","path":"/data/foundation/import/batches","times":1,"action":{"delay_ms":1500}}])");
  ASSERT_EQ(ask({"run-now", "luma"}).code, 0);
  pid_t run = 0;
  ASSERT_TRUE(becomes([&] { return (run = run_of("luma")) != 0; }));
  ASSERT_TRUE(logs("change.begun sync=luma action=ingest", 2));
  ::kill(daemon_, SIGKILL);
  EXPECT_EQ(end(), 128 + SIGKILL);
  EXPECT_TRUE(becomes([&] { return ::kill(run, 0) != 0; })) << "the run outlived its daemon";

  start();
  EXPECT_TRUE(logs("run.started sync=luma cause=run-now")) << "the wish was kept";
  EXPECT_TRUE(becomes([&] { return in_sync("luma"); }));
  const auto audience = emulator_.audiences().front().id;
  const auto targets = emulator_.datasets_tagged("role:target");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(members_by_audience(emulator_, targets.front())[audience], emulator_.truth(audience));
  EXPECT_EQ(stop(), 0);
}

TEST_F(DaemonTest, ASyncThatHangsHoldsUpNoOtherAndAKilledRunIsRepeated) {
  emulator_.faults(
      R"([{"method":"GET","path":"/data/foundation/sandbox-management/*","times":1,"action":{"delay_ms":60000}}])");
  put("first");
  start();
  pid_t run = 0;
  ASSERT_TRUE(becomes([&] { return (run = run_of("first")) != 0; }));
  put("second");
  approve("second");
  EXPECT_TRUE(becomes([&] { return in_sync("second"); }));
  EXPECT_EQ(run_of("first"), run);
  ::kill(run, SIGKILL);
  EXPECT_TRUE(logs("code=137"));
  approve("first");
  EXPECT_TRUE(becomes([&] { return in_sync("first"); }));
}

TEST_F(DaemonTest, ExportJobsOfASandboxRunOneAfterTheOther) {
  // Who is first does not hear that its job is done until somebody else waits for the slot.
  emulator_.faults(R"([{"method":"GET","path":"/data/core/ups/export/jobs/*","times":1,"action":{"hold":"before"}}])");
  put("first");
  put("second");
  start();
  ASSERT_TRUE(logs("export.waits"));
  ASSERT_TRUE(becomes([&] {
    for (const auto* sync : {"first", "second"}) {
      const auto now = status(sync);
      const auto* running = now.find_path({"daemon", "running"});
      if (running != nullptr &&
          running->text("progress").starts_with("waits for an export slot of sandbox prod, held by"))
        return true;
    }
    return false;
  }));
  emulator_.control("POST", "/_emulator/faults/release");
  approve("first");
  approve("second");
  EXPECT_TRUE(becomes([&] { return in_sync("first") && in_sync("second"); }));
  std::vector<std::pair<double, double>> spans;
  const auto jobs = emulator_.api("GET", "/data/core/ups/export/jobs");
  for (const auto& job : jobs.items("records")) {
    const auto* span = job.find_path({"metrics", "totalTime"});
    ASSERT_NE(span, nullptr) << to_json(job);
    spans.emplace_back(span->number("startTimeInMs").value_or(0), span->number("endTimeInMs").value_or(0));
  }
  std::sort(spans.begin(), spans.end());
  ASSERT_GE(spans.size(), 2U);
  for (std::size_t at = 1; at < spans.size(); ++at) EXPECT_GE(spans[at].first, spans[at - 1].second);
}

/// A sync that dies while its job runs for ever.
class ExportDeadlineTest : public DaemonTest {
 protected:
  void SetUp() override {
    auto text = read_file(config());
    text.replace(text.find("timing: {"), 9, "timing: { deadline_export: 3s,");
    write_file(config(), text);
  }
};

TEST_F(ExportDeadlineTest, AJobWithoutItsRunIsCancelledByTheNextInTheQueue) {
  emulator_.control("PUT", "/_emulator/exports", R"({"next":"stuck","times":1})");
  emulator_.faults(R"([{"method":"GET","path":"/data/core/ups/export/jobs/*","times":1,"action":{"hold":"before"}}])");
  put("first");
  start();
  pid_t run = 0;
  ASSERT_TRUE(becomes([&] { return (run = run_of("first")) != 0; }));
  ASSERT_TRUE(becomes([&] { return !emulator_.api("GET", "/data/core/ups/export/jobs").items("records").empty(); }));
  ASSERT_EQ(ask({"suspend", "first", "--reason", "it dies"}).code, 0) << "so that it does not come back";
  ::kill(run, SIGKILL);
  ASSERT_TRUE(logs("code=137"));
  put("second");
  approve("second");
  EXPECT_TRUE(becomes([&] { return in_sync("second"); }));
  EXPECT_THAT(log(), HasSubstr("export.cancelled sync=second"));
  EXPECT_EQ(emulator_.api("GET", "/data/core/ups/export/jobs/11001").text("status"), "CANCELLED");
}

TEST_F(DaemonTest, StoppingEndsARunThatHangsWithinTenSeconds) {
  // It must not be over before it is stopped.
  emulator_.faults(R"([{"method":"POST","path":"/data/core/ups/export/jobs","times":1,"action":{"delay_ms":4000}}])");
  put("luma");
  start();
  pid_t run = 0;
  ASSERT_TRUE(becomes([&] { return (run = run_of("luma")) != 0; }));
  ::kill(run, SIGSTOP);  // it hears nothing any more
  EXPECT_EQ(stop(), 0);
  EXPECT_NE(::kill(run, 0), 0);
}

class DeadlineTest : public DaemonTest {
 protected:
  void SetUp() override {
    auto text = read_file(config());
    text.replace(text.find("timing: {"), 9, "timing: { deadline_run: 2s,");
    write_file(config(), text);
  }
};

TEST_F(DeadlineTest, AFrozenRunIsKilledByItsDeadlineAndTriedAgain) {
  // It must not be over before it is stopped.
  emulator_.faults(R"([{"method":"POST","path":"/data/core/ups/export/jobs","times":1,"action":{"delay_ms":4000}}])");
  put("luma");
  start();
  pid_t run = 0;
  ASSERT_TRUE(becomes([&] { return (run = run_of("luma")) != 0; }));
  ::kill(run, SIGSTOP);
  EXPECT_TRUE(logs("stopped=deadline"));
  EXPECT_TRUE(logs("run.started", 2));
}

TEST_F(DaemonTest, RotatedCredentialsCountWithoutARestart) {
  const auto file = config().parent_path() / "credentials" / "adobe";
  const auto good = read_file(file);
  write_file(file, R"({"client_id":"x","client_secret":"wrong"})");
  put("luma");
  start();
  EXPECT_TRUE(logs("code=7", 2)) << "it is tried again by itself";
  write_file(file, good);
  approve("luma");
  EXPECT_TRUE(becomes([&] { return in_sync("luma"); }));
}

TEST_F(DaemonTest, WhatCannotBeReadLeavesWhatWasAccepted) {
  put("luma");
  start();
  approve("luma");
  ASSERT_TRUE(becomes([&] { return in_sync("luma"); }));
  std::filesystem::rename(manifests(), folder_.path() / "away");
  ::kill(daemon_, SIGHUP);
  EXPECT_TRUE(logs("manifests.unreadable"));
  EXPECT_THAT(log(), HasSubstr("keeping the previous manifests"));
  EXPECT_EQ(ask({"run-now", "luma"}).code, 0) << "it is still known, and runs from the text that was accepted";
  EXPECT_TRUE(logs("run.started sync=luma cause=run-now"));
  EXPECT_THAT(ask({"status"}).out, HasSubstr("not accepted"));
  write_file(config(), "version: 1\nnonsense: true\n");
  ::kill(daemon_, SIGHUP);
  EXPECT_TRUE(logs("settings.refused"));
  EXPECT_EQ(ask({"status", "luma"}).code, 0);
}

TEST_F(DaemonTest, ASyncWhoseManifestIsGoneIsPausedAndSaysSoAlsoAfterANewStart) {
  put("luma");
  put("other");
  start();
  approve("luma");
  ASSERT_TRUE(becomes([&] { return in_sync("luma"); }));
  const auto manifest = manifests() / "luma.yaml";
  std::filesystem::rename(manifest, folder_.path() / "away.yaml");
  EXPECT_TRUE(becomes([&] { return status("luma").text("condition") == "paused"; }));
  EXPECT_NE(ask({"run-now", "luma"}).code, 0);
  stop();
  start();
  ASSERT_TRUE(logs("manifests.loaded"));
  EXPECT_THAT(ask({"status", "luma"}).out, HasSubstr("paused; the daemon has no manifest of it"));
  EXPECT_THAT(ask({"manifests"}).out, Not(HasSubstr("sync     luma")));

  std::filesystem::rename(folder_.path() / "away.yaml", manifest);
  EXPECT_TRUE(becomes([&] { return in_sync("luma"); })) << "it goes on where it was";
  EXPECT_THAT(ask({"manifests"}).out, HasSubstr("sync     luma"));
}

TEST_F(DaemonTest, AFileThatWasBrokenWhileNobodyLookedLeavesItsSyncAsItWas) {
  put("luma");
  put("other");
  start();
  ASSERT_TRUE(becomes([&] { return status("luma").text("condition") == "waits_for_approval"; }));
  EXPECT_EQ(stop(), 0);
  write_file(manifests() / "luma.yaml", "version: 1\nname: [\n");
  std::filesystem::remove(manifests() / "other.yaml");
  start();
  ASSERT_TRUE(logs("manifest.restored"));
  EXPECT_THAT(log(), HasSubstr("manifest.refused"));
  EXPECT_EQ(ask({"run-now", "luma"}).code, 0);
  EXPECT_TRUE(logs("run.started sync=luma cause=run-now"));
  EXPECT_THAT(ask({"status"}).out, HasSubstr("not accepted"));
  EXPECT_NE(ask({"run-now", "other"}).code, 0) << "a file that is gone is gone";
}

TEST_F(DaemonTest, TheSocketIsItsGroupsAndTakenOnlyWhileSomebodyAnswers) {
  start();
  ASSERT_TRUE(logs("daemon.started"));
  struct stat about {};
  ASSERT_EQ(::stat(socket().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0660U);

  const auto second = run_process({kProgram, "daemon", "--config", config().string(), "--state",
                                   (folder_.path() / "other").string(), "--socket", socket().string()},
                                  {}, folder_.path());
  EXPECT_EQ(second.code, 6);
  EXPECT_THAT(second.err, HasSubstr("another daemon answers there"));
  const auto file = run_process({kProgram, "daemon", "--config", config().string(), "--state",
                                 (folder_.path() / "other").string(), "--socket", log_.string()},
                                {}, folder_.path());
  EXPECT_EQ(file.code, 65);
  EXPECT_THAT(file.err, HasSubstr("there is something else than a socket; choose another path"));
  EXPECT_THAT(log(), HasSubstr("daemon.started")) << "and it is left alone";
  const auto same_state =
      run_process({kProgram, "daemon", "--config", config().string(), "--socket", (folder_.path() / "b.sock").string()},
                  {}, folder_.path());
  EXPECT_EQ(same_state.code, 6);
  EXPECT_THAT(same_state.err, HasSubstr("(daemon)"));

  ::kill(daemon_, SIGKILL);
  end();
  EXPECT_TRUE(std::filesystem::exists(socket())) << "a killed daemon leaves it";
  start();
  EXPECT_TRUE(logs("daemon.started")) << "and the next one replaces it";
  EXPECT_EQ(ask({"status"}).code, 0);
}

TEST_F(DaemonTest, WhatIsNotAllowedIsRefusedAndWrittenDown) {
  start();
  ASSERT_TRUE(logs("daemon.started"));
  const auto out = ask({"status", "--out", "/tmp/x"});
  EXPECT_NE(out.code, 0);
  const auto state = ask({"status", "--state", "/etc"});
  EXPECT_EQ(state.code, 7);
  EXPECT_THAT(state.err, HasSubstr("its own rights"));
  EXPECT_THAT(log(), HasSubstr("answer=refused"));

  // Durable too: a daemon that was killed right after has it.
  ::kill(daemon_, SIGKILL);
  end();
  start();
  ASSERT_TRUE(becomes([&] { return ask({"status"}).code == 0; }));
  const auto audit = ask({"history", "--audit"});
  EXPECT_EQ(audit.code, 0) << audit.err;
  EXPECT_THAT(audit.out, ::testing::ContainsRegex("status; refused"));
  EXPECT_THAT(audit.out, ::testing::ContainsRegex("uid [0-9]+\\): status; exit code 0"));
  EXPECT_THAT(audit.out, Not(HasSubstr("/etc"))) << "no operand of a refused command";
  const auto first = parse_json(ask({"history", "--audit", "--format", "json", "--limit", "1"}).out);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->items("commands").size(), 1U);
  EXPECT_EQ(first->items("commands").front().text("command"), "history");

  // Whoever sends nonsense is dropped, and the others are answered.
  const int raw = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = socket().string();
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_GT(::send(raw, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 0);
  char byte = 0;
  EXPECT_LE(::recv(raw, &byte, 1, 0), 0);
  ::close(raw);
  EXPECT_EQ(ask({"status"}).code, 0);
}

TEST_F(DaemonTest, AnOperatorWhoLeavesTakesHisCommandAlong) {
  put("luma");
  start();
  approve("luma");
  ASSERT_TRUE(becomes([&] { return in_sync("luma"); }));
  emulator_.faults(
      R"([{"method":"GET","path":"/data/foundation/sandbox-management/*","times":1,"action":{"delay_ms":15000}}])");
  const auto client = start_process({kProgram, "plan", "luma", "--socket", socket().string()}, {},
                                    folder_.path() / "p.out", folder_.path() / "p.err");
  const auto held = [&] { return ask({"lock", "list"}).out; };
  ASSERT_TRUE(becomes([&] { return held().find("luma: pid") != std::string::npos; }));
  ::kill(client, SIGINT);
  EXPECT_EQ(wait_process(client), 128 + SIGINT);
  EXPECT_TRUE(becomes([&] { return held().find("luma: pid") == std::string::npos; }));
}

TEST_F(DaemonTest, NothingWakesADaemonThatHasNothingToDo) {
  put("luma");
  start();
  ASSERT_TRUE(becomes([&] { return status("luma").text("condition") == "waits_for_approval"; }));
  const auto switches = [&] {
    const auto text = read_file(fmt::format("/proc/{}/status", daemon_));
    const auto at = text.find("voluntary_ctxt_switches:");
    return text.substr(at, text.find('\n', at) - at);
  };
  // On a busy machine it may still be about the command: some window without any is enough, whoever wakes by a clock
  // has none.
  EXPECT_TRUE(becomes([&] {
    const auto before = switches();
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    return switches() == before;
  }));
}

/// A daemon whose state lies on a small disk of its own, in a mount namespace of its own.
class FullDiskTest : public DaemonTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(state());
    const auto possible = run_process({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                                       "mount -t tmpfs -o size=6m none " + state().string()},
                                      {}, folder_.path());
    if (possible.code != 0) GTEST_SKIP() << "no disk of its own can be mounted here (needs root): " << possible.err;
    log_ = folder_.path() / "daemon-full";
    const auto mount =
        fmt::format("mount -t tmpfs -o size=6m,mode=0700 none {} && exec {} daemon --config {} --socket {}",
                    state().string(), kProgram, config().string(), socket().string());
    daemon_ = start_process({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", mount}, {},
                            log_.string() + ".out", log_);
  }
  std::filesystem::path filler() {
    return std::filesystem::path(fmt::format("/proc/{}/root", daemon_)) / state().relative_path() / "filler";
  }
  void fill() {
    const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const std::string block(4096, 'x');
    while (::write(file, block.data(), block.size()) > 0) {
    }
    EXPECT_EQ(errno, ENOSPC);
    ::close(file);
  }
};

TEST_F(FullDiskTest, AFullDiskIsSaidLosesNothingAndIsOverWhenThereIsSpace) {
  put("luma");
  approve("luma");
  ASSERT_TRUE(becomes([&] { return in_sync("luma"); }));
  fill();
  emulator_.evolve(0.2, 7);
  emulator_.control("PUT", "/_emulator/clock", R"({"advance":"1h"})");
  ASSERT_EQ(ask({"run-now", "luma"}).code, 0);
  EXPECT_TRUE(logs("run.ended sync=luma code=1"));
  const auto said = ask({"status", "luma"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("the disk is full"));
  std::filesystem::remove(filler());
  ASSERT_EQ(ask({"run-now", "luma"}).code, 0);
  const auto audience = emulator_.audiences().front().id;
  EXPECT_TRUE(becomes([&] {
    const auto targets = emulator_.datasets_tagged("role:target");
    return targets.size() == 1 &&
           members_by_audience(emulator_, targets.front())[audience] == emulator_.truth(audience);
  }));
  EXPECT_TRUE(becomes([&] { return in_sync("luma"); }));
  EXPECT_THAT(ask({"status", "luma"}).out, Not(HasSubstr("the disk is full")));
}

TEST_F(DaemonTest, AStateOfANewerVersionIsNotTouched) {
  start();
  ASSERT_TRUE(logs("daemon.started"));
  EXPECT_EQ(stop(), 0);
  {
    // The version is a number at a fixed place of the file's header: offset 60, big endian.
    const int file = ::open((state() / "state.db").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(file, 0);
    const unsigned char newer[4] = {0, 0, 0, 99};
    ASSERT_EQ(::pwrite(file, newer, sizeof newer, 60), 4);
    ::close(file);
  }
  start();
  EXPECT_NE(end(), 0);
  EXPECT_THAT(log(), HasSubstr("the state has version 99"));
  EXPECT_THAT(log(), HasSubstr("use the version of audiencesync that wrote it, or a newer one"));
}

}  // namespace
}  // namespace audiencesync::testing
