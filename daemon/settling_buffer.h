#pragma once

#include <functional>
#include <streambuf>

namespace audiencesync {

/// Passes everything on to another buffer, and calls `settle` before: so that a text never begins behind a progress
/// line that stands on the same terminal. Both must outlive it.
class SettlingBuffer final : public std::streambuf {
 public:
  SettlingBuffer(std::streambuf& to, std::function<void()> settle) : to_(to), settle_(std::move(settle)) {}

 protected:
  int_type overflow(int_type character) override {
    settle_();
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    return to_.sputc(traits_type::to_char_type(character));
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    settle_();
    return to_.sputn(text, size);
  }
  int sync() override { return to_.pubsync(); }

 private:
  std::streambuf& to_;
  std::function<void()> settle_;
};

}  // namespace audiencesync
