#include "engine/base/secret.h"

#include <openssl/crypto.h>

namespace audiencesync {

Secret::~Secret() {
  // Up to the capacity: a text that was moved away is empty, yet its bytes may still be in the small buffer.
  text_.resize(text_.capacity());
  OPENSSL_cleanse(text_.data(), text_.size());
}

}  // namespace audiencesync
