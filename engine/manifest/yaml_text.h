#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace audiencesync {

/// The bytes of a YAML file with what a parser does not tell: places in characters, and faults it would let pass.
/// Refers to the bytes it was made from. Not thread-safe.
class YamlText {
 public:
  /// A byte order mark is skipped.
  YamlText(std::string_view bytes, std::string file);

  std::string_view content() const { return content_; }
  const std::string& file() const { return file_; }

  /// Size, encoding, control characters, open brackets and tabs in the indentation; the first fault found.
  std::optional<Error> check() const;

  /// From line and byte column counted from 0, as parsers do, to line and character column from 1.
  Place place(int line, int byte_column) const;

  /// The byte at an offset, '\0' after the end.
  char at(std::size_t offset) const { return offset < content_.size() ? content_[offset] : '\0'; }

  /// False when a quoted scalar starts at `offset` and the file ends before its closing quote.
  bool quote_ends(std::size_t offset) const;

 private:
  std::optional<Error> check_characters() const;
  std::optional<Error> check_brackets() const;
  std::optional<Error> check_tabs() const;
  Place place_of(std::size_t offset) const;

  std::string_view content_;
  std::string file_;
  std::vector<std::size_t> lines_;  // offset of the first byte of each line

  struct Counted {
    std::size_t line = 0;
    std::size_t bytes = 0;
    std::size_t characters = 0;
  };
  mutable Counted counted_;  // where `place` stopped counting
};

}  // namespace audiencesync
