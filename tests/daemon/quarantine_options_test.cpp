#include <gtest/gtest.h>

#include "daemon/options.h"

namespace audiencesync {
namespace {

TEST(QuarantineOptions, NameAnActionAndASync) {
  const auto list = parse_options({"quarantine", "list", "luma"});
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->quarantine, QuarantineAction::List);
  EXPECT_EQ(list->arguments, std::vector<std::string>{"luma"});
  const auto drop = parse_options({"quarantine", "drop", "luma", "-"});
  ASSERT_TRUE(drop.ok());
  EXPECT_EQ(drop->quarantine, QuarantineAction::Drop);
  EXPECT_EQ(drop->person, PersonFrom::Stdin);
}

TEST(QuarantineOptions, NeverRepeatWhatMayBeAnId) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"quarantine", "replay", "luma", "planted@x.example"},
                                             {"quarantine", "list", "luma", "-"},
                                             {"quarantine", "drop", "luma", "-", "planted@x.example"},
                                             {"quarantine", "luma"},
                                             {"quarantine", "mend", "luma"},
                                             {"quarantine"}}) {
    const auto parsed = parse_options(words);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().code(), ErrorCode::Usage);
    EXPECT_EQ(parsed.error().text().find("planted"), std::string::npos);
  }
}

}  // namespace
}  // namespace audiencesync
