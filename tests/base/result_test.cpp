#include "engine/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace audiencesync {
namespace {

Result<std::unique_ptr<int>> boxed(int number) {
  if (number < 0) return Error(ErrorCode::Invalid, "negative");
  return std::make_unique<int>(number);
}

Result<std::unique_ptr<int>> doubled(int number, int& reached) {
  auto box = TRY(boxed(number));
  ++reached;
  *box *= 2;
  return box;
}

Result<void> positive(int number) {
  if (number <= 0) return Error(ErrorCode::Refused, "not positive");
  return {};
}

Result<std::string> both(int first, int second) {
  TRY(positive(first));
  TRY(positive(second).in("second"));
  return "both";
}

TEST(Result, TryHandsOnAMoveOnlyValue) {
  int reached = 0;
  const auto result = doubled(21, reached);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(**result, 42);
  EXPECT_EQ(reached, 1);
}

TEST(Result, TryReturnsTheErrorAndNothingAfterItRuns) {
  int reached = 0;
  const auto result = doubled(-1, reached);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::Invalid);
  EXPECT_EQ(result.error().message(), "negative");
  EXPECT_EQ(reached, 0);
}

TEST(Result, TryOfVoidAddsTheFrameOnlyToErrors) {
  EXPECT_EQ(*both(1, 1), "both");
  EXPECT_EQ(both(0, 1).error().text(), "not positive");
  EXPECT_EQ(both(1, 0).error().text(), "second: not positive");
}

TEST(Result, ConvertsWhatItsValueIsMadeOf) {
  const Result<std::string> text = "plain";
  EXPECT_EQ(text.value(), "plain");
  const Result<std::optional<int>> none = std::optional<int>{};
  EXPECT_TRUE(none.ok());
  EXPECT_FALSE(none.value().has_value());
  const Result<bool> no = false;
  EXPECT_TRUE(no.ok()) << "a false value is still a value";
  EXPECT_FALSE(*no);
}

TEST(Error, TextHasPlaceFramesMessageAndRequest) {
  const auto error = Error(ErrorCode::Conflict, "the platform holds version 12")
                         .in("dataset/orders")
                         .in("apply")
                         .at({"luma.yaml", 14, 10})
                         .with_request_id("7f3a91");
  EXPECT_EQ(error.text(), "luma.yaml:14:10: apply: dataset/orders: the platform holds version 12 (request 7f3a91)");
  EXPECT_EQ(error.message(), "the platform holds version 12");
  EXPECT_EQ(error.code(), ErrorCode::Conflict);
}

TEST(Error, PlaceIsWrittenAsFarAsItIsKnown) {
  EXPECT_EQ(Error(ErrorCode::Io, "gone").text(), "gone");
  EXPECT_EQ(Error(ErrorCode::Io, "gone").at({"a.yaml", 0, 0}).text(), "a.yaml: gone");
  EXPECT_EQ(Error(ErrorCode::Io, "gone").at({"a.yaml", 3, 0}).text(), "a.yaml:3: gone");
}

}  // namespace
}  // namespace audiencesync
