#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/http/front.h"
#include "emulator/tls/channel.h"

namespace emulator {

enum class Persistence { KeepAlive, Close };

/// What a request says about its answer.
struct AnswerTerms {
  bool head = false;  // HEAD: headers only
  bool gzip = false;  // the client takes gzip
  Persistence persistence = Persistence::KeepAlive;
};

struct Written {
  std::uint64_t body_bytes = 0;
  bool complete = false;  // false: the connection is of no further use
};

/// Puts an answer on a connection: length, chunks, gzip of JSON, and whatever a fault does to it.
Written write_response(Channel& channel, Delivery& delivery, const AnswerTerms& terms, const std::string& date);

}  // namespace emulator
