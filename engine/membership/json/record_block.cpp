#include "engine/membership/json/record_block.h"

#include <algorithm>
#include <cstring>

namespace audiencesync::json {

void RecordBlock::grow(std::size_t bytes) {
  const auto capacity = std::max(bytes + kPadding, capacity_ + capacity_ / 2);
  auto larger = std::make_unique<char[]>(capacity);
  if (size > 0) std::memcpy(larger.get(), bytes_.get(), size);
  bytes_ = std::move(larger);
  capacity_ = capacity;
}

void RecordBlock::split_lines(std::size_t begin, std::size_t end, bool open_end) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (begin < end) {
    const auto* const line_end = static_cast<const char*>(std::memchr(bytes_.get() + begin, '\n', end - begin));
    const auto stop = line_end != nullptr ? static_cast<std::size_t>(line_end - bytes_.get()) : end;
    auto first = begin;
    auto last = stop;
    while (first < last && is_blank(bytes_[first])) ++first;
    while (last > first && is_blank(bytes_[last - 1])) --last;
    if (first < last) {
      records.push_back({first, last - first, line_end == nullptr && open_end, last - first > kLongestRecord});
    }
    begin = stop + 1;
  }
}

}  // namespace audiencesync::json
