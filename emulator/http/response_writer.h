#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/http/front.h"

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

/// Puts an answer on a socket: length, chunks, gzip of JSON, and whatever a fault does to it.
Written write_response(int socket, Delivery& delivery, const AnswerTerms& terms, const std::string& date);

/// Sends all of it; false when the peer is gone.
bool send_all(int socket, std::string_view bytes);

}  // namespace emulator
