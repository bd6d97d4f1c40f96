#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gtest/gtest.h>

#include <ostream>

#include "engine/base/person_id.h"
#include "engine/base/secret.h"
#include "engine/base/value.h"

namespace audiencesync {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

template <class T>
constexpr bool kCannotBePrinted =
    !Streamable<T> && !fmt::is_formattable<T>::value && !std::is_convertible_v<T, std::string> &&
    !std::is_convertible_v<T, std::string_view> && !std::is_constructible_v<Value, T>;

static_assert(Streamable<std::string> && fmt::is_formattable<std::string>::value, "the checks below can fail");
static_assert(std::is_constructible_v<Value, std::string>);
static_assert(kCannotBePrinted<Secret>, "a secret must not be printable by accident");
static_assert(kCannotBePrinted<PersonId>, "a person id must not be printable by accident");
static_assert(!std::is_convertible_v<std::string, Secret> && !std::is_convertible_v<std::string, PersonId>);

TEST(Secret, LeavesNoBytesBehind) {
  alignas(Secret) unsigned char storage[sizeof(Secret)];
  auto* secret = new (storage) Secret("short-secret");  // short: the text lives inside the object
  const Secret taken = std::move(*secret);
  EXPECT_EQ(taken.reveal(), "short-secret");
  std::destroy_at(secret);
  const std::string_view left(reinterpret_cast<const char*>(storage), sizeof storage);
  EXPECT_EQ(left.find("secret"), std::string_view::npos);
  EXPECT_EQ(left.find("hort-"), std::string_view::npos);
}

TEST(Secret, CopiesAreWhole) {
  const Secret secret("a secret that is longer than any small buffer");
  Secret copy = secret;
  EXPECT_EQ(copy.reveal(), secret.reveal());
  EXPECT_TRUE(Secret().empty());
}

TEST(PersonId, IsMaskedSoThatItCannotBeRecovered) {
  const auto masked = [](const char* text) { return PersonId(text).masked(); };
  EXPECT_EQ(masked("ada.lovelace@example.org"), "a***@e***.org");
  EXPECT_EQ(masked("ada@mail.example.co.uk"), "a***@m***.uk");
  EXPECT_EQ(masked("1234567890"), "12***");
  EXPECT_EQ(masked("\xC3\xBC"
                   "ber-jemand"),
            "\xC3\xBC"
            "b***");
  EXPECT_EQ(masked(""), "***");
  EXPECT_EQ(masked("abc"), "***") << "two of three characters are no mask";
  EXPECT_EQ(masked("a@b.io"), "***@***.io");
  EXPECT_EQ(masked("@handle"), "***@h***");
  EXPECT_EQ(masked("x@1.4915112345678"), "***@***") << "what follows the last dot may be the identity";
}

TEST(PersonId, ComparesByItsText) {
  EXPECT_LT(PersonId("a"), PersonId("b"));
  EXPECT_EQ(PersonId("a"), PersonId("a"));
  EXPECT_TRUE(PersonId().empty());
}

}  // namespace
}  // namespace audiencesync
