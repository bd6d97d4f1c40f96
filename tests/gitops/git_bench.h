#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace audiencesync::testing {

/// A repository as its authors have it, worked on with git itself.
class AuthorsRepository {
 public:
  AuthorsRepository(const std::filesystem::path& scratch, std::string branch = "main")
      : scratch_(scratch), path_(scratch / "authors"), branch_(std::move(branch)) {
    std::filesystem::create_directories(path_);
    git({"init", "-q", "-b", branch_});
  }

  const std::filesystem::path& path() const { return path_; }
  std::string url() const { return "file://" + path_.string(); }

  std::string git(std::vector<std::string> words) {
    std::vector<std::string> command{"/usr/bin/git", "-C", path_.string()};
    command.insert(command.end(), words.begin(), words.end());
    std::filesystem::create_directories(scratch_ / "git-out");
    const auto ran = run_process(command,
                                 {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=Ada",
                                  "GIT_COMMITTER_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
                                  "GIT_COMMITTER_EMAIL=ada@example.com", "GNUPGHOME=" + (scratch_ / "gpg").string()},
                                 scratch_ / "git-out");
    if (ran.code != 0) throw std::runtime_error("git " + words[0] + ": " + ran.err);
    auto out = ran.out;
    while (out.ends_with('\n')) out.pop_back();
    return out;
  }

  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path_ / name).parent_path());
    write_file(path_ / name, text);
  }

  /// Everything as it is now; the id of the commit.
  std::string commit(const std::vector<std::string>& more = {}) {
    git({"add", "-A"});
    std::vector<std::string> words{"commit", "-q", "--allow-empty", "-m", "a change"};
    words.insert(words.end(), more.begin(), more.end());
    git(words);
    return git({"rev-parse", "HEAD"});
  }

 private:
  std::filesystem::path scratch_;
  std::filesystem::path path_;
  std::string branch_;
};

}  // namespace audiencesync::testing
