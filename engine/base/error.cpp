#include "engine/base/error.h"

#include <utility>

namespace audiencesync {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage:
      return "usage";
    case ErrorCode::Invalid:
      return "invalid";
    case ErrorCode::Unsupported:
      return "unsupported";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::Conflict:
      return "conflict";
    case ErrorCode::Refused:
      return "refused";
    case ErrorCode::Authentication:
      return "authentication";
    case ErrorCode::Permission:
      return "permission";
    case ErrorCode::Locked:
      return "locked";
    case ErrorCode::Rejected:
      return "rejected";
    case ErrorCode::Unavailable:
      return "unavailable";
    case ErrorCode::Timeout:
      return "timeout";
    case ErrorCode::NotFinished:
      return "not_finished";
    case ErrorCode::Unknown:
      return "unknown";
    case ErrorCode::Corrupt:
      return "corrupt";
    case ErrorCode::Io:
      return "io";
    case ErrorCode::NoSpace:
      return "no_space";
    case ErrorCode::Interrupted:
      return "interrupted";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

std::string Place::text() const {
  std::string out = file;
  if (line > 0) {
    out += ":" + std::to_string(line);
    if (column > 0) out += ":" + std::to_string(column);
  }
  return out;
}

Error Error::at(Place place) && {
  place_ = std::move(place);
  return std::move(*this);
}

Error Error::with_request_id(std::string id) && {
  request_id_ = std::move(id);
  return std::move(*this);
}

Error Error::in(std::string frame) && {
  frames_.push_back(std::move(frame));
  return std::move(*this);
}

std::string Error::text() const {
  std::string out;
  if (place_) out += place_->text() + ": ";
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) out += *frame + ": ";
  out += message_;
  if (!request_id_.empty()) out += " (request " + request_id_ + ")";
  return out;
}

}  // namespace audiencesync
