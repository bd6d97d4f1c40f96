#include "engine/sql/session.h"

#include <gtest/gtest.h>

#include "engine/sql/read_only.h"
#include "tests/support/fake_sql.h"

namespace audiencesync::sql {
namespace {

/// What a text is refused for; "" when it is not.
std::string refused_read(std::string_view text) {
  const auto checked = check_read_only(text);
  return checked.ok() ? "" : checked.error().message();
}

TEST(ReadOnly, LetsThroughWhatOnlyReads) {
  EXPECT_EQ(refused_read("SELECT 1"), "");
  EXPECT_EQ(refused_read("-- marker: insert into t\n select count(*) from t;\n"), "");
  EXPECT_EQ(
      refused_read("/* drop */ WITH a AS (SELECT 'it''s \\' delete', \"update\", `create` FROM t) SELECT * FROM a"),
      "");
  EXPECT_EQ(refused_read("SHOW TABLES"), "");
  EXPECT_EQ(refused_read("SELECT inserted, `a`` drop b` FROM created"), "");
}

TEST(ReadOnly, RefusesEverythingElseWithItsWord) {
  EXPECT_EQ(refused_read("INSERT INTO t SELECT 1"), "'insert' has no place in a statement that only reads");
  EXPECT_EQ(refused_read("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a"),
            "'insert' has no place in a statement that only reads");
  EXPECT_EQ(refused_read("SELECT 1; DROP TABLE t"), "'drop' has no place in a statement that only reads");
  EXPECT_EQ(refused_read("SELECT 'a\\'; DROP TABLE t"), "a quotation of the statement has no end");
  EXPECT_EQ(refused_read("SELECT ';' /* "), "a comment of the statement has no end");
  EXPECT_EQ(refused_read(""), "'' has no place in a statement that only reads");
}

TEST(SqlRows, FindColumnsAndNumbersOrSayWhatIsWrongWithoutTheValue) {
  const Rows rows{{"Count", "id", "twice", "TWICE"}, {{"42", "person-7", "a", "b"}, {std::nullopt, "x", "a", "b"}}};
  ASSERT_TRUE(rows.number(0, "count").ok());
  EXPECT_EQ(*rows.number(0, "count"), 42);
  EXPECT_EQ(rows.number(0, "id").error().message(), "'id' of row 1 of the answer is text and not a number");
  EXPECT_EQ(rows.number(1, "count").error().message(), "'count' of row 2 of the answer is NULL and not a number");
  EXPECT_EQ(rows.number(2, "count").error().message(), "the answer has 2 rows, and row 3 was expected to hold 'count'");
  EXPECT_EQ(rows.column("twice").error().message(), "the answer has more than one column 'twice' among its 4");
  EXPECT_EQ(rows.column("gone").error().code(), ErrorCode::Corrupt);
}

TEST(SilentCap, IsNoticedAtItsExactNumberAndByWhatWasCounted) {
  const Query query{.text = "SELECT a FROM t", .what = "the members"};
  EXPECT_TRUE(check_whole(query, kSilentCap - 1).ok());
  EXPECT_TRUE(check_whole(query, kSilentCap + 1).ok());
  EXPECT_EQ(check_whole(query, kSilentCap).error().message(),
            "the members: exactly 50000 rows came, where the platform cuts answers without a word; ask in smaller "
            "parts, or count first");
  Query counted = query;
  counted.expected = kSilentCap;
  EXPECT_TRUE(check_whole(counted, kSilentCap).ok());
  counted.expected = 70'000;
  EXPECT_EQ(check_whole(counted, kSilentCap).error().message(),
            "the members: 50000 rows came and 70000 were counted; the platform cuts interactive answers there");
  counted.expected = 3;
  EXPECT_EQ(check_whole(counted, 2).error().message(), "the members: 2 rows came and 3 were counted");
}

TEST(FakeSql, IsAsStrictAsARealSession) {
  testing::FakeSql session;
  session.answer("FROM t", Rows{{"n"}, {{"1"}}});
  EXPECT_EQ(session.select({.text = "SELECT n FROM t", .what = "n"})->rows.size(), 1U);
  EXPECT_FALSE(session.select({.text = "DROP TABLE t -- FROM t", .what = "n"}).ok());
  EXPECT_FALSE(session.select({.text = "SELECT n FROM t", .what = "n", .expected = 2}).ok());
  EXPECT_EQ(session.asked.size(), 3U);
}

}  // namespace
}  // namespace audiencesync::sql
