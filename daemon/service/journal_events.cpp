#define SD_JOURNAL_SUPPRESS_LOCATION 1  // where in our sources an event was written tells an operator nothing

#include "daemon/service/journal_events.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "engine/base/clock.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

// systemd says which file it gave us as stderr: when that is still ours, what we write goes to the journal.
bool leads_to_journal() {
  const char* told = std::getenv("JOURNAL_STREAM");
  struct stat about {};
  if (told == nullptr || ::fstat(STDERR_FILENO, &about) != 0) return false;
  return fmt::format("{}:{}", about.st_dev, about.st_ino) == told;
}

std::string text_of(const Value& value) {
  const auto* text = value.string_if();
  return text != nullptr ? *text : to_json(value);
}

bool needs_no_quotes(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char each) {
    return each > ' ' && each < 0x7F && each != '"' && each != '=' && each != '\\';
  });
}

std::string line_of(std::string_view name, const JournalEvents::Fields& fields) {
  std::string line(name);
  for (const auto& [key, value] : fields) {
    const auto* text = value.string_if();
    line += fmt::format(" {}={}", key, text != nullptr && needs_no_quotes(*text) ? *text : to_json(value));
  }
  return line;
}

// A field's name in the journal: capitals, digits and underscores.
std::string field_name(std::string_view key) {
  std::string name;
  for (const unsigned char each : key) {
    name += std::isalnum(each) != 0 ? static_cast<char>(std::toupper(each)) : '_';
  }
  return name;
}

}  // namespace

JournalEvents::JournalEvents() : journal_(leads_to_journal()) {}

void JournalEvents::emit(std::string_view name, std::initializer_list<Field> fields) {
  Fields list;
  for (const auto& [key, value] : fields) list.emplace_back(key, value);
  write(LOG_INFO, name, list);
}

void JournalEvents::warn(std::string_view name, std::initializer_list<Field> fields) {
  Fields list;
  for (const auto& [key, value] : fields) list.emplace_back(key, value);
  write(LOG_WARNING, name, list);
}

void JournalEvents::write(int priority, std::string_view name, const Fields& fields) {
  const auto line = line_of(name, fields);
  if (!journal_) {
    const auto* level = priority <= LOG_ERR ? "error" : priority <= LOG_WARNING ? "warning" : "info";
    const auto text = fmt::format("{} {} {}\n", to_iso8601(SystemClock().now()), level, line);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    return;
  }
  std::vector<std::string> entries{"MESSAGE=" + line, fmt::format("PRIORITY={}", priority),
                                   fmt::format("EVENT={}", name), "SYSLOG_IDENTIFIER=audiencesync"};
  for (const auto& [key, value] : fields) entries.push_back(field_name(key) + "=" + text_of(value));
  std::vector<iovec> parts;
  for (auto& entry : entries) parts.push_back({entry.data(), entry.size()});
  ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace audiencesync
