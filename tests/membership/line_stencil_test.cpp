// The stencil takes a record without parsing it, so whatever it takes must be what the parser reads, byte for byte.
#include "engine/membership/json/line_stencil.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "engine/membership/json/record_block.h"
#include "engine/membership/json/record_reader.h"
#include "tests/membership/collecting_sink.h"

namespace audiencesync::testing {
namespace {

using json::LineShape;
using json::LineStencil;
using json::RecordBlock;
using json::RecordReader;

constexpr const char* kUsual = R"({"_demo":{"email":"ann@x.io"},"segmentMembership":{"ups":{)"
                               R"("aud-1":{"lastQualificationTime":"2024-05-01T02:11:09Z","status":"realized"},)"
                               R"("aud-9":{"lastQualificationTime":"2024-05-02T02:11:09Z","status":"exited"},)"
                               R"("aud-2":{"lastQualificationTime":"2024-05-03T02:11:09Z","status":"existing"}}}})";

struct Row {
  std::string person;
  std::vector<std::uint16_t> audiences;
  std::uint64_t unknown = 0;
  friend bool operator==(const Row&, const Row&) = default;
};

std::optional<Row> row_of(const PersonBatch& batch) {
  if (batch.rows.size() != 1) return std::nullopt;
  Row row{std::string(batch.rows.front().person), batch.audiences, batch.unknown_status};
  std::sort(row.audiences.begin(), row.audiences.end());
  row.audiences.erase(std::unique(row.audiences.begin(), row.audiences.end()), row.audiences.end());
  return row;
}

class LineStencilTest : public ::testing::Test {
 protected:
  LineStencilTest() {
    LineShape shape;
    shape.before = R"({"_demo":{"email":")";
    shape.after = R"("},"segmentMembership":{"ups":{")";
    shape.space = "ups";
    shape.id = 5;
    shape.first = R"(":{"lastQualificationTime":")";
    shape.other = 20;
    shape.second = R"(","status":")";
    stencil.learn(shape);
  }

  /// What the stencil makes of a record, if it takes it.
  std::optional<Row> quickly(const std::string& record) {
    put(record);
    PersonBatch batch;
    if (!stencil.read(std::string_view(block.bytes(), record.size()), batch)) return std::nullopt;
    return row_of(batch);
  }
  std::optional<Row> parsed(const std::string& record) {
    put(record);
    PersonBatch batch;
    if (reader.read(std::string_view(block.bytes(), record.size()), block.readable(0), batch) != nullptr) {
      return std::nullopt;
    }
    return row_of(batch);
  }
  /// Counts what it takes; everything else is for others.
  void expect_true(const std::string& record) {
    const auto quick = quickly(record);
    if (!quick) return;
    ++taken;
    EXPECT_EQ(quick, parsed(record)) << record;
  }

  NamedAudiences audiences{{"aud-1", "aud-2", "a"}};
  SourceColumns columns{"_demo.email", ""};
  LineStencil stencil{audiences};
  RecordReader reader{columns, &audiences};
  RecordBlock block;
  int taken = 0;

 private:
  // What lies behind the record is as if it went on.
  void put(const std::string& record) {
    const auto all = record + R"("},"aud-1":{"lastQualificationTime":"2024-05-01T02:11:09Z","status":"realized"}}}})";
    std::copy(all.begin(), all.end(), block.reserve(all.size()));
    block.size = record.size();
  }
};

TEST_F(LineStencilTest, TakesWhatHasTheShape) {
  EXPECT_EQ(quickly(kUsual), (Row{"ann@x.io", {0, 1}, 0}));
  EXPECT_EQ(quickly(kUsual), parsed(kUsual));
}

TEST_F(LineStencilTest, TakesAnyPersonAndStatusThatIsPlain) {
  for (const auto* person : {"", "a", "a@x.io with ~ and 'all'", "0123456789abcdef", "0123456789abcdef0"}) {
    for (const auto* status : {"realized", "exited", "entered", "existing", "odd", "x", "fourteen-chars"}) {
      std::string record = kUsual;
      record.replace(record.find("ann@x.io"), 8, person);
      record.replace(record.find("realized"), 8, status);
      EXPECT_TRUE(quickly(record)) << record;
      expect_true(record);
    }
  }
  EXPECT_GT(taken, 30);
}

TEST_F(LineStencilTest, IsRightAboutEveryRecordThatDiffersInOneByte) {
  const std::string usual = kUsual;
  for (std::size_t at = 0; at < usual.size(); ++at) {
    for (const char byte :
         {'"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\n', '\t', '\x1f', '\x7f', '\x80', '\xc3', '0'}) {
      auto changed = usual;
      changed[at] = byte;
      expect_true(changed);
      changed.insert(at, 1, usual[at]);
      expect_true(changed);
    }
    auto shorter = usual;
    expect_true(shorter.erase(at, 1));
    expect_true(usual.substr(0, at));
    auto escaped = usual;
    expect_true(escaped.replace(at, 1, fmt::format("\\u{:04x}", static_cast<unsigned char>(usual[at]))));
  }
  EXPECT_GT(taken, 500) << "other characters in texts change nothing else";
}

TEST_F(LineStencilTest, IsRightAboutRecordsThatDifferInTwoPlaces) {
  const std::string usual = kUsual;
  for (std::size_t at = 0; at < usual.size(); ++at) {
    for (std::size_t other = at + 1; other < std::min(at + 40, usual.size()); ++other) {
      for (const char byte : {'"', '\\', '}', ','}) {
        auto changed = usual;
        changed[at] = byte;
        changed[other] = '"';
        expect_true(changed);
      }
    }
  }
}

TEST_F(LineStencilTest, LearnsNothingFromMembershipsThatAreTooLong) {
  LineShape shape;
  shape.before = "{";
  shape.id = LineShape::kLongest;
  shape.first = "\"";
  stencil.learn(shape);
  EXPECT_FALSE(stencil.knows_a_shape());
}

}  // namespace
}  // namespace audiencesync::testing
