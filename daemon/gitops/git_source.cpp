#include "daemon/gitops/git_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "daemon/service/manifest_judge.h"

namespace audiencesync {
namespace {

constexpr std::size_t kMostTold = 4096;

std::string second_of(Time time) { return to_iso8601(from_epoch_ms(to_epoch_ms(time) / 1000 * 1000)); }

std::string branch_text(const GitManifests& from) { return fmt::format("{} (branch {})", from.url, from.branch); }

Result<ManifestSet> judged_commit(const GitCheckout& checkout, const GitState& state, const ManifestRules& rules) {
  const auto texts = TRY(checkout.texts(state));
  auto set = judge_manifests(texts, rules);
  set.commit = state.commit;
  for (auto& each : set.manifests) each.manifest.commit = state.commit;
  return set;
}

// Beside what the commit itself gives.
void add_said(ManifestSet& set, const GitState& state, const GitManifests& from) {
  if (auto complaints = complaints_of(state, from); !complaints.empty()) {
    set.rejected.push_back({branch_text(from), std::move(complaints)});
  }
  const auto warnings = warnings_of(state);
  set.warnings.insert(set.warnings.end(), warnings.begin(), warnings.end());
}

Error nothing_yet(const GitState& state, const GitManifests& from, bool looking, const std::string& failed) {
  auto complaints = complaints_of(state, from);
  if (!failed.empty()) complaints.push_back(fmt::format("{}: {}", branch_text(from), failed));
  if (complaints.empty() || (looking && !state.looked && !state.unreached)) {
    return Error(ErrorCode::NotFinished,
                 fmt::format("{}: {}", branch_text(from),
                             looking ? "is being looked at for the first time"
                                     : "was not looked at yet; audiencesync manifests --fetch does"));
  }
  return Error(ErrorCode::NotFound, fmt::format("{}", fmt::join(complaints, "; ")));
}

}  // namespace

std::string short_commit(const std::string& commit) { return commit.substr(0, 12); }

std::vector<std::string> complaints_of(const GitState& state, const GitManifests& from) {
  std::vector<std::string> lines;
  const auto going_on = state.commit.empty() ? std::string("there is none before it that could be used")
                                             : fmt::format("commit {} goes on counting", short_commit(state.commit));
  if (state.refused) {
    for (const auto& problem : state.refused->problems) {
      lines.push_back(fmt::format("commit {}: {}; {}", short_commit(state.refused->commit), problem, going_on));
    }
  }
  if (state.unreached) {
    lines.push_back(fmt::format("{}: cannot be reached since {}: {}{}", branch_text(from),
                                second_of(state.unreached->since), state.unreached->why,
                                state.commit.empty() ? "" : "; " + going_on));
  }
  return lines;
}

std::vector<std::string> warnings_of(const GitState& state) {
  auto lines = state.warnings;
  if (state.rewritten) {
    lines.push_back(
        fmt::format("the history of branch {} was rewritten: commit {} does not follow {}, which counted "
                    "until {}; it was taken over all the same",
                    state.branch, short_commit(state.rewritten->to), short_commit(state.rewritten->from),
                    second_of(state.rewritten->at)));
  }
  return lines;
}

Result<ManifestSet> manifests_of_branch(const GitCheckout& checkout, const GitManifests& from,
                                        const ManifestRules& rules) {
  const auto state = TRY(checkout.state());
  if (state.commit.empty()) return nothing_yet(state, from, false, "");
  auto set = TRY(judged_commit(checkout, state, rules));
  add_said(set, state, from);
  return set;
}

GitSource::~GitSource() {
  if (!look_) return;
  // It has written nothing that the next one could not find or make again.
  ::kill(look_->process, SIGKILL);
  reap();
}

std::string GitSource::name() const { return branch_text(from_); }

Result<ManifestSet> GitSource::load() {
  TRY(drain());
  look_if_due();
  const auto state = TRY(checkout_.state());
  if (state.commit.empty()) return nothing_yet(state, from_, look_.has_value(), failed_);
  if (!set_ || set_->commit != state.commit) set_ = TRY(judged_commit(checkout_, state, rules_));
  auto set = *set_;
  add_said(set, state, from_);
  if (!failed_.empty()) set.rejected.push_back({branch_text(from_), {fmt::format("{}: {}", name(), failed_)}});
  return set;
}

void GitSource::look_if_due() {
  const auto now = std::chrono::steady_clock::now();
  if (look_ || (last_look_ && now - *last_look_ < from_.poll)) return;
  last_look_ = now;
  auto started = start_();
  if (!started.ok()) {
    failed_ = started.error().text();
    return;
  }
  look_ = std::move(started).take();
  ::fcntl(look_->told.get(), F_SETFL, O_NONBLOCK);
  told_.clear();
}

Result<void> GitSource::drain() {
  while (look_) {
    std::array<char, 1024> buffer{};
    const auto got = ::read(look_->told.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return {};
    if (got > 0) {
      if (told_.size() < kMostTold) told_.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    reap();
  }
  return {};
}

void GitSource::reap() {
  int status = 0;
  while (::waitpid(look_->process, &status, 0) < 0 && errno == EINTR) {
  }
  look_.reset();
  while (!told_.empty() && told_.back() == '\n') told_.pop_back();
  failed_.clear();
  if (WIFSIGNALED(status)) {
    failed_ = WTERMSIG(status) == SIGALRM ? "a look at it was not over in time (manifests.git.deadline)"
                                          : fmt::format("a look at it was ended by signal {}", WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    failed_ = told_.empty() ? fmt::format("a look at it failed with code {}", WEXITSTATUS(status)) : told_;
  }
}

}  // namespace audiencesync
