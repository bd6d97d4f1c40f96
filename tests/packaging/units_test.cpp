#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/support/process.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kUnits = std::filesystem::path(AUDIENCESYNC_SOURCE_DIR) / "systemd";

// Lines of one section that set something, without comments.
std::vector<std::string> settings_of(const std::string& unit, const std::string& section) {
  std::vector<std::string> found;
  std::istringstream lines(read_file(kUnits / unit));
  std::string at;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) at = line;
    if (at == "[" + section + "]" && !line.empty() && line.front() != '#' && line.front() != '[') found.push_back(line);
  }
  return found;
}

ProcessResult analyze(std::vector<std::string> command) {
  const TemporaryFolder folder;
  command.insert(command.begin(), "/usr/bin/systemd-analyze");
  return run_process(command, {"LC_ALL=C.UTF-8"}, folder.path());
}

class UnitsTest : public ::testing::TestWithParam<const char*> {};

// systemd's own measure: 0 is sealed off, 10 is everything. The threshold is in tenths.
TEST_P(UnitsTest, ExposureIsAtMostOneAndAHalf) {
  const auto unit = (kUnits / GetParam()).string();
  const auto fine = analyze({"security", "--offline=true", "--threshold=15", "--no-pager", unit});
  EXPECT_EQ(fine.code, 0) << fine.out << fine.err;
  EXPECT_THAT(fine.out, HasSubstr("Overall exposure level"));
  // The measure can fail: nobody reaches zero with a network.
  EXPECT_NE(analyze({"security", "--offline=true", "--threshold=1", "--no-pager", unit}).code, 0);
}

INSTANTIATE_TEST_SUITE_P(Services, UnitsTest, ::testing::Values("audiencesync.service", "audiencesync-apply@.service"),
                         [](const auto& each) {
                           return std::string(each.param).find('@') == std::string::npos ? "daemon" : "apply";
                         });

// A misspelt directive is only a warning to systemd, and then simply not there.
TEST(Units, SystemdKnowsEveryDirective) {
  for (const auto& entry : std::filesystem::directory_iterator(kUnits)) {
    const auto extension = entry.path().extension();
    if (extension != ".service" && extension != ".timer" && extension != ".path") continue;
    const auto verified = analyze({"verify", "--man=no", "--recursive-errors=no", entry.path().string()});
    const auto said = verified.out + verified.err;
    EXPECT_THAT(said, Not(HasSubstr("Unknown"))) << entry.path();
    EXPECT_THAT(said, Not(HasSubstr("Failed to parse"))) << entry.path();
    EXPECT_THAT(said, Not(HasSubstr("ignoring"))) << entry.path();
  }
}

TEST(Units, WaitingForAPersonIsNoFailure) {
  EXPECT_THAT(settings_of("audiencesync-apply@.service", "Service"), ::testing::Contains("SuccessExitStatus=3 5"));
}

// 10 MB of relocated pages that a daemon between its runs would hold for nothing.
TEST(Program, LoadsDuckdbOnlyWhenItNeedsIt) {
  const TemporaryFolder folder;
  const auto linked =
      run_process({"/usr/bin/ldd", std::string(AUDIENCESYNC_BIN_DIR) + "/audiencesync"}, {}, folder.path());
  EXPECT_THAT(linked.out, HasSubstr("libstdc++"));
  EXPECT_THAT(linked.out, Not(HasSubstr("libduckdb")));
}

TEST(Units, TheTwoWaysToRunExcludeEachOther) {
  EXPECT_THAT(settings_of("audiencesync-apply@.service", "Unit"),
              ::testing::Contains("Conflicts=audiencesync.service"));
}

// What one unit keeps away from the program the other must too, but for what only the service needs.
TEST(Units, BothServicesAreSealedOffAlike) {
  const std::set<std::string> only_apply{"PrivateUsers=yes"};
  const std::set<std::string> only_daemon{"SystemCallFilter=setrlimit prlimit64"};
  const auto sealed = [](const std::string& unit, const std::set<std::string>& without) {
    std::set<std::string> found;
    bool from = false;
    for (const auto& line : settings_of(unit, "Service")) {
      from = from || line.starts_with("AmbientCapabilities=");
      if (from && !without.contains(line)) found.insert(line);
    }
    return found;
  };
  const auto daemon = sealed("audiencesync.service", only_daemon);
  EXPECT_GT(daemon.size(), 20U);
  EXPECT_EQ(daemon, sealed("audiencesync-apply@.service", only_apply));
}

}  // namespace
}  // namespace audiencesync::testing
