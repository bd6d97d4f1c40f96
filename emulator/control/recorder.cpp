#include "emulator/control/recorder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

namespace emulator {
namespace {

constexpr std::size_t kRecordCap = 64 << 10;
constexpr const char* kMasked = "***";

std::string file_start(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t length) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(length, kRecordCap)), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

void put_body(Json& side, std::string body, std::uint64_t whole) {
  if (body.size() > kRecordCap) body.resize(kRecordCap);
  if (body.size() < whole) side["body_cut"] = true;
  side["body_bytes"] = whole;
  side["body"] = std::move(body);
}

}  // namespace

Recorder::Recorder(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".json" && !stem.empty() && stem.size() < 18 &&
        stem.find_first_not_of("0123456789") == std::string::npos)
      last_ = std::max<std::uint64_t>(last_, std::stoull(stem));
  }
}

std::string Recorder::body_start(const Request& request) {
  if (!request.body_file.empty()) return file_start(request.body_file, 0, request.body_bytes);
  return request.body.substr(0, kRecordCap);
}

void Recorder::record(const Request& request, const std::string& request_body, const Response& response,
                      const std::string& fault) {
  const bool secret = request.path.starts_with("/ims");
  Json headers = request.headers;
  if (headers.contains("authorization")) headers["authorization"] = kMasked;
  Json asked{{"method", request.method}, {"target", request.target}, {"headers", std::move(headers)}};
  put_body(asked, secret ? kMasked : request_body, secret ? 3 : request.body_bytes);

  Json answered{{"status", response.status}, {"headers", response.headers}};
  if (response.file)
    put_body(answered, file_start(response.file->path, response.file->offset, response.file->length),
             response.file->length);
  else if (response.stream)
    answered["body_cut"] = true;  // made while it is sent
  else
    put_body(answered, secret ? kMasked : response.body, secret ? 3 : response.body.size());

  Json exchange{{"request", std::move(asked)}, {"response", std::move(answered)}};
  if (!fault.empty()) exchange["fault"] = fault;
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%06llu.json", static_cast<unsigned long long>(++last_));
  std::ofstream out(folder_ / name.data(), std::ios::binary);
  out << exchange.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace emulator
