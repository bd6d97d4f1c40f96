// Rows of an export that are not as they should be: counted, reported, and no trouble for anybody else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kExitOk = 0;
constexpr int kExitRefused = 4;

class BadRowsTest : public ::testing::Test {
 protected:
  void add(const std::string& person, const std::string& memberships, const std::string& more = "") {
    emulator.control("POST", "/_emulator/profiles",
                     fmt::format(R"({{"person_id":{},"memberships":{{{}}}{}}})", person, memberships, more));
  }
  static std::string quoted(const std::string& text) { return "\"" + text + "\""; }
  std::string in(int audience, const std::string& status = "realized") const {
    return fmt::format(R"("{}":"{}")", audiences[static_cast<std::size_t>(audience)].id, status);
  }
  std::set<std::string> audiences_of(const std::string& person) {
    std::set<std::string> names;
    const auto members = members_by_audience(emulator, world.target());
    for (std::size_t i = 0; i < audiences.size(); ++i) {
      const auto found = members.find(audiences[i].id);
      if (found != members.end() && found->second.contains(person)) names.insert(std::to_string(i));
    }
    return names;
  }

  OwnWorld own;
  World& world = own.world;
  Emulator& emulator = own.emulator;
  std::vector<Emulator::Audience> audiences = emulator.audiences();
};

TEST_F(BadRowsTest, RowsWithoutAUsablePersonAreCountedAndReportedAndStopNobodyElse) {
  const std::string marker = "marker.over.long@planted.example";
  const auto over_long = marker + std::string(1025 - marker.size(), 'x');
  const auto longest = marker + std::string(1024 - marker.size(), 'y');
  add("null", in(0));
  add("\"\"", in(0));
  add(quoted(over_long), in(0));
  add(quoted(longest), in(0));
  const auto result = world.apply();
  expect_told(
      result, kExitOk,
      {"3 of", "exported rows cannot be used: 2 without a person id, 1 with one longer than 1024 bytes, 0 not UTF-8"});
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(marker)));

  EXPECT_EQ(audiences_of(longest), std::set<std::string>{"0"});
  EXPECT_EQ(audiences_of(""), std::set<std::string>{});
  EXPECT_EQ(audiences_of(over_long), std::set<std::string>{});
  auto truth = emulator.truth(audiences[0].id);
  truth.erase(over_long);
  EXPECT_EQ(members_by_audience(emulator, world.target()).at(audiences[0].id), truth);

  const auto planned = world.plan({"--format", "json"});
  EXPECT_EQ(planned.code, kExitOk);
  EXPECT_THAT(planned.out, HasSubstr("\"bad-rows\""));
  EXPECT_THAT(planned.out, Not(HasSubstr(marker)));
}

TEST_F(BadRowsTest, TooManyOfThemRefuseThePlan) {
  for (int row = 0; row < 5; ++row) add("null", in(0));
  world.extra = "";
  world.guard = "guard: { min_people: 1, max_bad_rows: 4, max_removals: 100%, allow_empty_audience: true }";
  const auto result = world.apply();
  expect_told(result, kExitRefused,
              {"5 without a person id", "more than guard.max_bad_rows (4) allows: check identity.field"});
  EXPECT_THAT(emulator.datasets_tagged("role:target"), IsEmpty());
  world.guard = "guard: { min_people: 1, max_bad_rows: 5, max_removals: 100%, allow_empty_audience: true }";
  EXPECT_EQ(world.apply().code, kExitOk);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(BadRowsTest, PersonsOfAnySpellingArriveAsTheyAre) {
  const std::vector<std::string> written{"zo\xc3\xab@ex\xc3\xa4mple.de",
                                         "\xe5\xb1\xb1\xe7\x94\xb0@\xe4\xbe\x8b.jp",
                                         "\xf0\x9f\x98\x80@emoji.io",
                                         R"(\"quoted\"@x.io)",
                                         R"(back\\slash@x.io)",
                                         R"(tab\tand\nline@x.io)",
                                         "CamelCase@X.io",
                                         " blanks around ",
                                         R"(e\u0301 apart@x.io)",
                                         "\xc3\xa9 together@x.io"};
  for (const auto& person : written) add(quoted(person), in(1));
  ASSERT_EQ(world.apply().code, kExitOk);
  EXPECT_EQ(world.difference(), "");
  EXPECT_EQ(audiences_of("tab\tand\nline@x.io"), std::set<std::string>{"1"});
  EXPECT_EQ(audiences_of("camelcase@x.io"), std::set<std::string>{}) << "without normalize, case is kept";
  emulator.clear_calls();
  expect_told(world.apply({"--no-refresh"}), kExitOk, {"nothing to do"});
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(BadRowsTest, SeveralRowsOfOnePersonAreOneRecordWithAllAudiences) {
  add(quoted("twice@x.io"), in(0));
  add(quoted("twice@x.io"), in(1));
  add(quoted("twice@x.io"), in(0, "exited") + "," + in(1));
  ASSERT_EQ(world.apply().code, kExitOk);
  EXPECT_EQ(audiences_of("twice@x.io"), (std::set<std::string>{"0", "1"}));
  EXPECT_EQ(world.difference(), "");
}

TEST_F(BadRowsTest, OnlyTheDeclaredStatusesAndNamespaceMakeAMember) {
  add(quoted("existing@x.io"), in(0, "existing"));
  add(quoted("exited@x.io"), in(0, "exited") + "," + in(1));
  add(quoted("unheard@x.io"), in(0, "paused") + "," + in(1));
  add(quoted("capitals@x.io"), in(0), R"(,"namespace":"UPS")");
  add(quoted("elsewhere@x.io"), in(0), R"(,"namespace":"salesforce")");
  expect_told(world.apply(), kExitOk, {"1 membership of an unknown status is left out"});
  EXPECT_EQ(audiences_of("existing@x.io"), std::set<std::string>{"0"});
  EXPECT_EQ(audiences_of("exited@x.io"), std::set<std::string>{"1"});
  EXPECT_EQ(audiences_of("unheard@x.io"), std::set<std::string>{"1"});
  EXPECT_EQ(audiences_of("capitals@x.io"), std::set<std::string>{"0"});
  EXPECT_EQ(audiences_of("elsewhere@x.io"), std::set<std::string>{});
  EXPECT_EQ(world.difference(), "");
}

}  // namespace
}  // namespace audiencesync::testing
