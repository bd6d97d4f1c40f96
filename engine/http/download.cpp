#include <fmt/format.h>

#include <charconv>

#include "engine/http/gateway.h"
#include "engine/http/url.h"

namespace audiencesync::http {
namespace {

// A first try and two from the beginning: more would not make a server consistent that is not.
constexpr int kRounds = 3;

struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> total;
};

/// Reads `bytes FIRST-LAST/TOTAL`, where TOTAL may be `*`.
std::optional<ContentRange> parse_content_range(std::string_view field) {
  if (!field.starts_with("bytes ")) return std::nullopt;
  field.remove_prefix(6);
  const auto number = [&](char until) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (failure != std::errc{}) return std::nullopt;
    field.remove_prefix(static_cast<std::size_t>(end - field.data()));
    if (until == '\0') return field.empty() ? std::optional(value) : std::nullopt;
    if (!field.starts_with(until)) return std::nullopt;
    field.remove_prefix(1);
    return value;
  };
  const auto first = number('-');
  if (!first || !number('/')) return std::nullopt;
  if (field == "*") return ContentRange{*first, std::nullopt};
  const auto total = number('\0');
  if (!total) return std::nullopt;
  return ContentRange{*first, total};
}

std::string header_of(const Headers& headers, const char* name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string{} : found->second;
}

/// The file being filled: holds the first `have_` bytes of it across attempts.
class DownloadSink final : public ResumableSink {
 public:
  DownloadSink(Files& files, Path part, std::uint64_t size) : files_(files), part_(std::move(part)), size_(size) {}

  Result<void> start_over() {
    writer_.reset();
    writer_ = TRY(files_.create(part_));
    have_ = 0;
    tag_.clear();
    return {};
  }

  Headers headers_of_attempt() override {
    attempt_began_ = have_;
    if (have_ == 0) return {};
    Headers headers{{"range", fmt::format("bytes={}-", have_)}};
    // The file may have been written anew between two attempts; then the server sends all of it.
    if (!tag_.empty()) headers["if-range"] = tag_;
    return headers;
  }

  std::uint64_t bytes_of_attempt() const override { return have_ - attempt_began_; }

  Result<void> begin(int status, const Headers& headers) override {
    if (status == 206) return check_range(header_of(headers, "content-range"));
    if (status != 200) return differs(fmt::format("status {} to a download", status));
    if (have_ > 0) TRY(start_over());
    attempt_began_ = 0;
    const auto tag = header_of(headers, "etag");
    if (!tag.starts_with("W/")) tag_ = tag;
    const auto length = header_of(headers, "content-length");
    if (!length.empty() && length != std::to_string(size_) && header_of(headers, "content-encoding").empty())
      return differs(fmt::format("{} bytes", length));
    return {};
  }

  Result<void> write(std::string_view bytes) override {
    if (bytes.size() > size_ - have_) return differs("more bytes");
    TRY(writer_->write(bytes));
    have_ += bytes.size();
    return {};
  }

  /// On the disk, with exactly the bytes that were announced.
  Result<void> finish() {
    if (have_ != size_) return differs(fmt::format("{} bytes", have_));
    TRY(writer_->sync());
    writer_.reset();
    return {};
  }

  void close() { writer_.reset(); }
  /// The answer was whole and is not what the listing promised.
  bool differed() const { return differed_; }
  void forget_difference() { differed_ = false; }

  Error differs(const std::string& got) {
    differed_ = true;
    return Error(
        ErrorCode::Corrupt,
        fmt::format("the platform sends {} where its listing says {} bytes; list the files again", got, size_));
  }

 private:
  Result<void> check_range(const std::string& field) {
    const auto range = parse_content_range(field);
    if (!range) return differs("a part of the file without saying which");
    if (range->first != have_) return differs(fmt::format("bytes from {} instead of {}", range->first, have_));
    if (range->total && *range->total != size_) return differs(fmt::format("a part of {} bytes", *range->total));
    return {};
  }

  Files& files_;
  const Path part_;
  const std::uint64_t size_;
  std::unique_ptr<FileWriter> writer_;
  std::uint64_t have_ = 0;
  std::uint64_t attempt_began_ = 0;
  std::string tag_;  // the strong entity tag of what we hold, "" when there is none
  bool differed_ = false;
};

Result<Download> fill(Core& core, const Request& request, DownloadSink& sink, std::uint64_t size,
                      const std::stop_token& stop) {
  for (int round = 1;; ++round) {
    TRY(sink.start_over());
    sink.forget_difference();
    auto answer = core.call(request, stop, &sink, size);
    Result<void> whole;
    if (!answer.ok()) {
      whole = std::move(answer).error();
    } else if (answer->status == 416) {
      whole = sink.differs("no more bytes (status 416)").in(fmt::format("GET {}", without_query(request.path)));
    } else {
      whole = sink.finish().in(fmt::format("GET {}", without_query(request.path)));
      if (whole.ok()) return Download{size, answer->request_id};
    }
    if (!sink.differed() || round == kRounds) return std::move(whole).error();
  }
}

}  // namespace

Result<Download> Reader::download(const Request& request, const Path& target, std::uint64_t size) {
  if (request.method != Method::Get) {
    return Error(ErrorCode::Internal, fmt::format("{} {}: only a GET is a download", to_string(request.method),
                                                  without_query(request.path)));
  }
  Request asked = request;
  asked.repeat = Repeat::Read;
  asked.expected = {416};
  asked.headers.emplace("accept", "*/*");
  const Path part = target.string() + ".part";
  DownloadSink sink(files_, part, size);
  auto done = fill(core_, asked, sink, size, stop_);
  sink.close();
  if (done.ok()) {
    TRY(files_.rename(part, target));
    return done;
  }
  // Its bytes are of no use to another call, and a full disk needs the room; the first failure is the one to report.
  (void)files_.remove(part);
  return done;
}

}  // namespace audiencesync::http
