#include "engine/sql/libpq/failure.h"

#include <gtest/gtest.h>

namespace audiencesync::sql {
namespace {

TEST(SqlFailure, ValuesOfRowsStayOutOfMessages) {
  const auto cast = statement_error("22018", "The value 'ann@example.com' of the type \"STRING\" cannot be cast");
  EXPECT_EQ(cast.text(), "The value '...' of the type '...' cannot be cast (SQLSTATE 22018)");
  EXPECT_EQ(cast.code(), ErrorCode::Rejected);
  EXPECT_EQ(statement_error("58000", "row with 4917612345678 for bob@example.com, see 'x").text(),
            "row with ... for ... see '...' (SQLSTATE 58000)");
  EXPECT_EQ(statement_error("42703", "column 'nothing' does not exist").text(),
            "column 'nothing' does not exist (SQLSTATE 42703)");
}

TEST(SqlFailure, StatesSayWhatMayHelp) {
  EXPECT_EQ(code_of_state("42P01", ""), ErrorCode::NotFound);
  EXPECT_EQ(code_of_state("42501", ""), ErrorCode::Permission);
  EXPECT_EQ(code_of_state("28P01", ""), ErrorCode::Authentication);
  EXPECT_EQ(code_of_state("0A000", ""), ErrorCode::Unsupported);
  EXPECT_EQ(code_of_state("53400", "canceling statement due to statement timeout"), ErrorCode::Timeout);
  EXPECT_EQ(code_of_state("53400", "Session Limit Reached"), ErrorCode::Unavailable);
  EXPECT_EQ(code_of_state("58000", ""), ErrorCode::Unavailable);
  EXPECT_EQ(code_of_state("08P01", ""), ErrorCode::Unavailable);
  EXPECT_EQ(code_of_state("42601", ""), ErrorCode::Rejected);
}

TEST(SqlFailure, ARefusedLoginIsReadOutOfLibpqsWords) {
  const Secret password("planted-marker");
  const auto refused = connection_error("host.example",
                                        "connection to server at \"host.example\" (192.0.2.1), port 80 failed: FATAL:  "
                                        "28P01: no entry for planted-marker\nLOCATION:  somewhere\n",
                                        password);
  EXPECT_EQ(refused.text(), "host.example: no entry for ... (SQLSTATE 28P01)");
  EXPECT_EQ(refused.code(), ErrorCode::Authentication);
  const auto closed = connection_error(
      "host.example", "connection to server at \"host.example\", port 80 failed: Connection refused\n\tIs it there?\n",
      password);
  EXPECT_EQ(closed.text(), "host.example: Connection refused Is it there?");
  EXPECT_EQ(closed.code(), ErrorCode::Unavailable);
  EXPECT_EQ(connection_error("h", "port 80 failed: SSL error: certificate verify failed", password).code(),
            ErrorCode::Refused);
}

}  // namespace
}  // namespace audiencesync::sql
