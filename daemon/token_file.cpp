#include "daemon/token_file.h"

#include "daemon/locked_file.h"
#include "engine/base/digest.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

// Not the file itself: whoever asks for a token holds this one for as long as that takes.
class FileTurn final : public http::TokenShelf::Turn {
 public:
  explicit FileTurn(LockedFile lock) : lock_(std::move(lock)) {}

 private:
  LockedFile lock_;
};

}  // namespace

TokenFile::TokenFile(Path file, const std::vector<std::string>& about, const Secret& secret) : file_(std::move(file)) {
  Value::Array parts;
  for (const auto& each : about) parts.push_back(each);
  parts.push_back(secret.reveal());
  credential_ = digest_of(Value(std::move(parts)));
}

std::unique_ptr<http::TokenShelf::Turn> TokenFile::take_turn(std::stop_token stop) {
  auto lock = LockedFile::open(file_.string() + ".turn", std::move(stop));
  if (!lock) return nullptr;
  return std::make_unique<FileTurn>(std::move(*lock));
}

std::optional<http::SharedToken> TokenFile::read() {
  const auto file = LockedFile::open(file_);
  if (!file) return std::nullopt;
  const auto value = parse_json(file->read());
  if (!value.ok() || value->text("credential") != credential_) return std::nullopt;
  const auto token = value->text("token");
  const auto renew_at = value->number("renew_at");
  const auto expires_at = value->number("expires_at");
  if (token.empty() || !renew_at || !expires_at) return std::nullopt;
  return http::SharedToken{Secret(token), from_epoch_ms(*renew_at), from_epoch_ms(*expires_at)};
}

void TokenFile::keep(const http::SharedToken& token) {
  const auto file = LockedFile::open(file_);
  if (!file) return;
  file->write(to_json(Value::Object{{"credential", credential_},
                                    {"token", token.token.reveal()},
                                    {"renew_at", to_epoch_ms(token.renew_at)},
                                    {"expires_at", to_epoch_ms(token.expires_at)}}));
}

void TokenFile::drop(const Secret& token) {
  const auto file = LockedFile::open(file_);
  if (!file) return;
  const auto value = parse_json(file->read());
  if (value.ok() && value->text("token") == token.reveal()) file->write("");
}

}  // namespace audiencesync
