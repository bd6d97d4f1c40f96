#include "emulator/state/objects.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace emulator {
namespace {

// Below this a log is replayed faster than it is worth rewriting.
constexpr std::uint64_t kCompactAbove = 1ULL << 20;
constexpr std::uint64_t kCompactRatio = 4;

std::system_error log_failure(const std::filesystem::path& path) {
  return {errno, std::generic_category(), path.string()};
}

std::string put_line(const std::string& kind, const std::string& id, const Json& value) {
  return Json{{"kind", kind}, {"id", id}, {"value", value}}.dump() + "\n";
}

std::string sequence_line(const std::string& sequence, std::uint64_t number) {
  return Json{{"sequence", sequence}, {"number", number}}.dump() + "\n";
}

void write_all(int file, const std::string& text, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      throw log_failure(path);
    }
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace

struct Objects::Log {
  std::filesystem::path path;
  std::map<std::string, std::uint64_t> sequences;
  int file = -1;

  ~Log() {
    if (file >= 0) ::close(file);
  }

  void open() {
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) throw log_failure(path);
  }

  /// One write call a change: a crash of the process leaves at most the last line torn.
  void append(const std::string& line) const { write_all(file, line, path); }
};

Objects::Objects(const std::filesystem::path& folder) : log_(std::make_unique<Log>()) {
  std::filesystem::create_directories(folder);
  log_->path = folder / "objects.log";

  std::uint64_t whole = 0;  // bytes of complete lines
  std::uint64_t number = 0;
  {
    std::ifstream in(log_->path, std::ios::binary);
    std::string line;
    while (std::getline(in, line)) {
      ++number;
      if (in.eof()) break;  // no line end: the write was cut by a crash
      Json entry = Json::parse(line, nullptr, false);
      if (!entry.is_object())
        throw std::runtime_error(log_->path.string() + ":" + std::to_string(number) +
                                 ": not a log entry; move the folder away to start with a new world");
      whole += line.size() + 1;
      if (entry.contains("sequence")) {
        log_->sequences[entry.at("sequence").get<std::string>()] = entry.at("number").get<std::uint64_t>();
      } else if (entry.contains("value")) {
        objects_[entry.at("kind").get<std::string>()][entry.at("id").get<std::string>()] = std::move(entry["value"]);
      } else {
        objects_[entry.at("kind").get<std::string>()].erase(entry.at("id").get<std::string>());
      }
    }
  }
  std::error_code absent;
  if (std::filesystem::file_size(log_->path, absent) > whole && !absent)
    std::filesystem::resize_file(log_->path, whole);

  if (whole > kCompactAbove) {
    std::string live;
    for (const auto& [sequence, last] : log_->sequences) live += sequence_line(sequence, last);
    for (const auto& [kind, by_id] : objects_)
      for (const auto& [id, value] : by_id) live += put_line(kind, id, value);
    if (whole > kCompactRatio * live.size()) {
      const std::filesystem::path fresh = log_->path.string() + ".new";
      std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
      out << live;
      out.close();
      if (!out) throw log_failure(fresh);
      std::filesystem::rename(fresh, log_->path);
    }
  }
  log_->open();
}

Objects::~Objects() = default;

const Json* Objects::find(const std::string& kind, const std::string& id) const {
  const auto by_id = objects_.find(kind);
  if (by_id == objects_.end()) return nullptr;
  const auto found = by_id->second.find(id);
  return found == by_id->second.end() ? nullptr : &found->second;
}

void Objects::put(const std::string& kind, const std::string& id, Json value) {
  log_->append(put_line(kind, id, value));
  objects_[kind][id] = std::move(value);
}

void Objects::erase(const std::string& kind, const std::string& id) {
  const auto by_id = objects_.find(kind);
  if (by_id == objects_.end() || by_id->second.erase(id) == 0) return;
  log_->append(Json{{"kind", kind}, {"id", id}}.dump() + "\n");
}

const std::map<std::string, Json>& Objects::all(const std::string& kind) const {
  static const std::map<std::string, Json> kNone;
  const auto by_id = objects_.find(kind);
  return by_id == objects_.end() ? kNone : by_id->second;
}

std::uint64_t Objects::next(const std::string& sequence) {
  const std::uint64_t number = ++log_->sequences[sequence];
  log_->append(sequence_line(sequence, number));
  return number;
}

}  // namespace emulator
