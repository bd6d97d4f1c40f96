#include "engine/sql/read_only.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace audiencesync::sql {
namespace {

constexpr std::array<std::string_view, 3> kFirst{"select", "with", "show"};
constexpr std::array<std::string_view, 24> kChanging{"insert", "into",   "create",   "drop",    "alter",   "delete",
                                                     "update", "merge",  "truncate", "replace", "set",     "reset",
                                                     "begin",  "commit", "declare",  "fetch",   "copy",    "grant",
                                                     "revoke", "call",   "execute",  "cache",   "refresh", "use"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// The words of a text, one after the other.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  /// The next word in lower case, or a single other character; "" at the end. A quoted text is its opening quote.
  /// Errors: Internal for a comment or quotation without an end.
  Result<std::string> next() {
    TRY(skip_blanks());
    if (at_ >= text_.size()) return std::string();
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '`') {
      TRY(skip_quoted(c));
      return std::string(1, c);
    }
    if (!is_word_character(c)) {
      ++at_;
      return std::string(1, c);
    }
    std::string word;
    for (; at_ < text_.size() && is_word_character(text_[at_]); ++at_) {
      const char letter = text_[at_];
      word += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
    return word;
  }

 private:
  Result<void> skip_blanks() {
    while (at_ < text_.size()) {
      const auto rest = text_.substr(at_);
      if (rest.starts_with("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest.starts_with("/*")) {
        const auto end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return unended("comment");
        at_ = end + 2;
      } else if (rest.front() == ' ' || rest.front() == '\n' || rest.front() == '\t' || rest.front() == '\r') {
        ++at_;
      } else {
        break;
      }
    }
    return {};
  }

  // Spark escapes with a backslash inside strings; inside back quotes the quote is doubled, which reads as two names.
  Result<void> skip_quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && quote != '`') {
        ++at_;
      } else if (text_[at_] == quote) {
        ++at_;
        return {};
      }
    }
    return unended("quotation");
  }

  static Error unended(std::string_view what) {
    return Error(ErrorCode::Internal, fmt::format("a {} of the statement has no end", what));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<void> check_read_only(std::string_view text) {
  Words words(text);
  const auto first = TRY(words.next());
  const auto refused = [](const std::string& word) {
    return Error(ErrorCode::Internal, fmt::format("'{}' has no place in a statement that only reads", word));
  };
  if (std::find(kFirst.begin(), kFirst.end(), first) == kFirst.end()) return refused(first);
  for (auto word = TRY(words.next()); !word.empty(); word = TRY(words.next())) {
    if (std::find(kChanging.begin(), kChanging.end(), word) != kChanging.end()) return refused(word);
    if (word != ";") continue;
    const auto after = TRY(words.next());
    if (!after.empty()) return refused(after);
    break;
  }
  return {};
}

}  // namespace audiencesync::sql
