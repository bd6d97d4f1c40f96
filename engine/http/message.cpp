#include "engine/http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/base/json.h"

namespace audiencesync::http {
namespace {

class TextReader final : public BodyReader {
 public:
  // Shared with the Body it came from: a retry opens the next reader while this one may still be read.
  explicit TextReader(std::shared_ptr<const std::string> content) : content_(std::move(content)) {}

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), content_->size() - at_);
    std::memcpy(into.data(), content_->data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::shared_ptr<const std::string> content_;
  std::size_t at_ = 0;
};

class FileBodyReader final : public BodyReader {
 public:
  explicit FileBodyReader(std::unique_ptr<FileReader> file) : file_(std::move(file)) {}

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count = TRY(file_->read_at(at_, into));
    at_ += count;
    return count;
  }

 private:
  std::unique_ptr<FileReader> file_;
  std::uint64_t at_ = 0;
};

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

const char* to_string(Method method) {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Head:
      return "HEAD";
    case Method::Post:
      return "POST";
    case Method::Put:
      return "PUT";
    case Method::Patch:
      return "PATCH";
    case Method::Delete:
      return "DELETE";
  }
  return "GET";
}

const char* to_string(Service service) {
  switch (service) {
    case Service::Identity:
      return "identity";
    case Service::Platform:
      return "platform";
    case Service::Analytics:
      return "analytics";
  }
  return "platform";
}

Body Body::text(std::string content, std::string content_type) {
  auto shared = std::make_shared<const std::string>(std::move(content));
  Body body;
  body.size = shared->size();
  body.content_type = std::move(content_type);
  body.open = [shared]() -> Result<std::unique_ptr<BodyReader>> {
    return std::unique_ptr<BodyReader>(std::make_unique<TextReader>(shared));
  };
  return body;
}

Body Body::json(const Value& value, std::string content_type) { return text(to_json(value), std::move(content_type)); }

Body Body::file(const Files& files, Path path, std::uint64_t size, std::string content_type) {
  Body body;
  body.size = size;
  body.content_type = std::move(content_type);
  body.open = [&files, path = std::move(path), size]() -> Result<std::unique_ptr<BodyReader>> {
    auto file = TRY(files.open(path));
    if (file->size() != size) {
      return Error(ErrorCode::Io, fmt::format("{}: has {} bytes where {} were to be sent; it changed since it was made",
                                              path.string(), file->size(), size));
    }
    return std::unique_ptr<BodyReader>(std::make_unique<FileBodyReader>(std::move(file)));
  };
  return body;
}

Result<Value> Response::json() const {
  auto value = parse_json(body);
  if (value.ok()) return value;
  // The parser's own words may quote the body, and bodies hold person ids.
  return Error(ErrorCode::Corrupt,
               fmt::format(
                   "the answer (status {}, {} bytes) is not JSON; a proxy may have answered instead of the platform",
                   status, body.size()))
      .with_request_id(request_id);
}

std::string encode_segment(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace audiencesync::http
