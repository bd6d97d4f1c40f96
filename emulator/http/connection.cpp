#include "emulator/http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>

#include "emulator/http/response_writer.h"
#include "emulator/http/uri.h"

namespace emulator {
namespace {

namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::buffer_body>;
using Code = boost::beast::error_code;

constexpr std::size_t kReadBlock = 64 << 10;
constexpr auto kLinger = std::chrono::seconds(1);

/// Just enough of a stream for Beast to read requests from a plain descriptor: no executor, no reactor, no epoll set.
class ChannelReader {
 public:
  explicit ChannelReader(Channel& channel) : channel_(channel) {}

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, Code& code) {
    const boost::asio::mutable_buffer buffer = *boost::asio::buffer_sequence_begin(buffers);
    const std::size_t count = channel_.read(static_cast<char*>(buffer.data()), buffer.size());
    code = count == 0 ? Code(boost::asio::error::eof) : Code();
    return count;
  }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    Code code;
    const std::size_t count = read_some(buffers, code);
    if (code) throw boost::system::system_error(code);
    return count;
  }

 private:
  Channel& channel_;
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

Request request_of(const Parser& parser) {
  const auto& message = parser.get();
  Request request;
  request.method.assign(message.method_string().data(), message.method_string().size());
  request.target.assign(message.target().data(), message.target().size());
  const std::size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = parse_form(std::string_view(request.target).substr(mark + 1));
  for (const auto& field : message)
    request.headers[lower_case({field.name_string().data(), field.name_string().size()})].assign(field.value().data(),
                                                                                                 field.value().size());
  return request;
}

enum class BodyEnd { Complete, TooLarge, PeerGone, ResetByFault };

/// The peer may still be sending: closing now would reset the connection and lose the answer we just wrote.
void linger(int socket) {
  ::shutdown(socket, SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + kLinger;
  std::array<char, 4096> waste{};
  for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now()) {
    pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - now);
    if (::poll(&wait, 1, static_cast<int>(left.count())) <= 0) return;
    if (::recv(socket, waste.data(), waste.size(), 0) <= 0) return;
  }
}

void reset(int socket) {
  const ::linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);  // the caller's close sends RST
}

class HttpConnection {
 public:
  HttpConnection(int socket, Front& front) : socket_(socket), channel_(socket), reader_(channel_), front_(front) {}

  /// The handshake, before `serve`; false when the peer does not manage it.
  bool secure(const TlsIdentity& identity) { return channel_.secure(identity); }

  void serve() {
    while (serve_one()) {
    }
  }

 private:
  bool serve_one() {
    Parser parser;
    parser.header_limit(64 << 10);
    // Not boost::none: Boost 1.74 takes "no limit" for a limit below any length. Ours is the intake's cap.
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    Code code;
    beast_http::read_header(reader_, buffer_, parser, code);
    if (code) {
      // A peer that hangs up or goes silent gets nothing; one that speaks something else is told so.
      if (code != beast_http::error::end_of_stream && code != beast_http::error::partial_message &&
          code.category() == beast_http::make_error_code(beast_http::error::bad_method).category())
        channel_.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return false;
    }
    Request request = request_of(parser);
    const std::unique_ptr<Call> call = front_.arrive(request);

    const Intake intake = call->intake();
    const BodyEnd end = read_body(parser, intake, request);
    if (end == BodyEnd::PeerGone || end == BodyEnd::ResetByFault) {
      if (end == BodyEnd::ResetByFault) reset(socket_);
      discard(intake);
      return false;
    }
    Delivery delivery = end == BodyEnd::TooLarge ? call->too_large(request) : call->answer(request);
    discard(intake);
    if (delivery.sending != Delivery::Sending::Whole) {
      call->sent(0);
      if (delivery.sending == Delivery::Sending::Reset) reset(socket_);
      return false;
    }

    AnswerTerms terms;
    terms.head = request.method == "HEAD";
    terms.gzip = request.header("accept-encoding").find("gzip") != std::string::npos;
    if (!parser.keep_alive() || end == BodyEnd::TooLarge) terms.persistence = Persistence::Close;
    const Written written = write_response(channel_, delivery, terms, front_.date());
    call->sent(written.body_bytes);
    if (end == BodyEnd::TooLarge) linger(socket_);
    return written.complete && terms.persistence == Persistence::KeepAlive;
  }

  BodyEnd read_body(Parser& parser, const Intake& intake, Request& request) {
    const auto declared = parser.content_length();
    if (declared && *declared > intake.cap && !intake.reset_after) return BodyEnd::TooLarge;
    if (!parser.is_done() && request.header("expect") == "100-continue" &&
        !channel_.write("HTTP/1.1 100 Continue\r\n\r\n"))
      return BodyEnd::PeerGone;

    std::ofstream file;
    if (intake.body == BodyMode::File) {
      file.open(intake.spool, std::ios::binary | std::ios::trunc);
      request.body_file = intake.spool;
    }
    block_.resize(kReadBlock);
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = block_.data();
      body.size = block_.size();
      Code code;
      beast_http::read_some(reader_, buffer_, parser, code);
      if (code && code != beast_http::error::need_buffer) return BodyEnd::PeerGone;
      const std::size_t count = block_.size() - body.size;
      request.body_bytes += count;
      if (intake.reset_after && request.body_bytes >= *intake.reset_after) return BodyEnd::ResetByFault;
      if (request.body_bytes > intake.cap) return BodyEnd::TooLarge;
      if (intake.body == BodyMode::File)
        file.write(block_.data(), static_cast<std::streamsize>(count));
      else
        request.body.append(block_.data(), count);
    }
    if (intake.reset_after) return BodyEnd::ResetByFault;  // a shorter body than the fault waits for
    if (intake.body == BodyMode::File) {
      file.close();
      if (!file) throw std::runtime_error(intake.spool.string() + ": cannot be written");
    }
    return BodyEnd::Complete;
  }

  static void discard(const Intake& intake) {
    std::error_code absent;
    if (intake.body == BodyMode::File) std::filesystem::remove(intake.spool, absent);
  }

  int socket_;
  Channel channel_;
  ChannelReader reader_;
  Front& front_;
  boost::beast::flat_buffer buffer_{1 << 20};
  std::string block_;
};

}  // namespace

void serve_connection(int socket, const TlsIdentity* tls, Front& front) noexcept {
  try {
    HttpConnection connection(socket, front);
    if (tls == nullptr || connection.secure(*tls)) connection.serve();
  } catch (const std::exception& error) {
    // Out of disk or memory: this connection ends, the others go on.
    std::fprintf(stderr, "connection: %s\n", error.what());
  }
}

}  // namespace emulator
