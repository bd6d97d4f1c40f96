#include "engine/manifest/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/utf8.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

YamlText::YamlText(std::string_view bytes, std::string file) : content_(bytes), file_(std::move(file)) {
  if (content_.starts_with("\xEF\xBB\xBF")) content_.remove_prefix(3);
  lines_.push_back(0);
  for (std::size_t at = 0; at < content_.size(); ++at) {
    if (content_[at] == '\n') lines_.push_back(at + 1);
  }
}

std::optional<Error> YamlText::check() const {
  if (content_.size() > kMaxYamlBytes) {
    return Error(ErrorCode::Invalid, fmt::format("the file has {} bytes, at most {} are read; check that it is the "
                                                 "right file, or split it",
                                                 content_.size(), kMaxYamlBytes))
        .at(Place{file_, 0, 0});
  }
  if (auto error = check_characters()) return error;
  if (auto error = check_brackets()) return error;
  return check_tabs();
}

std::optional<Error> YamlText::check_characters() const {
  for (std::size_t at = 0; at < content_.size();) {
    const auto byte = static_cast<unsigned char>(content_[at]);
    const auto length = utf8_length(content_, at);
    if (length == 0) {
      return Error(ErrorCode::Invalid,
                   fmt::format("byte 0x{:02x} at offset {} is not UTF-8; save the file as UTF-8", byte, at))
          .at(place_of(at));
    }
    const bool allowed = byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r';
    if (!allowed || byte == 0x7F) {
      return Error(ErrorCode::Invalid, fmt::format("control character 0x{:02x} at offset {}; remove it", byte, at))
          .at(place_of(at));
    }
    at += length;
  }
  return std::nullopt;
}

std::optional<Error> YamlText::check_brackets() const {
  // Parsers remember every open bracket before they tell anyone: half a megabyte of them costs them 120 MB. Brackets in
  // quotes count here, too, so the bound is far above the depth that is allowed.
  constexpr std::size_t kMostOpen = 1'000;
  std::size_t open = 0;
  for (std::size_t at = 0; at < content_.size(); ++at) {
    const char character = content_[at];
    if (character == '[' || character == '{') ++open;
    if ((character == ']' || character == '}') && open > 0) --open;
    if (open > kMostOpen) {
      return Error(ErrorCode::Invalid, fmt::format("more than {} open brackets; remove the nesting", kMostOpen))
          .at(place_of(at));
    }
  }
  return std::nullopt;
}

std::optional<Error> YamlText::check_tabs() const {
  for (const auto start : lines_) {
    const auto text = content_.find_first_not_of(" \t", start);
    if (text == std::string_view::npos) break;
    const bool has_text = content_[text] != '\n' && content_[text] != '\r' && content_[text] != '#';
    const auto tab = content_.find('\t', start);
    if (has_text && tab < text) {
      return Error(ErrorCode::Invalid, "tab used for indentation; use blanks").at(place_of(tab));
    }
  }
  return std::nullopt;
}

Place YamlText::place(int line, int byte_column) const {
  if (line < 0 || byte_column < 0) return Place{file_, 0, 0};
  const auto index = std::min(static_cast<std::size_t>(line), lines_.size() - 1);
  const auto start = lines_[index];
  const auto length = std::min(static_cast<std::size_t>(byte_column), content_.size() - start);
  // Places are asked for from left to right: going on from the last one keeps a file of one long line linear.
  if (counted_.line != index || counted_.bytes > length) counted_ = {index, 0, 0};
  counted_.characters += count_characters(content_.substr(start + counted_.bytes, length - counted_.bytes));
  counted_.bytes = length;
  return Place{file_, static_cast<int>(index) + 1, static_cast<int>(counted_.characters) + 1};
}

Place YamlText::place_of(std::size_t offset) const {
  const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const auto line = static_cast<std::size_t>(after - lines_.begin()) - 1;
  return place(static_cast<int>(line), static_cast<int>(offset - lines_[line]));
}

bool YamlText::quote_ends(std::size_t offset) const {
  const char quote = at(offset);
  if (quote != '"' && quote != '\'') return true;
  for (std::size_t next = offset + 1; next < content_.size(); ++next) {
    if (quote == '"' && content_[next] == '\\') {
      ++next;
    } else if (content_[next] == quote) {
      if (quote == '"' || at(next + 1) != '\'') return true;
      ++next;  // '' stands for one quote
    }
  }
  return false;
}

}  // namespace audiencesync
