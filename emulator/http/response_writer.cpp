#include "emulator/http/response_writer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace emulator {
namespace {

constexpr std::size_t kBlock = 256 << 10;
// Below this the gzip header costs more than it saves.
constexpr std::size_t kGzipAbove = 512;

std::string gzip(const std::string& plain) {
  z_stream stream{};
  // 16 + 15: gzip framing around the largest window. Level 1: the peer is on the same machine.
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib does not start");
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  std::string input = plain;  // zlib's pointer is not const
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib does not finish");
  return packed;
}

/// Body bytes on their way out, slowed and cut as the fault says.
class BodyWriter {
 public:
  BodyWriter(Channel& channel, const Delivery& delivery)
      : channel_(channel), remaining_(delivery.truncate_after), rate_(delivery.bytes_per_second) {}

  /// False when nothing more can be sent: the peer is gone or the fault's cut is reached.
  bool write(std::string_view bytes) {
    bool cut = false;
    if (remaining_ && bytes.size() > *remaining_) {
      bytes = bytes.substr(0, static_cast<std::size_t>(*remaining_));
      cut = true;
    }
    if (remaining_) *remaining_ -= bytes.size();
    while (!bytes.empty()) {
      std::size_t share = bytes.size();
      if (rate_ > 0) {
        share = std::min<std::size_t>(share, std::max<std::uint64_t>(1, rate_ / 20));
        std::this_thread::sleep_for(std::chrono::microseconds(share * 1'000'000 / rate_));
      }
      if (!channel_.write(bytes.substr(0, share))) return false;
      written_ += share;
      bytes.remove_prefix(share);
    }
    return !cut;
  }

  std::uint64_t written() const { return written_; }

 private:
  Channel& channel_;
  std::optional<std::uint64_t> remaining_;
  std::uint64_t rate_;
  std::uint64_t written_ = 0;
};

bool write_file(BodyWriter& writer, const FileSlice& slice) {
  std::ifstream in(slice.path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(slice.offset));
  std::string block;
  for (std::uint64_t left = slice.length; left > 0;) {
    block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlock)));
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    block.resize(static_cast<std::size_t>(in.gcount()));
    if (block.empty() || !writer.write(block)) return false;  // the file is shorter than promised: cut, not padded
    left -= block.size();
  }
  return true;
}

bool write_chunks(Channel& channel, BodyWriter& writer, const std::function<std::string()>& stream) {
  for (std::string piece = stream(); !piece.empty(); piece = stream()) {
    std::array<char, 32> size{};
    const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    if (!channel.write({size.data(), static_cast<std::size_t>(length)}) || !writer.write(piece) ||
        !channel.write("\r\n"))
      return false;
  }
  return channel.write("0\r\n\r\n");
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

Written write_response(Channel& channel, Delivery& delivery, const AnswerTerms& terms, const std::string& date) {
  Response& response = delivery.response;
  const bool streamed = static_cast<bool>(response.stream);
  const bool json = response.headers["content-type"].find("json") != std::string::npos;
  if (response.headers["content-type"].empty()) response.headers.erase("content-type");
  if (terms.gzip && !terms.head && json && !streamed && !response.file && response.body.size() > kGzipAbove &&
      !response.headers.contains("content-encoding")) {
    response.body = gzip(response.body);
    response.headers["content-encoding"] = "gzip";
    response.headers["vary"] = "Accept-Encoding";
  }

  response.headers["date"] = date;
  if (terms.persistence == Persistence::Close) response.headers["connection"] = "close";
  if (!has_body(response.status)) {
    response.headers.erase("content-length");
  } else if (streamed) {
    response.headers["transfer-encoding"] = "chunked";
  } else if (!terms.head || !response.headers.contains("content-length")) {
    // A HEAD route may name the length of a body it did not make.
    response.headers["content-length"] = std::to_string(response.file ? response.file->length : response.body.size());
  }

  const auto reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + ' ' + std::string(reason.data(), reason.size()) + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  head += "\r\n";

  if (terms.head || !has_body(response.status)) return {.body_bytes = 0, .complete = channel.write(head)};
  const bool plain = !streamed && !response.file && !delivery.truncate_after && delivery.bytes_per_second == 0;
  if (plain) {
    // Head and body in one packet when they fit: small answers are what a client waits for.
    const std::uint64_t size = response.body.size();
    if (size < kBlock) return {.body_bytes = size, .complete = channel.write(head + response.body)};
  }
  if (!channel.write(head)) return {};
  BodyWriter writer(channel, delivery);
  const bool complete = streamed        ? write_chunks(channel, writer, response.stream)
                        : response.file ? write_file(writer, *response.file)
                                        : writer.write(response.body);
  return {.body_bytes = writer.written(), .complete = complete};
}

}  // namespace emulator
