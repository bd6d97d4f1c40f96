#include "engine/base/secret.h"

#include <openssl/crypto.h>

namespace audiencesync {

Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

}  // namespace audiencesync
