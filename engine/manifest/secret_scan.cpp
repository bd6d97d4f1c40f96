#include "engine/manifest/secret_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

bool is_alphanumeric(char character) { return std::isalnum(static_cast<unsigned char>(character)) != 0; }
bool is_token_character(char character) {
  return is_alphanumeric(character) || character == '-' || character == '_' || character == '.' || character == '+' ||
         character == '/' || character == '=';
}

std::size_t token_length(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_token_character);
  return static_cast<std::size_t>(end - text.begin());
}

char ascii_lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

std::string lower_text(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

struct SecretShape {
  std::string_view start;        // lower case
  std::size_t least_characters;  // of the token that follows
};

// Short enough to catch a shortened secret, long enough that no audience name matches.
constexpr std::array kSecretShapes{SecretShape{"p8e-", 8},  SecretShape{"eyj", 12},  SecretShape{"bearer ", 20},
                                   SecretShape{"akia", 16}, SecretShape{"ghp_", 20}, SecretShape{"basic ", 24},
                                   SecretShape{"xoxb-", 16}};

bool has_shape(std::string_view text, std::string_view lower, const SecretShape& shape) {
  for (auto at = lower.find(shape.start); at != std::string_view::npos; at = lower.find(shape.start, at + 1)) {
    if (at > 0 && is_alphanumeric(text[at - 1])) continue;
    const bool exact_case = shape.start != "eyj" || text.substr(at, 3) == "eyJ";
    if (exact_case && token_length(text.substr(at + shape.start.size())) >= shape.least_characters) return true;
  }
  return false;
}

bool has_password_in_url(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto authority = text.substr(scheme + 3, text.find_first_of("/?# ", scheme + 3) - scheme - 3);
  const auto at = authority.find('@');
  return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

/// client_secret, client-secret and clientSecret -> client, secret.
std::vector<std::string> words_of_key(std::string_view key) {
  std::vector<std::string> words(1);
  char before = '\0';
  for (const char character : key) {
    const bool upper = character >= 'A' && character <= 'Z';
    const bool hump = upper && before >= 'a' && before <= 'z';
    if ((hump || !is_alphanumeric(character)) && !words.back().empty()) words.emplace_back();
    if (is_alphanumeric(character)) words.back() += ascii_lower(character);
    before = character;
  }
  return words;
}

class SecretScan {
 public:
  SecretScan(std::string_view kind, Problems& problems) : kind_(kind), problems_(problems) {}

  void scan(YamlNode& node, const std::string& owner) {
    if (node.reported) return;
    if (node.kind == YamlNode::Kind::Scalar && looks_like_secret(node.text)) {
      refuse(node, node.place, fmt::format("the value of '{}' looks like a secret", owner));
    }
    for (auto& item : node.items) scan(item, owner);
    for (auto& entry : node.entries) scan_entry(entry);
  }

 private:
  void scan_entry(YamlEntry& entry) {
    if (entry.value.reported) return;
    if (looks_like_secret(entry.key)) {
      refuse(entry.value, entry.place, "a key looks like a secret");
    } else if (names_a_secret(entry.key) && entry.value.kind != YamlNode::Kind::Map) {
      refuse(entry.value, entry.place, fmt::format("key {}", shown(entry.key)));
    } else {
      scan(entry.value, entry.key);
    }
  }

  void refuse(YamlNode& node, const Place& place, std::string_view what) {
    hide(node);
    problems_.invalid(place, fmt::format("{}: secrets do not belong in a {}; put them into the credential file that "
                                         "'credential' in the settings names, and renew this one, it may have been "
                                         "copied already",
                                         what, kind_));
  }

  static void hide(YamlNode& node) {
    node.reported = true;
    for (auto& item : node.items) hide(item);
    for (auto& entry : node.entries) hide(entry.value);
  }

  std::string_view kind_;
  Problems& problems_;
};

}  // namespace

bool looks_like_secret(std::string_view text) {
  const auto lower = lower_text(text);
  const auto shaped = [&](const SecretShape& shape) { return has_shape(text, lower, shape); };
  if (std::any_of(kSecretShapes.begin(), kSecretShapes.end(), shaped)) return true;
  return lower.find("private key-----") != std::string::npos || has_password_in_url(text);
}

bool names_a_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 10> kWords{"secret", "secrets", "password", "passwd", "passphrase",
                                                           "token",  "tokens",  "apikey",   "bearer", "pwd"};
  const auto words = words_of_key(key);
  if (words.size() > 1 && words.back() == "file") return false;  // says where one is
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::find(kWords.begin(), kWords.end(), words[i]) != kWords.end()) return true;
    const bool is_key = i > 0 && (words[i] == "key" || words[i] == "keys");
    if (is_key && (words[i - 1] == "api" || words[i - 1] == "private" || words[i - 1] == "access")) return true;
  }
  return false;
}

bool names_a_secret_variable(std::string_view variable) {
  const auto name = lower_text(variable);
  for (const auto* part : {"secret", "token", "password", "passwd", "passphrase", "key", "credential"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

void refuse_secrets(YamlNode& root, std::string_view kind, Problems& problems) {
  SecretScan(kind, problems).scan(root, "");
}

}  // namespace audiencesync
