#include "engine/manifest/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>

namespace audiencesync {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before_last(right.size() + 1), last(right.size() + 1), row(right.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t differs = left[i - 1] == right[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[right.size()];
}

std::string plain_word(std::string_view word) {
  std::string out;
  for (const char character : word) {
    if (character == '-' || character == '_' || character == ' ') continue;
    out += character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
  }
  return out;
}

}  // namespace

std::optional<std::string_view> nearest_word(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr std::size_t kLongestWord = 64;  // nobody mistypes a longer one, and the distance is quadratic
  if (word.size() > kLongestWord) return std::nullopt;
  const auto typed = plain_word(word);
  std::optional<std::string_view> nearest;
  std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const auto candidate : known) {
    const auto distance = edit_distance(typed, plain_word(candidate));
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace audiencesync
