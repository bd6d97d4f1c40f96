#include "bench/profiles.h"

#include <fmt/format.h>

#include <iterator>

namespace audiencesync::bench {
namespace {

// SplitMix64: the same numbers on every machine, from a position alone.
std::uint64_t scramble(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15ULL;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31U);
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit) { return scramble(state_++) % limit; }

 private:
  std::uint64_t state_;
};

constexpr const char* kFirst[] = {"anna", "bela", "carlos", "dana", "emre", "fatima", "georg", "hiro", "ines", "jonas"};
constexpr const char* kLast[] = {"almeida", "becker", "costa", "dubois", "eriksen", "fischer", "garcia", "hansen"};
constexpr const char* kHosts[] = {"example.com", "mail.example.org", "example.net"};

}  // namespace

std::string audience_id(std::uint64_t number) {
  const auto high = scramble(number * 2 + 1000);
  const auto low = scramble(number * 2 + 1001);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, high & 0xFFFU,
                     low >> 52U, low & 0xFFFFFFFFFFFFULL);
}

void append_profile(std::string& out, const Population& population, std::uint64_t person, Generation generation,
                    const std::vector<std::string>& audiences) {
  Draw fate(scramble(person) ^ 0xA5A5);
  const auto lot = fate.below(1000);
  const bool only_new = person >= population.profiles;
  if (only_new && generation == Generation::Old) return;
  if (!only_new && lot < 2 && generation == Generation::New) return;
  const bool changed = !only_new && lot >= 2 && lot < 8 && generation == Generation::New;

  auto to = std::back_inserter(out);
  fmt::format_to(to, R"({{"_demoemea":{{"identification":{{"core":{{"email":"{}.{}{}@{}"}}}}}},"segmentMembership":)",
                 kFirst[fate.below(std::size(kFirst))], kLast[fate.below(std::size(kLast))], person,
                 kHosts[fate.below(std::size(kHosts))]);
  out += R"({"ups":{)";
  Draw memberships(scramble(person * 2 + (changed ? 1 : 0)));
  bool first = true;
  for (std::uint64_t i = 0; i < Population::kAudiences; ++i) {
    if (memberships.below(4) != 0) continue;
    if (!first) out += ',';
    first = false;
    const auto word = memberships.below(20);
    const auto when = memberships.below(365ULL * 86'400);
    fmt::format_to(to, R"("{}":{{"lastQualificationTime":"2024-{:02}-{:02}T{:02}:{:02}:{:02}Z","status":"{}"}})",
                   audiences[i], 1 + when / 86'400 / 31, 1 + when / 86'400 % 28, when / 3600 % 24, when / 60 % 60,
                   when % 60,
                   word < 16   ? "realized"
                   : word < 17 ? "existing"
                               : "exited");
  }
  out += "}}}\n";
}

}  // namespace audiencesync::bench
