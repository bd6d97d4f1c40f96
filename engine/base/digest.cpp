#include "engine/base/digest.h"

#include <openssl/evp.h>

#include "engine/base/json.h"

namespace audiencesync {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::array<std::uint8_t, 32> Sha256::finish_bytes() {
  std::array<std::uint8_t, 32> out{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, out.data(), &length);
  return out;
}

Digest Sha256::finish() {
  const auto bytes = finish_bytes();
  return to_hex(bytes);
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

Digest digest_of(const Value& value) { return sha256(to_json(value)); }

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace audiencesync
