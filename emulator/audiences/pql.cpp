#include "emulator/audiences/pql.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "emulator/data/database.h"

namespace emulator {
namespace {

enum class PqlKind { Name, Text, Number, Sign, End };

struct PqlToken {
  PqlKind kind = PqlKind::End;
  std::string text;  // of a text: without its quotes
};

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == ':' || c == '-';
}
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::vector<PqlToken> pql_tokens(const std::string& text) {
  std::vector<PqlToken> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '"' || c == '\'') {
      std::string value;
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value += text[i];
      }
      if (i == text.size()) throw PqlFailure{"a text is not closed"};
      ++i;
      tokens.push_back({PqlKind::Text, value});
    } else if (is_name_start(c)) {
      const std::size_t begin = i;
      while (i < text.size() && is_name_part(text[i])) ++i;
      tokens.push_back({PqlKind::Name, text.substr(begin, i - begin)});
    } else if (is_digit(c) || (c == '-' && i + 1 < text.size() && is_digit(text[i + 1]))) {
      const std::size_t begin = i++;
      while (i < text.size() && (is_digit(text[i]) || text[i] == '.')) ++i;
      tokens.push_back({PqlKind::Number, text.substr(begin, i - begin)});
    } else {
      std::size_t length = 1;
      for (const char* two : {"!=", "<=", ">=", "==", "<>"})
        if (text.compare(i, 2, two) == 0) length = 2;
      tokens.push_back({PqlKind::Sign, text.substr(i, length)});
      i += length;
    }
  }
  tokens.push_back({});
  return tokens;
}

std::string folded_word(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

/// Walks the tokens once; every member leaves the position behind what it read.
class PqlReader {
 public:
  PqlReader(const std::string& text, const PqlNames& names) : tokens_(pql_tokens(text)), names_(names) {}

  std::string whole() {
    std::string condition = either();
    if (now().kind != PqlKind::End) stop();
    return condition;
  }

 private:
  const PqlToken& now() const { return tokens_[at_]; }
  bool is_word(const char* word) const { return now().kind == PqlKind::Name && folded_word(now().text) == word; }
  bool take_word(const char* word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  bool take(const char* sign) {
    if (now().kind != PqlKind::Sign || now().text != sign) return false;
    ++at_;
    return true;
  }
  void need(const char* sign) {
    if (!take(sign)) stop();
  }
  [[noreturn]] void stop() const {
    if (now().kind == PqlKind::End) throw PqlFailure{"the expression ends too early"};
    throw PqlFailure{"'" + now().text + "' is not understood here"};
  }

  std::string either() {
    std::string condition = both();
    while (take_word("or")) condition = "(" + condition + " OR " + both() + ")";
    return condition;
  }
  std::string both() {
    std::string condition = negated();
    while (take_word("and")) condition = "(" + condition + " AND " + negated() + ")";
    return condition;
  }
  std::string negated() {
    if (take_word("not")) return "NOT " + negated();
    if (take("(")) {
      std::string condition = either();
      need(")");
      return condition;
    }
    return test();
  }

  std::string test() {
    if (now().kind != PqlKind::Name) stop();
    const std::string name = now().text;
    const std::string word = folded_word(name);
    ++at_;
    if (!take("(")) return comparison(names_.field(name));
    if (word == "insegment") {
      const std::string audience = text();
      need(")");
      return "coalesce(" + names_.is_member(audience) + ", false)";
    }
    if (word == "isnull" || word == "isnotnull") {
      if (now().kind != PqlKind::Name) stop();
      const std::string field = names_.field(now().text);
      ++at_;
      need(")");
      return field + (word == "isnull" ? " IS NULL" : " IS NOT NULL");
    }
    return text_function(name);
  }

  std::string comparison(const std::string& field) {
    if (take_word("in")) {
      need("[");
      std::string values;
      do values += (values.empty() ? "" : ", ") + literal();
      while (take(","));
      need("]");
      return "coalesce(" + field + " IN (" + values + "), false)";
    }
    if (now().kind != PqlKind::Sign) stop();
    std::string sign = now().text;
    if (sign == "==") sign = "=";
    if (sign == "!=") sign = "<>";
    static const std::vector<std::string> kSigns{"=", "<>", "<", "<=", ">", ">="};
    if (std::find(kSigns.begin(), kSigns.end(), sign) == kSigns.end()) stop();
    ++at_;
    const bool number = now().kind == PqlKind::Number;
    const std::string left = number ? "try_cast(" + field + " AS DOUBLE)" : field;
    return "coalesce(" + left + " " + sign + " " + literal() + ", false)";
  }

  /// `path.function("text"[, true|false])`; the bracket is behind us.
  std::string text_function(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    const std::string function = dot == std::string::npos ? name : folded_word(name.substr(dot + 1));
    if (dot == std::string::npos) throw PqlFailure{"the function '" + name + "' is not known"};
    std::string field = names_.field(name.substr(0, dot));
    std::string value = sql_text(text());
    if (take(",")) {
      if (take_word("false")) {
        field = "lower(" + field + ")";
        value = "lower(" + value + ")";
      } else if (!take_word("true")) {
        stop();
      }
    }
    need(")");
    if (function == "equals") return "coalesce(" + field + " = " + value + ", false)";
    if (function == "notequalto") return "coalesce(" + field + " <> " + value + ", false)";
    if (function == "startswith") return "coalesce(starts_with(" + field + ", " + value + "), false)";
    if (function == "endswith") return "coalesce(suffix(" + field + ", " + value + "), false)";
    if (function == "contains") return "coalesce(contains(" + field + ", " + value + "), false)";
    throw PqlFailure{"the function '" + name.substr(dot + 1) + "' is not known"};
  }

  std::string text() {
    if (now().kind != PqlKind::Text) stop();
    return tokens_[at_++].text;
  }
  std::string literal() {
    if (now().kind == PqlKind::Number) return tokens_[at_++].text;
    if (take_word("true")) return "'true'";
    if (take_word("false")) return "'false'";
    return sql_text(text());
  }

  std::vector<PqlToken> tokens_;
  const PqlNames& names_;
  std::size_t at_ = 0;
};

}  // namespace

std::string pql_condition(const std::string& expression, const PqlNames& names) {
  return PqlReader(expression, names).whole();
}

}  // namespace emulator
