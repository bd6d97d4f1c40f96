#include "emulator/query/sql_tokens.h"

#include <algorithm>
#include <array>
#include <optional>

#include "emulator/query/sql_failure.h"

namespace emulator {
namespace {

using TokenKind = SqlToken::Kind;

// Longest first: the first that fits is taken.
constexpr std::array<std::string_view, 33> kSymbols{
    "<=>", "$$", "::", "<=", ">=", "<>", "!=", "==", "||", "->", ":=", "=>", "(", ")", "[", "]", ",",
    ".",   ";",  "+",  "-",  "*",  "/",  "%",  "=",  "<",  ">",  "~",  "&",  "|", "^", ":", "!"};

bool is_letter(char c) {
  // Bytes of other alphabets are letters of a name, which is more than Spark takes, but a name all the same.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

class Scanner {
 public:
  explicit Scanner(std::string_view sql) : sql_(sql) {}

  std::vector<SqlToken> all() {
    std::vector<SqlToken> tokens;
    for (;;) {
      skip_blanks();
      SqlToken token = next();
      if (token.kind == TokenKind::Text && !tokens.empty() && tokens.back().kind == TokenKind::Text) {
        tokens.back().text += token.text;
        tokens.back().end = token.end;
        continue;
      }
      tokens.push_back(std::move(token));
      if (tokens.back().kind == TokenKind::End) return tokens;
    }
  }

 private:
  char at(std::size_t i) const { return i < sql_.size() ? sql_[i] : '\0'; }

  void skip_blanks() {
    for (;;) {
      if (is_blank(at(here_)) && here_ < sql_.size()) {
        ++here_;
      } else if (at(here_) == '-' && at(here_ + 1) == '-') {
        here_ = std::min(sql_.find('\n', here_), sql_.size());
      } else if (at(here_) == '/' && at(here_ + 1) == '*') {
        const std::size_t close = sql_.find("*/", here_ + 2);
        if (close == std::string_view::npos) throw SqlFailure("42601", "a comment is never closed", here_);
        here_ = close + 2;
      } else {
        return;
      }
    }
  }

  SqlToken token(TokenKind kind, std::string text, std::size_t begin) const {
    return {kind, std::move(text), begin, here_};
  }

  SqlToken next() {
    const std::size_t begin = here_;
    const char c = at(here_);
    if (here_ >= sql_.size()) return token(TokenKind::End, "", begin);
    if (c == '\'') return text_literal();
    if (c == '`' || c == '"') return quoted_name(c);
    if (c == '@' && is_letter(at(here_ + 1))) {
      ++here_;
      while (is_letter(at(here_)) || is_digit(at(here_))) ++here_;
      after_name_ = true;
      return token(TokenKind::Variable, std::string(sql_.substr(begin, here_ - begin)), begin);
    }
    if (c == '$' && (is_letter(at(here_ + 1)) || is_digit(at(here_ + 1)))) {
      ++here_;
      while (is_letter(at(here_)) || is_digit(at(here_))) ++here_;
      return token(TokenKind::Dollar, std::string(sql_.substr(begin, here_ - begin)), begin);
    }
    // .5 is a number, but behind a name, which a blank ends, the dot reaches into it.
    const bool reaches = after_name_ && here_ > 0 && !is_blank(at(here_ - 1));
    if (is_digit(c) || (c == '.' && is_digit(at(here_ + 1)) && !reaches)) return number();
    after_name_ = false;
    if (is_letter(c)) {
      while (is_letter(at(here_)) || is_digit(at(here_))) ++here_;
      after_name_ = true;
      return token(TokenKind::Word, std::string(sql_.substr(begin, here_ - begin)), begin);
    }
    for (const std::string_view symbol : kSymbols) {
      if (sql_.substr(here_, symbol.size()) != symbol) continue;
      here_ += symbol.size();
      after_name_ = symbol == ")" || symbol == "]";
      return token(TokenKind::Symbol, std::string(symbol), begin);
    }
    throw SqlFailure("0A000", "the character '" + std::string(1, c) + "' is not supported", begin);
  }

  /// Of \\uXXXX, as UTF-8; stands at the u, and afterwards at the last digit. None when that is not what follows.
  std::optional<std::string> escaped_letter() {
    unsigned code = 0;
    for (std::size_t i = here_ + 1; i <= here_ + 4; ++i) {
      const char c = at(i);
      if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) return std::nullopt;
      code = code * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    here_ += 4;
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    std::string out;
    if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
    } else {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    }
    return out + static_cast<char>(0x80 | (code & 0x3F));
  }

  SqlToken text_literal() {
    const std::size_t begin = here_++;
    std::string text;
    for (;; ++here_) {
      if (here_ >= sql_.size()) throw SqlFailure("42601", "a text is never closed", begin);
      char c = at(here_);
      if (c == '\'') break;
      if (c == '\\' && here_ + 1 < sql_.size()) {
        c = at(++here_);
        switch (c) {
          case 'n':
            c = '\n';
            break;
          case 't':
            c = '\t';
            break;
          case 'r':
            c = '\r';
            break;
          case '0':
            c = '\0';
            break;
          case 'b':
            c = '\b';
            break;
          case 'Z':
            c = '\x1A';
            break;
          case 'u':
            if (const auto letter = escaped_letter()) {
              text += *letter;
              continue;
            }
            break;
          case '%':
          case '_':
            text += '\\';  // kept for LIKE
            break;
          default:
            break;
        }
      }
      text += c;
    }
    ++here_;
    after_name_ = false;
    return token(TokenKind::Text, std::move(text), begin);
  }

  SqlToken quoted_name(char quote) {
    const std::size_t begin = here_++;
    std::string text;
    for (;; ++here_) {
      if (here_ >= sql_.size()) throw SqlFailure("42601", "a quoted name is never closed", begin);
      if (at(here_) == quote) {
        if (at(here_ + 1) != quote) break;
        ++here_;
      }
      text += at(here_);
    }
    ++here_;
    if (text.empty()) throw SqlFailure("42601", "a quoted name is empty", begin);
    after_name_ = true;
    return token(TokenKind::Quoted, std::move(text), begin);
  }

  SqlToken number() {
    const std::size_t begin = here_;
    while (is_digit(at(here_))) ++here_;
    if (at(here_) == '.') {
      ++here_;
      while (is_digit(at(here_))) ++here_;
    }
    if ((at(here_) == 'e' || at(here_) == 'E') &&
        (is_digit(at(here_ + 1)) || ((at(here_ + 1) == '-' || at(here_ + 1) == '+') && is_digit(at(here_ + 2))))) {
      here_ += 2;
      while (is_digit(at(here_))) ++here_;
    }
    while (is_letter(at(here_)) || is_digit(at(here_))) ++here_;  // a suffix, or a name nobody quoted
    after_name_ = true;
    return token(TokenKind::Number, std::string(sql_.substr(begin, here_ - begin)), begin);
  }

  std::string_view sql_;
  std::size_t here_ = 0;
  bool after_name_ = false;  // a dot that follows reaches into something, it begins no number
};

}  // namespace

std::string sql_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string sql_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool SqlToken::is_word(std::string_view upper_case) const {
  return kind == TokenKind::Word && text.size() == upper_case.size() && sql_upper(text) == upper_case;
}

std::vector<SqlToken> sql_tokens(std::string_view sql) { return Scanner(sql).all(); }

}  // namespace emulator
