#include "engine/membership/person_rule.h"

#include <gtest/gtest.h>

namespace audiencesync::testing {
namespace {

struct RuleCase {
  const char* name;
  PersonRule rule;
  std::string raw;
  PersonProblem problem;
  std::string person;
};

class PersonRuleTest : public ::testing::TestWithParam<RuleCase> {};

TEST_P(PersonRuleTest, GivesThePersonOfTheEvents) {
  const auto& row = GetParam();
  std::string space = "left from the row before";
  std::string_view out;
  ASSERT_EQ(apply_person_rule(row.rule, row.raw, space, out), row.problem);
  if (row.problem == PersonProblem::None) {
    EXPECT_EQ(out, row.person);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PersonRuleTest,
    ::testing::Values(
        RuleCase{"as_is", PersonRule::AsIs, " A@x.io ", PersonProblem::None, " A@x.io "},
        RuleCase{"empty", PersonRule::AsIs, "", PersonProblem::Missing, ""},
        RuleCase{"trim", PersonRule::Trim, "\t A@x.io\r\n", PersonProblem::None, "A@x.io"},
        RuleCase{"trim_keeps_other_blanks", PersonRule::Trim, "\u00A0a", PersonProblem::None, "\u00A0a"},
        RuleCase{"only_blanks", PersonRule::Trim, " \t ", PersonProblem::Missing, ""},
        RuleCase{"blanks_as_they_are", PersonRule::Lower, " ", PersonProblem::None, " "},
        RuleCase{"lower_is_ascii_only", PersonRule::Lower, "GRÖßE@X.IO", PersonProblem::None, "grÖße@x.io"},
        RuleCase{"hash_of_lower", PersonRule::Sha256Lower, "ABC", PersonProblem::None,
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        RuleCase{"hash_of_nothing", PersonRule::Sha256Lower, "", PersonProblem::Missing, ""},
        RuleCase{"longest", PersonRule::AsIs, std::string(1024, 'x'), PersonProblem::None, std::string(1024, 'x')},
        RuleCase{"over_long", PersonRule::AsIs, std::string(1025, 'x'), PersonProblem::OverLong, ""},
        RuleCase{"over_long_before_the_hash", PersonRule::Sha256Lower, std::string(1025, 'x'), PersonProblem::OverLong,
                 ""},
        RuleCase{"trimmed_to_the_limit", PersonRule::Trim, std::string(1024, 'x') + " ", PersonProblem::None,
                 std::string(1024, 'x')},
        RuleCase{"not_utf8", PersonRule::AsIs, "a\xC3", PersonProblem::NotUtf8, ""}),
    [](const auto& row) { return row.param.name; });

TEST(Utf8, KnowsEveryKindOfBadSequence) {
  for (const std::string good : {"", "plain ascii text", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                 "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA4"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const std::string bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE1\x80", "\xED\xA0\x80", "\xEF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "12345678\xFF", "1234567\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace audiencesync::testing
