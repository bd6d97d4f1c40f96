#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace audiencesync::testing {

struct ProcessResult {
  int code = -1;  // exit code, or 128 + signal
  std::string out;
  std::string err;
};

/// Starts a program; its output goes to files in `folder`. `environment` is added to ours ("NAME=value").
pid_t start_process(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const std::filesystem::path& out, const std::filesystem::path& err);

/// Waits for it. A process that is not over after `seconds` is killed and reported as 128 + SIGKILL.
int wait_process(pid_t pid, int seconds = 120);

ProcessResult run_process(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                          const std::filesystem::path& folder, int seconds = 120);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& content);

/// A new folder of its own below the system's temporary one, removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace audiencesync::testing
