#include "engine/report/spdlog/spdlog_events.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "engine/base/json.h"
#include "engine/report/spdlog/progress_text.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenRewrites = 100ms;
constexpr auto kBetweenLines = 5s;

bool is_terminal(const SpdlogEventsOptions& options) {
  if (options.terminal != Terminal::Detect) return options.terminal == Terminal::Yes;
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(options.stream)) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

// NO_COLOR counts when it is set to anything but nothing (no-color.org).
bool wants_colours(bool terminal) {
  const char* refused = std::getenv("NO_COLOR");
  return terminal && (refused == nullptr || *refused == 0);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte > ' ' && byte < 0x7F && byte != '"' && byte != '=' && byte != '\\';
  });
}

std::string event_line(std::string_view name, std::initializer_list<EventSink::Field> fields) {
  std::string line(name);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    const auto* text = value.string_if();
    line += text != nullptr && is_plain(*text) ? *text : to_json(value);
  }
  return line;
}

std::unique_ptr<spdlog::logger> make_logger(const SpdlogEventsOptions& options, bool terminal) {
  using Sink = spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex>;
  const auto colours = wants_colours(terminal) ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto logger = std::make_unique<spdlog::logger>("audiencesync", std::make_shared<Sink>(options.stream, colours));
  // A person reads the hour of the own clock, a log collector an unambiguous time.
  const auto* pattern = terminal ? "%H:%M:%S %^%l%$ %v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, terminal ? spdlog::pattern_time_type::local : spdlog::pattern_time_type::utc));
  logger->set_level(options.verbosity == Verbosity::Quiet ? spdlog::level::warn : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace

SpdlogEvents::SpdlogEvents(const Clock& clock, SpdlogEventsOptions options)
    : clock_(clock), options_(options), terminal_(is_terminal(options)), logger_(make_logger(options, terminal_)) {}

SpdlogEvents::~SpdlogEvents() { clear_line(); }

void SpdlogEvents::emit(std::string_view name, std::initializer_list<Field> fields) {
  if (options_.verbosity != Verbosity::Normal) return;
  const auto line = event_line(name, fields);
  const std::scoped_lock lock(mutex_);
  clear_line();
  logger_->info(spdlog::string_view_t(line));
}

void SpdlogEvents::warn(std::string_view name, std::initializer_list<Field> fields) {
  const auto line = event_line(name, fields);
  const std::scoped_lock lock(mutex_);
  clear_line();
  logger_->warn(spdlog::string_view_t(line));
}

void SpdlogEvents::progress(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view unit) {
  if (options_.verbosity == Verbosity::Quiet) return;
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  follow(what, done, now);
  const bool over = total > 0 && done >= total;
  const auto wait = terminal_ ? std::chrono::milliseconds(kBetweenRewrites) : std::chrono::milliseconds(kBetweenLines);
  // The end is worth a line only where the way there was shown.
  if (now - work_.shown < wait && !(over && work_.lines > 0)) return;
  work_.shown = now;
  ++work_.lines;
  show(
      progress_text(what, done, total, unit, std::chrono::duration_cast<std::chrono::milliseconds>(now - work_.began)));
  if (!over) return;
  work_ = {};
  // Nothing comes after it that would rewrite the line.
  clear_line();
}

void SpdlogEvents::settle() {
  const std::scoped_lock lock(mutex_);
  clear_line();
}

// Another name, or the same going back to its start, is new work.
void SpdlogEvents::follow(std::string_view what, std::uint64_t done, std::chrono::steady_clock::time_point now) {
  if (work_.what != what || done < work_.done) work_ = {std::string(what), done, now, now, 0};
  work_.done = done;
}

void SpdlogEvents::show(const std::string& line) {
  if (!terminal_) {
    logger_->info(spdlog::string_view_t(line));
    return;
  }
  std::fprintf(options_.stream, "\r\x1b[K%s", line.c_str());
  std::fflush(options_.stream);
  line_open_ = true;
}

void SpdlogEvents::clear_line() {
  if (!line_open_) return;
  std::fputs("\r\x1b[K", options_.stream);
  std::fflush(options_.stream);
  line_open_ = false;
}

}  // namespace audiencesync
