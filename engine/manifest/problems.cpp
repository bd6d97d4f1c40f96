#include "engine/manifest/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace audiencesync {
namespace {

// A file that is wrong throughout is not read to its last line by anyone.
constexpr std::size_t kShownProblems = 100;

auto sort_key(const Error& error) {
  static const Place nowhere;
  const Place& place = error.place() ? *error.place() : nowhere;
  return std::tie(place.file, place.line, place.column);
}

std::vector<Error> in_order(std::vector<Error> errors) {
  std::stable_sort(errors.begin(), errors.end(),
                   [](const Error& left, const Error& right) { return sort_key(left) < sort_key(right); });
  const auto repeated = [](const Error& left, const Error& right) { return left.text() == right.text(); };
  errors.erase(std::unique(errors.begin(), errors.end(), repeated), errors.end());
  if (errors.size() > kShownProblems) {
    const auto hidden = errors.size() - kShownProblems;
    const Place place = errors[kShownProblems].place().value_or(Place{});
    errors.erase(errors.begin() + kShownProblems, errors.end());
    errors.push_back(
        Error(ErrorCode::Invalid, fmt::format("{} more problems from here on; fix the ones above first", hidden))
            .at(place));
  }
  return errors;
}

}  // namespace

void Problems::invalid(const Place& place, std::string message) {
  problems_.push_back(Error(ErrorCode::Invalid, std::move(message)).at(place));
}

void Problems::later(const Place& place, std::string message) {
  problems_.push_back(Error(ErrorCode::Unsupported, std::move(message)).at(place));
}

void Problems::warn(const Place& place, std::string message) {
  warnings_.push_back(Error(ErrorCode::Invalid, std::move(message)).at(place));
}

void Problems::add(Error error) { problems_.push_back(std::move(error)); }

std::vector<Error> Problems::take_problems() { return in_order(std::move(problems_)); }

std::vector<Error> Problems::take_warnings() { return in_order(std::move(warnings_)); }

}  // namespace audiencesync
