#include "daemon/gitops/git_checkout.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/gitops/commit_signature.h"
#include "daemon/service/manifest_judge.h"
#include "engine/base/json.h"

namespace audiencesync {
namespace {

std::vector<std::string> all_problems(const ManifestSet& set) {
  std::vector<std::string> problems;
  for (const auto& each : set.rejected) problems.insert(problems.end(), each.problems.begin(), each.problems.end());
  return problems;
}

}  // namespace

Result<GitState> GitCheckout::state() const {
  const auto path = folder_ / "branch.json";
  if (!files_.exists(path)) return GitState{};
  const auto text = TRY(files_.read(path));
  const auto value = TRY(parse_json(text).in(path.string()));
  return GitState::from_value(value).in(path.string());
}

Result<ManifestTexts> GitCheckout::texts(const GitState& state) const {
  if (state.commit.empty()) return Error(ErrorCode::NotFound, "no commit of the branch could be used yet");
  const auto path = folder_ / "commits" / (state.commit + ".json");
  const auto text = TRY(files_.read(path));
  const auto value = TRY(parse_json(text).in(path.string()));
  ManifestTexts texts;
  const auto* files = value.find("files");
  if (files == nullptr || files->object_if() == nullptr) {
    return Error(ErrorCode::Corrupt,
                 fmt::format("{}: has no files; remove it, and the branch is looked at anew", path.string()));
  }
  for (const auto& [name, content] : *files->object_if()) {
    if (const auto* each = content.string_if()) texts[name] = *each;
  }
  return texts;
}

Result<Secret> GitCheckout::password(const GitManifests& from) const {
  if (from.token_file.empty()) return Secret();
  auto text = TRY(files_.read(from.token_file).in("manifests.git.token_file"));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return Secret(std::move(text));
}

Result<GitState> GitCheckout::look(GitRepository& repository, const GitManifests& from, const ManifestRules& rules,
                                   Time now) {
  // A damaged state is known anew from the remote.
  auto known = state();
  GitState next = known.ok() ? std::move(known).take() : GitState{};
  const auto password = TRY(this->password(from));
  auto newest = repository.fetch(from, password);
  if (newest.ok()) {
    next.unreached.reset();
    next.looked = now;
    TRY(take_over(repository, from, rules, *newest, now, next));
  } else {
    const auto since = next.unreached ? next.unreached->since : now;
    next.unreached = GitState::Unreached{since, newest.error().text()};
  }
  TRY(files_.make_folder(folder_));
  TRY(files_.write_atomic(folder_ / "branch.json", to_json_pretty(next.to_value()) + "\n"));
  if (!next.commit.empty()) TRY(remove_others(next.commit, next.rewritten ? next.rewritten->from : ""));
  return next;
}

// The commit becomes the one that counts, or the state says why it does not.
Result<void> GitCheckout::take_over(GitRepository& repository, const GitManifests& from, const ManifestRules& rules,
                                    const std::string& newest, Time now, GitState& state) {
  const auto refuse = [&](std::vector<std::string> problems) {
    const bool again = state.refused && state.refused->commit == newest;
    state.refused = GitState::Refusal{newest, again ? state.refused->since : now, std::move(problems)};
  };
  std::string signer;
  if (from.require_signature) {
    const auto signature = TRY(repository.signature(newest));
    auto checked = check_signature(files_, folder_ / "signature", signature, {from.allowed_signers, from.keyring});
    if (!checked.ok()) {
      refuse({checked.error().text()});
      return {};
    }
    signer = std::move(checked).take();
  }
  auto found = repository.texts(newest, from.path);
  if (!found.ok()) {
    refuse({found.error().text()});
    return {};
  }
  auto problems = std::move(found->problems);
  const auto judged = all_problems(judge_manifests(found->texts, rules));
  problems.insert(problems.end(), judged.begin(), judged.end());
  if (!problems.empty()) {
    refuse(std::move(problems));
    return {};
  }
  state.refused.reset();
  state.warnings = std::move(found->warnings);
  state.signer = std::move(signer);
  const bool same = state.commit == newest && state.branch == from.branch && state.path == from.path;
  if (same && texts(state).ok()) return {};
  const bool another_branch = state.branch != from.branch || state.commit.empty();
  if (state.commit != newest) state.rewritten.reset();
  if (!another_branch && !repository.follows(newest, state.commit)) {
    state.rewritten = GitState::Rewritten{state.commit, newest, now};
  }
  TRY(write_commit(newest, found->texts));
  state.commit = newest;
  state.branch = from.branch;
  state.path = from.path;
  return {};
}

Result<void> GitCheckout::write_commit(const std::string& commit, const ManifestTexts& texts) {
  Value::Object files;
  for (const auto& [path, text] : texts) files[path] = text;
  TRY(files_.make_folder(folder_ / "commits"));
  return files_.write_atomic(folder_ / "commits" / (commit + ".json"),
                             to_json(Value::Object{{"version", 1}, {"commit", commit}, {"files", std::move(files)}}));
}

Result<void> GitCheckout::remove_others(const std::string& kept, const std::string& also_kept) {
  const auto names = TRY(files_.list(folder_ / "commits"));
  for (const auto& name : names) {
    if (name != kept + ".json" && name != also_kept + ".json") TRY(files_.remove(folder_ / "commits" / name));
  }
  return {};
}

}  // namespace audiencesync
