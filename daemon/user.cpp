#include "daemon/user.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace audiencesync {

std::string current_user() {
  const char* caller = std::getenv("SUDO_USER");
  if (geteuid() == 0 && caller != nullptr && *caller != '\0') return caller;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(geteuid());
}

}  // namespace audiencesync
