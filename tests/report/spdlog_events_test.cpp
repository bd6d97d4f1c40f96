#include "engine/report/spdlog/spdlog_events.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <thread>

#include "engine/report/memory_events.h"
#include "engine/report/spdlog/progress_text.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class StoppedClock final : public Clock {
 public:
  Time now() const override { return {}; }
  std::chrono::steady_clock::time_point steady() const override { return time; }
  bool sleep(Duration, std::stop_token) const override { return true; }
  std::chrono::steady_clock::time_point time{};
};

class SpdlogEventsTest : public ::testing::Test {
 protected:
  SpdlogEventsTest() { ::unsetenv("NO_COLOR"); }
  ~SpdlogEventsTest() override {
    events.reset();  // it may still write
    std::fclose(stream);
  }

  void start(Terminal terminal, Verbosity verbosity = Verbosity::Normal) {
    events.emplace(clock, SpdlogEventsOptions{.verbosity = verbosity, .terminal = terminal, .stream = stream});
  }
  std::string written() {
    std::fflush(stream);
    std::string out(static_cast<std::size_t>(std::ftell(stream)), '\0');
    std::rewind(stream);
    out.resize(std::fread(out.data(), 1, out.size(), stream));
    return out;
  }
  static std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  StoppedClock clock;
  std::FILE* stream = std::tmpfile();
  std::optional<SpdlogEvents> events;
};

TEST_F(SpdlogEventsTest, AnEventIsOneLineOfNameAndFields) {
  start(Terminal::No);
  events->emit("change.applied", {{"key", "dataset/target"}, {"took", 12}, {"again", false}, {"share", 0.5}});
  const auto text = written();
  EXPECT_THAT(text, HasSubstr("Z info change.applied key=dataset/target took=12 again=false share=0.5\n"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(count(text, "\n"), 1U);
}

TEST_F(SpdlogEventsTest, ValuesThatWouldBeAmbiguousAreQuoted) {
  start(Terminal::No);
  events->warn("export.failed", {{"why", "two words"},
                                 {"line", "a\nb"},
                                 {"escape", "\x1b[31m"},
                                 {"pair", "a=b"},
                                 {"empty", ""},
                                 {"braces", "{}"},
                                 {"list", Value::Array{1, "x"}}});
  EXPECT_THAT(written(), HasSubstr("warning export.failed why=\"two words\" line=\"a\\nb\" escape=\"\\u001b[31m\" "
                                   "pair=\"a=b\" empty=\"\" braces={} list=[1,\"x\"]\n"));
}

TEST_F(SpdlogEventsTest, QuietShowsWarningsOnly) {
  start(Terminal::Yes, Verbosity::Quiet);
  events->emit("change.applied", {});
  events->progress("read export", 1, 2, "bytes");
  clock.time += 1min;
  events->progress("read export", 2, 2, "bytes");
  events->warn("audience.held", {});
  const auto text = written();
  EXPECT_THAT(text, HasSubstr("audience.held"));
  EXPECT_THAT(text, Not(HasSubstr("change.applied")));
  EXPECT_THAT(text, Not(HasSubstr("read export")));
}

TEST_F(SpdlogEventsTest, ProgressIsShownWithoutTheEvents) {
  start(Terminal::No, Verbosity::Progress);
  events->emit("change.applied", {});
  events->progress("read export", 1, 2, "bytes");
  clock.time += 1min;
  events->progress("read export", 2, 2, "bytes");
  const auto text = written();
  EXPECT_THAT(text, Not(HasSubstr("change.applied")));
  EXPECT_THAT(text, HasSubstr("read export 100 % 2 B of 2 B"));
}

TEST_F(SpdlogEventsTest, WhoeverWritesTakesTheProgressLineAwayFirst) {
  start(Terminal::Yes, Verbosity::Progress);
  events->progress("read export", 0, 10, "rows");
  clock.time += 1s;
  events->progress("read export", 5, 10, "rows");
  events->settle();
  const auto once = written();
  EXPECT_TRUE(once.ends_with("1s left\r\x1b[K")) << once;
  events->settle();
  EXPECT_EQ(written().size(), once.size()) << "there is nothing left to take away";
}

TEST_F(SpdlogEventsTest, AProgressLineGoesWhenTheWorkIsOver) {
  start(Terminal::Yes, Verbosity::Progress);
  events->progress("read export", 0, 10, "rows");
  clock.time += 1s;
  events->progress("read export", 5, 10, "rows");
  clock.time += 1s;
  events->progress("read export", 10, 10, "rows");
  EXPECT_TRUE(written().ends_with("\r\x1b[K"));
}

TEST_F(SpdlogEventsTest, ColoursOnATerminalUnlessRefused) {
  start(Terminal::Yes);
  events->warn("audience.held", {});
  EXPECT_THAT(written(), HasSubstr("\x1b["));

  events.reset();
  std::fclose(stream);
  stream = std::tmpfile();
  ::setenv("NO_COLOR", "1", 1);
  start(Terminal::Yes);
  events->warn("audience.held", {});
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(written().find('\x1b'), std::string::npos);
}

TEST_F(SpdlogEventsTest, ATerminalSeesOneRewrittenLineTenTimesASecond) {
  start(Terminal::Yes);
  for (std::uint64_t done = 0; done <= 1000; ++done) {
    events->progress("read export", done, 2000, "bytes");
    clock.time += 1ms;
  }
  const auto text = written();
  EXPECT_EQ(count(text, "\r"), 10U);
  EXPECT_EQ(count(text, "\n"), 0U);
}

TEST_F(SpdlogEventsTest, AnEventDoesNotTearAProgressLine) {
  start(Terminal::Yes);
  events->progress("read export", 0, 10, "rows");
  clock.time += 1s;
  events->progress("read export", 5, 10, "rows");
  events->emit("change.applied", {});
  EXPECT_THAT(written(), HasSubstr("5 rows of 10 rows, 5 rows/s, 1s left\r\x1b[K"));
}

TEST_F(SpdlogEventsTest, ALogSeesALineEveryFiveSecondsAndTheEnd) {
  start(Terminal::No);
  for (std::uint64_t done = 0; done < 120; ++done) {
    events->progress("read export", done, 120, "rows");
    clock.time += 100ms;
  }
  events->progress("read export", 120, 120, "rows");
  const auto text = written();
  EXPECT_EQ(count(text, "\n"), 3U) << text;
  EXPECT_THAT(text, HasSubstr("read export 41 % 50 rows of 120 rows, 10 rows/s, 7s left\n"));
  EXPECT_THAT(text, HasSubstr("read export 100 % 120 rows of 120 rows, 10 rows/s\n"));
}

TEST_F(SpdlogEventsTest, ShortWorkShowsNoProgress) {
  start(Terminal::No);
  events->progress("read export", 0, 2, "rows");
  clock.time += 1s;
  events->progress("read export", 2, 2, "rows");
  EXPECT_EQ(written(), "");
}

TEST_F(SpdlogEventsTest, ThreadsWriteWholeLines) {
  start(Terminal::No);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        events->emit("change.applied", {{"key", "dataset/target"}});
        events->progress("read export", static_cast<std::uint64_t>(i), 100, "rows");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(written(), "Z info change.applied key=dataset/target\n"), 400U);
}

TEST(ProgressText, SaysWhatIsKnown) {
  EXPECT_EQ(progress_text("read export", 1'200'000'000, 3'000'000'000, "bytes", 4s),
            "read export 40 % 1.2 GB of 3.0 GB, 300.0 MB/s, 6s left");
  EXPECT_EQ(progress_text("read export", 10, 0, "rows", 2s), "read export 10 rows, 5 rows/s");
  EXPECT_EQ(progress_text("read export", 10, 20, "rows", 200ms), "read export 50 % 10 rows of 20 rows");
  EXPECT_EQ(progress_text("read export", 0, 20, "rows", 9s), "read export 0 % 0 rows of 20 rows");
  EXPECT_EQ(progress_text("read export", 30, 20, "rows", 2s), "read export 100 % 30 rows of 20 rows, 15 rows/s");
  EXPECT_EQ(progress_text("read export", 1999, 2000, "rows", 100ms), "read export 99 % 1,999 rows of 2,000 rows");
}

TEST(ProgressText, WaitingHasNoRate) {
  EXPECT_EQ(progress_text("export job E1", 200'000, 0, "ms", 200s), "export job E1, 3m 20s");
}

TEST(ProgressText, QuantitiesAndDurations) {
  EXPECT_EQ(quantity_text(0, "bytes"), "0 B");
  EXPECT_EQ(quantity_text(999, "bytes"), "999 B");
  EXPECT_EQ(quantity_text(1'000, "bytes"), "1.0 kB");
  EXPECT_EQ(quantity_text(999'999, "bytes"), "1.0 MB");
  EXPECT_EQ(quantity_text(1'234'567, "rows"), "1,234,567 rows");
  EXPECT_EQ(quantity_text(123, "rows"), "123 rows");
  EXPECT_EQ(duration_text(59s), "59s");
  EXPECT_EQ(duration_text(200s), "3m 20s");
  EXPECT_EQ(duration_text(7'500s), "2h 05m");
}

TEST(MemoryEvents, KeepsWhatItWasGiven) {
  MemoryEvents events;
  events.emit("a", {{"key", 1}});
  events.warn("b", {});
  events.progress("read", 1, 2, "rows");
  ASSERT_EQ(events.all().size(), 2U);
  EXPECT_EQ(events.named("a").at(0).fields.at("key"), Value(1));
  EXPECT_EQ(events.named("b").at(0).kind, MemoryEvents::Kind::Warning);
  EXPECT_EQ(events.all_progress().at(0).what, "read");
}

}  // namespace
}  // namespace audiencesync
