#pragma once

#include <string>
#include <vector>

namespace audiencesync {

/// One changed person as people may see them.
struct Sample {
  std::string kind;                  // "new", "changed" or "leaves"
  std::string person;                // masked
  std::vector<std::string> entered;  // audience names
  std::vector<std::string> left;
};

}  // namespace audiencesync
