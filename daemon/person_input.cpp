#include "daemon/person_input.h"

#include <fmt/format.h>

#include <istream>

#include "engine/membership/person_rule.h"

namespace audiencesync {
namespace {

void cut_line_end(std::string& line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
}

}  // namespace

Result<PersonId> ask_person(PersonFrom from, const Console& console) {
  std::string line;
  if (from == PersonFrom::Stdin) {
    if (console.in == nullptr || !std::getline(*console.in, line)) {
      return Error(ErrorCode::Usage, "there is no line on stdin; send the person's id there");
    }
  } else {
    if (!console.ask_hidden) {
      return Error(ErrorCode::Usage,
                   "there is no terminal to ask for the person's id at; send it to stdin and add \"-\"");
    }
    auto answer = console.ask_hidden("id of the person (not shown): ");
    if (!answer) return Error(ErrorCode::Usage, "no person was named");
    line = std::move(*answer);
  }
  cut_line_end(line);
  if (line.empty()) return Error(ErrorCode::Usage, "the person's id is empty");
  return PersonId(line);
}

Result<std::vector<PersonId>> read_people(const Console& console) {
  std::vector<PersonId> people;
  std::string line;
  while (console.in != nullptr && std::getline(*console.in, line)) {
    cut_line_end(line);
    if (!line.empty()) people.emplace_back(line);
  }
  if (people.empty()) return Error(ErrorCode::Usage, "there is no id on stdin; send them there, one a line");
  return people;
}

Result<std::vector<PersonId>> ask_people(PersonFrom from, const Console& console) {
  if (from == PersonFrom::Stdin) return read_people(console);
  auto person = TRY(ask_person(from, console));
  return std::vector<PersonId>{std::move(person)};
}

Result<std::vector<PersonId>> normalized_people(const std::vector<PersonId>& people, PersonRule rule) {
  std::vector<PersonId> out;
  for (const auto& person : people) {
    std::string space;
    std::string_view normalized;
    if (apply_person_rule(rule, person.reveal(), space, normalized) != PersonProblem::None) {
      return Error(ErrorCode::Usage,
                   fmt::format("id {} on stdin cannot be a person's: it is empty once it is normalised, longer than {} "
                               "bytes, or not UTF-8",
                               out.size() + 1, kLongestPersonId));
    }
    out.emplace_back(std::string(normalized));
  }
  return out;
}

}  // namespace audiencesync
