#include "emulator/analytics/search_clause.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "emulator/analytics/answers.h"
#include "emulator/data/database.h"

namespace emulator {
namespace {

struct Token {
  enum class Kind { Word, Text, Open, Close, End };
  Kind kind = Kind::End;
  std::string text;  // words in capitals
};

HttpError bad_clause(const std::string& why) {
  return analytics_failure(400, "invalid_request", "The search clause is not valid: " + why);
}

std::vector<Token> tokens_of(const std::string& clause) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < clause.size();) {
    const char c = clause[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '(' || c == ')') {
      tokens.push_back({c == '(' ? Token::Kind::Open : Token::Kind::Close, std::string(1, c)});
      ++i;
    } else if (c == '\'') {
      std::string text;
      for (++i; i < clause.size() && clause[i] != '\''; ++i) {
        if (clause[i] == '\\' && i + 1 < clause.size()) ++i;
        text += clause[i];
      }
      if (i >= clause.size()) throw bad_clause("a text does not end");
      ++i;
      tokens.push_back({Token::Kind::Text, std::move(text)});
    } else {
      std::string word;
      for (; i < clause.size() && (std::isalpha(static_cast<unsigned char>(clause[i])) != 0 || clause[i] == '-'); ++i)
        word += static_cast<char>(std::toupper(static_cast<unsigned char>(clause[i])));
      if (word.empty()) throw bad_clause("'" + std::string(1, c) + "' is not expected");
      tokens.push_back({Token::Kind::Word, std::move(word)});
    }
  }
  tokens.push_back({});
  return tokens;
}

class ClauseReader {
 public:
  explicit ClauseReader(const std::string& clause) : tokens_(tokens_of(clause)) {}

  std::string whole() {
    std::string sql = either();
    if (now().kind != Token::Kind::End) throw bad_clause("'" + now().text + "' is not expected");
    return sql;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool take_word(const char* word) {
    if (now().kind != Token::Kind::Word || now().text != word) return false;
    ++at_;
    return true;
  }

  std::string either() {
    std::string sql = both();
    while (take_word("OR")) sql = "(" + sql + " OR " + both() + ")";
    return sql;
  }
  std::string both() {
    std::string sql = single();
    while (take_word("AND")) sql = "(" + sql + " AND " + single() + ")";
    return sql;
  }
  std::string single() {
    if (++depth_ > 50) throw bad_clause("it is nested too deeply");
    std::string sql;
    if (take_word("NOT")) {
      sql = "(NOT " + single() + ")";
    } else if (now().kind == Token::Kind::Open) {
      ++at_;
      sql = either();
      if (now().kind != Token::Kind::Close) throw bad_clause("a bracket does not close");
      ++at_;
    } else {
      sql = comparison();
    }
    --depth_;
    return sql;
  }
  std::string comparison() {
    const Token verb = now();
    if (verb.kind != Token::Kind::Word) throw bad_clause("CONTAINS, MATCH, BEGINS-WITH or ENDS-WITH is missing");
    ++at_;
    const Token text = now();
    if (text.kind != Token::Kind::Text) throw bad_clause("a text in quotes must follow " + verb.text);
    ++at_;
    const std::string both = "(lower(value), lower(" + sql_text(text.text) + "))";
    if (verb.text == "CONTAINS") return "contains" + both;
    if (verb.text == "BEGINS-WITH") return "starts_with" + both;
    if (verb.text == "ENDS-WITH") return "suffix" + both;
    if (verb.text == "MATCH") return "(lower(value) = lower(" + sql_text(text.text) + "))";
    throw bad_clause("'" + verb.text + "' is not known");
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string search_condition(const std::string& clause) {
  const bool blank = std::all_of(clause.begin(), clause.end(), [](unsigned char c) { return std::isspace(c) != 0; });
  return blank ? "true" : ClauseReader(clause).whole();
}

}  // namespace emulator
