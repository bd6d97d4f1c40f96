#include "emulator/registry/accept.h"

#include <algorithm>
#include <array>

#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr std::string_view kVendor = "application/vnd.adobe.";
constexpr std::string_view kJson = "+json";

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

/// nullopt when the header is absent, a wildcard, or not one of the vendor's types.
std::optional<RegistryAccept> parse_accept(const std::string& header) {
  const std::size_t semicolon = header.find(';');
  const std::string media = trimmed(std::string_view(header).substr(0, semicolon));
  if (!media.starts_with(kVendor) || !media.ends_with(kJson)) return std::nullopt;
  RegistryAccept accept;
  accept.type = media.substr(kVendor.size(), media.size() - kVendor.size() - kJson.size());
  if (semicolon != std::string::npos) {
    const std::string parameter = trimmed(std::string_view(header).substr(semicolon + 1));
    if (parameter.starts_with("version=")) accept.version = parameter.substr(8);
  }
  return accept;
}

[[noreturn]] void refuse_accept(const std::string& code, const std::string& header, const std::string& example) {
  throw HttpError{registry_error(
      400, code, "Accept header invalid",
      "The supplied Accept header is not valid: " + header + " - A valid Accept value should look like " + example)};
}

template <std::size_t N>
bool is_one_of(const std::string& text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

RegistryAccept accept_for_list(const Request& request) {
  static constexpr std::array<std::string_view, 6> kTypes{"xed-id", "xed", "xdm-id", "xdm", "xed-notext", "xdm-notext"};
  const std::string header = request.header("accept");
  const auto accept = parse_accept(header);
  if (!accept || accept->version || !is_one_of(accept->type, kTypes))
    refuse_accept("XDM-1006-400", header, "application/vnd.adobe.'{xed|xdm'}+json");
  return *accept;
}

RegistryAccept accept_for_lookup(const Request& request) {
  static constexpr std::array<std::string_view, 6> kTypes{
      "xed", "xed-full", "xed-notext", "xed-full-notext", "xed-full-desc", "xed-deprecatefield"};
  const std::string header = request.header("accept");
  const auto accept = parse_accept(header);
  const bool any = header.empty() || header == "*/*";
  if (!accept && !any)
    throw HttpError{registry_error(406, "XDM-1005-406", "Not Acceptable",
                                   "The registry cannot answer in any of the media types of Accept: " + header)};
  if (!accept || !accept->version)
    refuse_accept("XDM-1007-400", header,
                  "application/vnd.adobe.'{xed|xdm'}+json; version=1 (Version should be specified)");
  std::string type = accept->type;
  if (type.starts_with("xdm")) type.replace(0, 3, "xed");
  if (!is_one_of(type, kTypes))
    throw HttpError{registry_error(406, "XDM-1005-406", "Not Acceptable",
                                   "The registry cannot answer in any of the media types of Accept: " + header)};
  return {.type = type, .version = accept->version};
}

RegistryAccept accept_for_descriptors(const Request& request) {
  static constexpr std::array<std::string_view, 6> kTypes{"xdm-id",    "xdm-link",    "xdm",
                                                          "xdm-v2-id", "xdm-v2-link", "xdm-v2"};
  const std::string header = request.header("accept");
  const auto accept = parse_accept(header);
  if (!accept || accept->version || !is_one_of(accept->type, kTypes))
    refuse_accept("XDM-1008-400", header, "application/vnd.adobe.xdm-id+json");
  return *accept;
}

}  // namespace emulator
