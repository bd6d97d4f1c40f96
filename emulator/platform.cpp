#include "emulator/platform.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace emulator {

std::string derived_hex(std::uint64_t seed, const std::string& purpose, std::uint64_t number) {
  const std::string text = std::to_string(seed) + '\n' + purpose + '\n' + std::to_string(number);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available in this OpenSSL");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

std::string derived_uuid(std::uint64_t seed, const std::string& purpose, std::uint64_t number) {
  const std::string hex = derived_hex(seed, purpose, number);
  // Version 4, variant 1: a strict parser accepts it although nothing about it is random.
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + "-4" + hex.substr(13, 3) + "-8" + hex.substr(17, 3) + '-' +
         hex.substr(20, 12);
}

std::string Platform::new_id(const std::string& kind) {
  return derived_hex(identity.seed, "id " + kind, objects.next(kind)).substr(0, 24);
}

std::string Platform::new_uuid(const std::string& kind) {
  return derived_uuid(identity.seed, "uuid " + kind, objects.next(kind));
}

}  // namespace emulator
