#include "engine/report/figures.h"

#include <gtest/gtest.h>

#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

TEST(Figures, CountsHaveThousandsSeparators) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Figures, ShortCountsHaveFiveCharactersAtMost) {
  EXPECT_EQ(short_count_text(99'999), "99999");
  EXPECT_EQ(short_count_text(100'000), "100k");
  EXPECT_EQ(short_count_text(999'499), "999k");
  EXPECT_EQ(short_count_text(999'500), "1.0M");
  EXPECT_EQ(short_count_text(1'234'567), "1.2M");
  EXPECT_EQ(short_count_text(99'949'999), "99.9M");
  EXPECT_EQ(short_count_text(99'950'000), "100M");
  for (std::uint64_t count = 1; count < UINT64_MAX / 11; count = count * 11 - 1)
    EXPECT_LE(short_count_text(count).size(), 5U) << count;
}

TEST(Figures, ACountIsOneOrMany) {
  EXPECT_EQ(counted(1, "change"), "1 change");
  EXPECT_EQ(counted(0, "change"), "0 changes");
  EXPECT_EQ(counted(1200, "person", "people"), "1,200 people");
}

TEST(Figures, BytesHaveAUnit) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(9'876'543), "9.9 MB");
  EXPECT_EQ(bytes_text(999'960'000), "1.0 GB");
}

TEST(Figures, AChangeIsNeverRoundedToNothing) {
  EXPECT_EQ(change_text(100, 100), "0.0");
  EXPECT_EQ(change_text(100, 112), "+12.0");
  EXPECT_EQ(change_text(100, 88), "−12.0");
  EXPECT_EQ(change_text(1'000'000, 1'000'001), "+0.0");
  EXPECT_EQ(change_text(1'000'000, 999'999), "−0.0");
  EXPECT_EQ(change_text(0, 0), "0.0");
  EXPECT_EQ(change_text(0, 5), "new");
  EXPECT_EQ(change_text(5, 0), "−100.0");
  EXPECT_EQ(change_text(1, UINT64_MAX), ">+9999");
}

TEST(Figures, SharesSayWhenTheyAreSmall) {
  EXPECT_EQ(share_text(0), "0 %");
  EXPECT_EQ(share_text(0.0005), "less than 0.1 %");
  EXPECT_EQ(share_text(0.125), "12.5 %");
  EXPECT_EQ(share_text(2.5), "250.0 %");
}

TEST(Sparkline, GoesFromTheSmallestToTheLargest) {
  EXPECT_EQ(sparkline({}, 8), "");
  EXPECT_EQ(sparkline({5}, 8), "▅");
  EXPECT_EQ(sparkline({5, 5, 5}, 8), "▅▅▅");
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline({1'000'000, 0, 1'000'000}, 2), "▁█") << "the last two";
  EXPECT_EQ(sparkline({0, UINT64_MAX}, 8), "▁█");
  EXPECT_EQ(sparkline({0, 0}, 8), "▅▅");
  EXPECT_EQ(sparkline({967, 967, 966}, 8), "▅▅▄") << "one person of a thousand is no jump";
  EXPECT_EQ(sparkline({1000, 950, 1000}, 8), "▆▃▆") << "five in a hundred show";
}

TEST(TextLayout, CountsColumnsAsATerminalDoes) {
  EXPECT_EQ(columns_of("Gold"), 4U);
  EXPECT_EQ(columns_of("Größe"), 5U);
  EXPECT_EQ(columns_of("会員"), 4U);
  EXPECT_EQ(columns_of("e\u0301"), 1U);
  EXPECT_EQ(columns_of("🎉"), 2U);
}

TEST(TextLayout, CutsAtACharacterAndPadsToTheColumn) {
  EXPECT_EQ(fit_left("Größe", 8), "Größe   ");
  EXPECT_EQ(fit_left("Größe", 4), "Grö~");
  EXPECT_EQ(fit_left("会員証", 6), "会員証");
  EXPECT_EQ(fit_left("会員証", 4), "会~ ");
  EXPECT_EQ(fit_right("7", 3), "  7");
  EXPECT_EQ(fit_right("1234", 3), "1234");
}

TEST(TextLayout, WhatCommandsATerminalIsABlank) {
  EXPECT_EQ(printable("a\x1b[2J\nb\rc\td\x7f"), "a [2J b c d ");
  EXPECT_EQ(printable("a\u009b2Jb\u202eevil\u2066c\u2028d"), "a 2Jb evil c d");
}

TEST(TextLayout, AParagraphIsIndentedBelowItsText) {
  EXPECT_EQ(paragraph("  note ", "one two"), "  note one two\n");
  EXPECT_EQ(paragraph("  state   ", ""), "  state\n");
  const auto text = paragraph("  note ", std::string(70, 'a') + " " + std::string(90, 'b'));
  EXPECT_EQ(text, "  note " + std::string(70, 'a') + "\n       " + std::string(73, 'b') + "\n       " +
                      std::string(17, 'b') + "\n");
}

}  // namespace
}  // namespace audiencesync
