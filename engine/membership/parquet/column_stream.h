#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/membership/parquet/level_decoder.h"
#include "engine/membership/parquet/page_reader.h"

namespace audiencesync::parquet {

/// The levels and values of a text column, a window at a time. A value is a code, asked for once for each entry of the
/// dictionary; where there is none, for each value.
///
/// Errors: Io; Corrupt, without the file's name.
class ColumnStream {
 public:
  static constexpr std::size_t kWindow = 2048;
  using Code = std::function<std::uint32_t(std::string_view)>;

  /// With `code` empty values are texts instead, see text(). The file must outlive this.
  ColumnStream(FileReader& file, const ColumnChunk& chunk, const SchemaNode& leaf, Code code);

  /// Levels not yet taken; `refill` when there are none. 0 after a refill: the column has ended.
  std::size_t left() const { return end_ - at_; }
  Result<void> refill();
  /// Whether the next refill reads another page, which makes texts of this one invalid.
  bool page_is_done() const { return page_left_ == 0; }

  /// Levels of the window from here on.
  const std::uint8_t* repeated() const { return repeated_.data() + at_; }
  const std::uint8_t* definitions() const { return definition_.data() + at_; }
  /// The code, or text, of the next value: an entry whose definition is the highest.
  std::uint32_t take_code() { return codes_[value_++]; }
  std::string_view take_text() { return texts_[value_++]; }
  const std::uint32_t* codes() const { return codes_.data() + value_; }
  void take_codes(std::size_t count) { value_ += count; }
  void take(std::size_t levels) { at_ += levels; }

 private:
  Result<void> next_page();
  Result<void> read_dictionary(const Page& page);
  Result<void> read_values(std::size_t count);
  Error damaged(std::string_view what) const;

  PageReader pages_;
  int most_repeated_;
  int most_definition_;
  Code code_;
  std::uint64_t values_left_;  // levels of the chunk that no page has given yet
  std::uint64_t page_left_ = 0;
  bool has_dictionary_ = false;
  std::string dictionary_bytes_;
  std::vector<std::string_view> dictionary_texts_;
  std::vector<std::uint32_t> dictionary_codes_;
  LevelDecoder repeated_decoder_;
  LevelDecoder definition_decoder_;
  bool indexed_ = false;  // values of this page are indices
  LevelDecoder index_decoder_;
  std::string_view plain_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t value_ = 0;
  std::array<std::uint8_t, kWindow> repeated_{};
  std::array<std::uint8_t, kWindow> definition_{};
  std::array<std::uint32_t, kWindow> codes_{};
  std::vector<std::string_view> texts_;
};

}  // namespace audiencesync::parquet
