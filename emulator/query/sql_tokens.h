#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

/// One word of a statement of the Spark dialect.
struct SqlToken {
  enum class Kind {
    Word,      // a bare name or keyword
    Quoted,    // a name in back quotes or double quotes; `text` is without them
    Text,      // a text literal; `text` is its value
    Number,    // as written, suffix included
    Symbol,    // an operator or a bracket
    Dollar,    // $name or $1: a parameter nobody replaced
    Variable,  // @name: of an anonymous block
    End        // after the last; `text` is empty
  };
  Kind kind = Kind::End;
  std::string text;
  std::size_t begin = 0;  // bytes in the statement's text
  std::size_t end = 0;

  /// Compares without case; only bare words are keywords.
  bool is_word(std::string_view upper_case) const;
  bool is_symbol(std::string_view symbol) const { return kind == Kind::Symbol && text == symbol; }
};

/// The words of `sql`, comments left out, an End token last. Text literals that follow each other are one, and a
/// backslash escapes, as Spark has it. Throws SqlFailure 42601 for what is never closed, 0A000 for a character that
/// belongs to nothing.
std::vector<SqlToken> sql_tokens(std::string_view sql);

/// Upper case of ASCII letters; names and keywords are compared so.
std::string sql_upper(std::string_view text);
std::string sql_lower(std::string_view text);

}  // namespace emulator
