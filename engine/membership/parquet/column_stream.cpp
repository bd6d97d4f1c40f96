#include "engine/membership/parquet/column_stream.h"

#include <bit>
#include <cstring>

namespace audiencesync::parquet {
namespace {

unsigned width_of_levels(int most) { return static_cast<unsigned>(std::bit_width(static_cast<unsigned>(most))); }

// The next text of PLAIN values: its length, then its bytes.
bool take_plain(std::string_view& from, std::string_view& out) {
  std::uint32_t size = 0;
  if (from.size() < sizeof size) return false;
  std::memcpy(&size, from.data(), sizeof size);
  from.remove_prefix(sizeof size);
  if (size > from.size()) return false;
  out = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace

ColumnStream::ColumnStream(FileReader& file, const ColumnChunk& chunk, const SchemaNode& leaf, Code code)
    : pages_(file, chunk, leaf.repeated > 0, leaf.definition > 0),
      most_repeated_(leaf.repeated),
      most_definition_(leaf.definition),
      code_(std::move(code)),
      values_left_(chunk.values) {
  if (!code_) texts_.resize(kWindow);
}

Error ColumnStream::damaged(std::string_view what) const { return Error(ErrorCode::Corrupt, std::string(what)); }

Result<void> ColumnStream::read_dictionary(const Page& page) {
  if (has_dictionary_) return damaged("a column has two dictionaries");
  if (page.encoding != static_cast<std::int64_t>(Encoding::Plain) &&
      page.encoding != static_cast<std::int64_t>(Encoding::PlainDictionary)) {
    return damaged("a dictionary has an encoding that its column does not announce");
  }
  // An entry takes four bytes at least: more entries than that are damage.
  if (page.values > page.content.size() / 4) return damaged("a dictionary is shorter than it says");
  std::string_view rest = page.content;
  if (!code_) {
    dictionary_bytes_ = page.content;
    rest = dictionary_bytes_;
  }
  for (std::uint32_t i = 0; i < page.values; ++i) {
    std::string_view text;
    if (!take_plain(rest, text)) return damaged("a dictionary is shorter than it says");
    if (code_) {
      dictionary_codes_.push_back(code_(text));
    } else {
      dictionary_texts_.push_back(text);
    }
  }
  has_dictionary_ = true;
  return {};
}

Result<void> ColumnStream::next_page() {
  Page page;
  while (true) {
    const auto found = TRY(pages_.next(page));
    if (!found) return damaged("a column has fewer values than it says");
    if (page.kind == Page::Kind::Data && page.values == 0) continue;
    if (page.kind == Page::Kind::Data) break;
    TRY(read_dictionary(page));
  }
  if (page.values > values_left_) return damaged("a column has more values than it says");
  values_left_ -= page.values;
  page_left_ = page.values;
  repeated_decoder_ = LevelDecoder(page.repeated, width_of_levels(most_repeated_));
  definition_decoder_ = LevelDecoder(page.definition, width_of_levels(most_definition_));
  indexed_ = page.encoding == static_cast<std::int64_t>(Encoding::PlainDictionary) ||
             page.encoding == static_cast<std::int64_t>(Encoding::RleDictionary);
  if (indexed_) {
    // A page of nulls may have no values at all.
    const unsigned width = page.content.empty() ? 0 : static_cast<unsigned char>(page.content.front());
    if (!has_dictionary_ || width > 32) return damaged("a page refers to a dictionary that is not there");
    if (!page.content.empty()) page.content.remove_prefix(1);
    index_decoder_ = LevelDecoder(page.content, width);
  } else if (page.encoding == static_cast<std::int64_t>(Encoding::Plain)) {
    plain_ = page.content;
  } else {
    return damaged("a page has an encoding that its column does not announce");
  }
  return {};
}

Result<void> ColumnStream::read_values(std::size_t count) {
  value_ = 0;
  if (count == 0) return {};
  if (!indexed_) {
    for (std::size_t i = 0; i < count; ++i) {
      std::string_view text;
      if (!take_plain(plain_, text)) return damaged("a page has fewer values than it says");
      if (code_) {
        codes_[i] = code_(text);
      } else {
        texts_[i] = text;
      }
    }
    return {};
  }
  if (!index_decoder_.read(codes_.data(), count)) return damaged("a page has fewer values than it says");
  const auto size = static_cast<std::uint32_t>(code_ ? dictionary_codes_.size() : dictionary_texts_.size());
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, codes_[i]);
  if (largest >= size) return damaged("a value is not in its dictionary");
  if (code_) {
    for (std::size_t i = 0; i < count; ++i) codes_[i] = dictionary_codes_[codes_[i]];
  } else {
    for (std::size_t i = 0; i < count; ++i) texts_[i] = dictionary_texts_[codes_[i]];
  }
  return {};
}

Result<void> ColumnStream::refill() {
  at_ = end_ = 0;
  if (page_left_ == 0) {
    if (values_left_ == 0) return {};
    TRY(next_page());
  }
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(page_left_, kWindow));
  page_left_ -= count;
  if (most_repeated_ > 0 && !repeated_decoder_.read(repeated_.data(), count)) {
    return damaged("a page has fewer levels than it says");
  }
  std::size_t present = count;
  if (most_definition_ > 0) {
    if (!definition_decoder_.read(definition_.data(), count)) return damaged("a page has fewer levels than it says");
    const auto most = static_cast<std::uint8_t>(most_definition_);
    present = 0;
    std::uint8_t largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      present += definition_[i] == most ? 1 : 0;
      largest = std::max(largest, definition_[i]);
    }
    if (largest > most) return damaged("a level is higher than its column has");
  }
  TRY(read_values(present));
  end_ = count;
  return {};
}

}  // namespace audiencesync::parquet
