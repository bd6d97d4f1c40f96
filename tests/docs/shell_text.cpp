#include "tests/docs/shell_text.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <sstream>

namespace audiencesync::docs {
namespace {

/// Words of the first simple command, as a shell would read them; nullopt when it is no command of ours.
std::optional<std::vector<std::string>> words_of(std::string line) {
  for (const std::string lead : {"$ ", "ExecStart=/usr/local/bin/"}) {
    const auto begin = line.find_first_not_of(' ');
    if (begin != std::string::npos && line.compare(begin, lead.size(), lead) == 0) line.erase(0, begin + lead.size());
  }
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  const auto end_word = [&] {
    if (in_word) words.push_back(word);
    word.clear();
    in_word = false;
  };
  for (const char letter : line + " ") {
    if (quote != 0) {
      if (letter == quote) {
        quote = 0;
      } else {
        word += letter;
      }
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
      in_word = true;
    } else if (letter == ' ') {
      end_word();
    } else if ((letter == '#' && !in_word) || letter == '<' || letter == '>' || letter == '|' || letter == ';' ||
               letter == '&') {
      end_word();
      break;
    } else {
      word += letter;
      in_word = true;
    }
  }
  if (words.empty() || words.front() != "audiencesync") return std::nullopt;
  words.erase(words.begin());
  return words;
}

void put_values(std::vector<std::string>& words) {
  static const std::map<std::string, std::string> kValues{
      {"DIGEST", "0c9262cc84efd13b"}, {"N", "3"}, {"COMMAND", "plan"}};
  for (auto& word : words) {
    if (const auto value = kValues.find(word); value != kValues.end()) word = value->second;
  }
}

}  // namespace

std::vector<ShownCommand> shown_commands(const std::vector<Document>& documents) {
  std::vector<ShownCommand> shown;
  const auto add = [&](const std::string& line, std::string where) {
    auto words = words_of(line);
    if (!words) return;
    put_values(*words);
    shown.push_back({std::move(*words), std::move(where)});
  };
  for (const auto& document : documents) {
    for (const auto& block : document.blocks()) {
      std::istringstream lines(block.text);
      int number = block.line;
      for (std::string line; std::getline(lines, line);) add(line, fmt::format("{}:{}", document.name, ++number));
    }
    for (const auto& code : document.inline_code()) {
      // The name of a command alone is not a command line, and the name of a dataset none at all.
      if (code.find(' ') != code.rfind(' ') && code.find(':') == std::string::npos) add(code, document.name);
    }
  }
  return shown;
}

}  // namespace audiencesync::docs
