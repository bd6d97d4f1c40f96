#include "daemon/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/command_table.h"

namespace audiencesync {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

TEST(AdmissionTest, WhatActsOnTheDaemonsOwnStateIsAdmitted) {
  for (const auto& words :
       {Words{"status"}, Words{"history", "luma"}, Words{"plan", "--fresh", "luma"}, Words{"apply", "--auto-approve"},
        Words{"approve", "7f3a91c2", "--reason", "why"}, Words{"suspend", "luma", "--reason", "why", "--until", "3d"},
        Words{"resume", "luma"}, Words{"run-now", "luma"}, Words{"lock", "list"}, Words{"lock", "break", "luma"},
        Words{"quarantine", "list", "luma"}, Words{"explain", "luma", "-"}, Words{"members", "luma", "--all"},
        Words{"manifests"}}) {
    const auto admitted = admit_operator_command(words);
    EXPECT_TRUE(admitted.ok()) << words[0] << ": " << (admitted.ok() ? "" : admitted.error().text());
  }
}

TEST(AdmissionTest, OptionsThatTheDaemonWouldOpenWithItsOwnRightsAreNot) {
  for (const auto& words : {Words{"status", "--config", "/tmp/x"}, Words{"status", "--state", "/tmp"},
                            Words{"plan", "--out", "/etc/passwd"}, Words{"members", "luma", "--all", "--out", "x"},
                            Words{"apply", "--plan", "/etc/shadow"},
                            Words{"rollback", "luma", "--to", "1", "--reason", "r", "--manifest", "/tmp/m.yaml"},
                            Words{"plan", "luma.yaml", "--server", "http://127.0.0.1:1", "--token-file", "/etc/shadow"},
                            Words{"status", "--socket", "/tmp/s"}, Words{"manifests", "--fetch"}}) {
    const auto admitted = admit_operator_command(words);
    ASSERT_FALSE(admitted.ok()) << words[0];
    EXPECT_EQ(admitted.error().code(), ErrorCode::Permission);
    EXPECT_THAT(admitted.error().text(), HasSubstr("its own rights"));
  }
}

TEST(AdmissionTest, EveryOptionWithAFileIsDecidedAbout) {
  // Options of admitted commands that name files: a new one must be refused, or be harmless for a reason told here.
  std::set<std::string> decided{"config", "state", "socket", "out", "plan", "manifest", "token-file"};
  for (const auto& row : command_table()) {
    if (!is_for_operators(row.command)) continue;
    for (const auto& option : row.options) {
      const bool opens = option.takes == Takes::File || option.takes == Takes::Folder || option.takes == Takes::Paths;
      EXPECT_TRUE(!opens || decided.contains(std::string(option.name))) << row.name << " --" << option.name;
    }
  }
}

TEST(AdmissionTest, WhatIsNotTheDaemonsIsRefusedWithAWayOut) {
  for (const auto& words : {Words{"daemon"}, Words{"validate", "/etc/shadow"}, Words{"schema"}}) {
    const auto admitted = admit_operator_command(words);
    ASSERT_FALSE(admitted.ok());
    EXPECT_THAT(admitted.error().text(), HasSubstr("without --socket"));
  }
  EXPECT_FALSE(admit_operator_command({}).ok());
}

TEST(AdmissionTest, WhatIsToldHoldsNoReasonAndNobodysId) {
  const auto approve = admit_operator_command({"approve", "7f3a91c2", "--reason", "marker@example.com"});
  ASSERT_TRUE(approve.ok());
  EXPECT_EQ(approve->told, "approve 7f3a91c2");
  // An id on the command line is a mistake, and stays out of the log.
  const auto explain = admit_operator_command({"explain", "luma", "marker@example.com"});
  ASSERT_FALSE(explain.ok());
  EXPECT_THAT(explain.error().text(), Not(HasSubstr("marker")));
}

TEST(AdmissionTest, RunNowIsTheDaemonsOwnBusiness) {
  const auto admitted = admit_operator_command({"run-now", "luma"});
  ASSERT_TRUE(admitted.ok());
  EXPECT_EQ(admitted->sync, "luma");
}

}  // namespace
}  // namespace audiencesync
