#include "engine/membership/json/json_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace audiencesync::json {
namespace {

constexpr std::size_t kBlock = 256 << 10;  // bytes that a thread takes at once
constexpr std::size_t kOverlap = 8 << 10;  // to find the end of the last record with one call, usually
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Error cut_file() { return Error(ErrorCode::Corrupt, "it ends in the middle of a record"); }

// How many bytes the value at `at` takes: an object, array or string to its end, anything else to the next comma or
// bracket. Nullopt when it does not end here.
std::optional<std::size_t> value_size(std::string_view text, std::size_t at) {
  const auto begin = at;
  int depth = 0;
  while (at < text.size()) {
    switch (text[at]) {
      case '"':
        for (++at;; ++at) {
          const auto* const quote = static_cast<const char*>(std::memchr(text.data() + at, '"', text.size() - at));
          if (quote == nullptr) return std::nullopt;
          at = static_cast<std::size_t>(quote - text.data());
          auto slashes = at;
          while (text[slashes - 1] == '\\') --slashes;
          if ((at - slashes) % 2 == 0) break;
        }
        ++at;
        if (depth == 0) return at - begin;
        break;
      case '{':
      case '[':
        ++depth;
        ++at;
        break;
      case '}':
      case ']':
        if (depth == 0) return at - begin;
        ++at;
        if (--depth == 0) return at - begin;
        break;
      case ',':
        if (depth == 0) return at - begin;
        ++at;
        break;
      default:
        ++at;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<void> JsonFile::open() {
  file_ = std::shared_ptr<FileReader>(TRY(files_.open(path_)));
  size_ = file_->size();
  const auto compression = TRY(ByteStream::compression_of(*file_));
  stream_ = ByteStream::open(*file_, compression);
  // Only the first byte that is not blank tells lines from an array.
  char first = '\0';
  while (first == '\0') {
    const auto before = rest_.size();
    rest_.resize(before + 4096);
    const auto count = TRY(stream_->read({rest_.data() + before, 4096}));
    rest_.resize(before + count);
    if (rest_.starts_with(kByteOrderMark)) {
      rest_.erase(0, kByteOrderMark.size());
      offset_ = kByteOrderMark.size();
    }
    const auto found = std::find_if_not(rest_.begin(), rest_.end(), is_space);
    if (found != rest_.end()) first = *found;
    at_end_ = count < 4096;
    if (at_end_ || rest_.size() > kLongestRecord) break;
  }
  if (first == '[') {
    form_ = Form::Array;
  } else if (compression == Compression::None) {
    form_ = Form::PlainLines;
    first_ = next_ = offset_;
    stream_.reset();
    rest_ = std::string();
  } else {
    form_ = Form::StreamedLines;
  }
  return {};
}

void JsonFile::close() {
  form_ = Form::Done;
  stream_.reset();
  file_.reset();
}

Result<bool> JsonFile::take(RecordBlock& block) {
  block.records.clear();
  block.size = 0;
  std::uint64_t begin = 0;
  std::shared_ptr<FileReader> file;
  {
    const std::lock_guard lock(mutex_);
    if (form_ == Form::Unknown) TRY(open());
    switch (form_) {
      case Form::Array:
        return take_elements(block);
      case Form::StreamedLines:
        return take_lines(block);
      case Form::PlainLines:
        if (next_ >= size_) {
          close();
          return false;
        }
        file = file_;
        begin = next_;
        next_ = std::min(next_ + kBlock, size_);
        break;
      case Form::Unknown:
      case Form::Done:
        return false;
    }
  }
  return take_range(block, *file, begin);
}

// The records that begin in this range: the first one behind an end of line, the last one to its own end.
Result<bool> JsonFile::take_range(RecordBlock& block, FileReader& file, std::uint64_t begin) const {
  const auto end = std::min<std::uint64_t>(begin + kBlock, size_);
  // Where the content begins, a record does too; elsewhere one byte more shows whether a line ended there.
  const bool at_beginning = begin == first_;
  const auto from = at_beginning ? begin : begin - 1;
  block.offset = from;
  auto wanted = static_cast<std::size_t>(std::min(end + kOverlap, size_) - from);
  const auto own = static_cast<std::size_t>(end - from);
  std::size_t first = 0;
  bool started = at_beginning;
  std::size_t searched = own - 1;  // an end of line there is the end of our last record
  while (true) {
    char* const bytes = block.reserve(wanted);
    const auto count = TRY(file.read_at(from + block.size, {bytes + block.size, wanted - block.size}));
    if (count != wanted - block.size) return Error(ErrorCode::Corrupt, "it became shorter while it was read");
    block.size = wanted;
    if (!started) {
      const auto* const line_end = static_cast<const char*>(std::memchr(bytes, '\n', own));
      if (line_end == nullptr || line_end == bytes + own - 1) return true;  // nothing begins here
      first = static_cast<std::size_t>(line_end - bytes) + 1;
      started = true;
    }
    const auto* const last = static_cast<const char*>(std::memchr(bytes + searched, '\n', block.size - searched));
    if (last != nullptr) {
      block.split_lines(first, static_cast<std::size_t>(last - bytes) + 1, false);
      return true;
    }
    searched = block.size;
    if (from + block.size == size_) break;
    if (block.size > own + kLongestRecord) break;
    wanted = static_cast<std::size_t>(std::min(from + 2 * block.size, size_) - from);
  }
  block.split_lines(first, block.size, true);
  return true;
}

Result<bool> JsonFile::fill(RecordBlock& block) {
  block.offset = offset_;
  char* bytes = block.reserve(rest_.size() + kBlock);
  std::memcpy(bytes, rest_.data(), rest_.size());
  block.size = rest_.size();
  rest_.clear();
  if (!at_end_) {
    const auto count = TRY(stream_->read({bytes + block.size, kBlock}));
    at_end_ = count < kBlock;
    block.size += count;
  }
  return block.size > 0;
}

Result<bool> JsonFile::take_lines(RecordBlock& block) {
  while (true) {
    const auto found = TRY(fill(block));
    if (!found) {
      close();
      return false;
    }
    const char* const bytes = block.bytes();
    std::size_t first = 0;
    if (skipping_) {
      const auto* const line_end = static_cast<const char*>(std::memchr(bytes, '\n', block.size));
      offset_ += line_end == nullptr ? block.size : static_cast<std::size_t>(line_end - bytes) + 1;
      if (line_end == nullptr) continue;
      first = static_cast<std::size_t>(line_end - bytes) + 1;
      offset_ -= first;
      skipping_ = false;
    }
    const auto* const last = static_cast<const char*>(::memrchr(bytes + first, '\n', block.size - first));
    auto end = last != nullptr ? static_cast<std::size_t>(last - bytes) + 1 : first;
    if (at_end_) end = block.size;
    if (end == first && block.size - first > kLongestRecord) {
      end = block.size;
      skipping_ = true;
    }
    rest_.assign(bytes + end, block.size - end);
    block.split_lines(first, end, at_end_ || skipping_);
    offset_ += end;
    if (!block.records.empty()) return true;
  }
}

// Adds the whole elements of `block`; `kept` is how many bytes are done with.
bool JsonFile::scan_elements(RecordBlock& block, std::size_t& kept, const char*& problem) {
  const std::string_view text(block.bytes(), block.size);
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    kept = at;
    if (at == text.size()) return true;
    const char c = text[at];
    switch (expects_) {
      case Expects::Open:
        expects_ = Expects::FirstOrEnd;
        ++at;
        break;
      case Expects::Nothing:
        problem = "something follows the end of its array";
        return false;
      case Expects::CommaOrEnd:
        if (c != ',' && c != ']') {
          problem = "between two elements of its array there is no comma";
          return false;
        }
        expects_ = c == ',' ? Expects::Element : Expects::Nothing;
        ++at;
        break;
      case Expects::FirstOrEnd:
      case Expects::Element: {
        if (c == ']' && expects_ == Expects::FirstOrEnd) {
          expects_ = Expects::Nothing;
          ++at;
          break;
        }
        const auto size = value_size(text, at);
        if (!size) return true;
        if (*size == 0) {
          problem = "an element of its array is missing";
          return false;
        }
        block.records.push_back({at, *size, false, *size > kLongestRecord});
        at += *size;
        expects_ = Expects::CommaOrEnd;
        break;
      }
    }
  }
}

// Whoever asks after the first error finds nothing left: what remains would only look like a second one.
Result<bool> JsonFile::take_elements(RecordBlock& block) {
  if (failed_) return false;
  auto taken = take_next_elements(block);
  failed_ = !taken.ok();
  return taken;
}

Result<bool> JsonFile::take_next_elements(RecordBlock& block) {
  while (true) {
    const auto found = TRY(fill(block));
    if (!found) {
      close();
      if (expects_ != Expects::Nothing) return cut_file();
      return false;
    }
    std::size_t kept = 0;
    const char* problem = nullptr;
    if (!scan_elements(block, kept, problem)) return Error(ErrorCode::Corrupt, problem);
    if (kept < block.size && at_end_) return cut_file();
    if (block.size - kept > kLongestRecord + kBlock) {
      return Error(ErrorCode::Corrupt, "an element of its array is larger than any profile is, or does not end");
    }
    rest_.assign(block.bytes() + kept, block.size - kept);
    offset_ += kept;
    if (!block.records.empty()) return true;
  }
}

}  // namespace audiencesync::json
