#include "daemon/gitops/libgit2/libgit2_repository.h"

#include <fmt/format.h>
#include <git2.h>

#include <algorithm>
#include <cstring>

#include "daemon/gitops/known_hosts.h"
#include "engine/manifest/utf8.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {
namespace {

constexpr const char* kFetched = "refs/audiencesync/fetched";
constexpr int kDeepestFolder = 16;
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kBranchesNamed = 8;

template <class T, void (*Free)(T*)>
struct Freed {
  T* get = nullptr;
  Freed() = default;
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  ~Freed() {
    if (get != nullptr) Free(get);
  }
};
using OwnRepository = Freed<git_repository, git_repository_free>;
using OwnRemote = Freed<git_remote, git_remote_free>;
using OwnCommit = Freed<git_commit, git_commit_free>;
using OwnTree = Freed<git_tree, git_tree_free>;
using OwnBlob = Freed<git_blob, git_blob_free>;
using OwnEntry = Freed<git_tree_entry, git_tree_entry_free>;

struct Buffer {
  git_buf bytes = GIT_BUF_INIT;
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { git_buf_dispose(&bytes); }
  std::string text() const { return {bytes.ptr, bytes.size}; }
};

std::string library_says() {
  const auto* error = git_error_last();
  std::string text = error != nullptr && error->message != nullptr ? error->message : "no reason given";
  std::replace_if(
      text.begin(), text.end(), [](char each) { return each >= 0 && each < ' '; }, ' ');
  return text;
}

Error damaged(const std::string& what) {
  return Error(ErrorCode::Corrupt, fmt::format("{}: {}", what, library_says()));
}

// The library is told once, and before anything else, that no configuration of this machine counts: it could send us to
// another address, or leave out the check of a certificate.
void start_library() {
  static const bool started = [] {
    git_libgit2_init();
    for (const auto level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
    return true;
  }();
  static_cast<void>(started);
}

/// What the library's callbacks need to know of one look at a remote.
struct Fetch {
  const GitManifests& from;
  const Secret& password;
  int asked = 0;
  std::string refused;  // our own reason to stop
};

int give_credential(git_credential** out, const char*, const char* user, unsigned int allowed, void* payload) {
  auto& fetch = *static_cast<Fetch*>(payload);
  const std::string name = user != nullptr && *user != '\0' ? user : fetch.from.username;
  if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, name.c_str());
  if (++fetch.asked > 1) {
    fetch.refused = "the host does not accept what we show; check username, token_file and ssh_key in manifests.git";
    return GIT_EUSER;
  }
  if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0 && !fetch.from.ssh_key.empty()) {
    return git_credential_ssh_key_new(out, name.c_str(), nullptr, fetch.from.ssh_key.c_str(), nullptr);
  }
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && !fetch.password.empty()) {
    return git_credential_userpass_plaintext_new(out, name.c_str(), fetch.password.reveal().c_str());
  }
  fetch.refused = "the host asks who we are; add token_file (https) or ssh_key (ssh) to manifests.git";
  return GIT_EUSER;
}

int check_host(git_cert* certificate, int valid, const char* host, void* payload) {
  auto& fetch = *static_cast<Fetch*>(payload);
  if (certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2) {
    if (valid != 0) return 0;
    fetch.refused = fmt::format(
        "the certificate of {} is not trusted here; add its authority to the system's, or name its file in "
        "manifests.git.ca_file",
        host);
    return GIT_ECERTIFICATE;
  }
  const auto* key = reinterpret_cast<const git_cert_hostkey*>(certificate);
  if ((key->type & GIT_CERT_SSH_RAW) != 0) {
    const auto known = is_known_host(fetch.from.known_hosts, fetch.from.url, {key->hostkey, key->hostkey_len});
    if (known.ok() && *known) return 0;
    if (!known.ok()) fetch.refused = known.error().text();
  }
  if (fetch.refused.empty()) {
    fetch.refused = fmt::format("the key that {} shows is not in {}; if it was changed on purpose, add it there", host,
                                fetch.from.known_hosts.string());
  }
  return GIT_ECERTIFICATE;
}

int watch_size(const git_indexer_progress* progress, void* payload) {
  if (progress->received_bytes <= kMostFetchedBytes) return 0;
  static_cast<Fetch*>(payload)->refused =
      fmt::format("more than {} MB are to be fetched at once; is this the right repository?", kMostFetchedBytes >> 20U);
  return GIT_EUSER;
}

class Libgit2Repository final : public GitRepository {
 public:
  explicit Libgit2Repository(git_repository* repository) { repository_.get = repository; }

  Result<std::string> fetch(const GitManifests& from, const Secret& password) override {
    // The library keeps one list for all it does; this process looks at one remote.
    if (!from.ca_file.empty() && git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, from.ca_file.c_str(), nullptr) != 0) {
      return Error(ErrorCode::Invalid,
                   fmt::format("manifests.git.ca_file {} cannot be used; write the path of a file with certificates "
                               "(PEM)",
                               from.ca_file.string()));
    }
    OwnRemote remote;
    if (git_remote_create_anonymous(&remote.get, repository_.get, from.url.c_str()) != 0) return damaged(from.url);
    Fetch state{from, password, 0, ""};
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.update_fetchhead = 0;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.prune = GIT_FETCH_NO_PRUNE;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    // Whoever answers elsewhere would be shown the password, too.
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    options.callbacks.payload = &state;
    options.callbacks.credentials = give_credential;
    options.callbacks.certificate_check = check_host;
    options.callbacks.transfer_progress = watch_size;
    git_remote_connect_options connect = GIT_REMOTE_CONNECT_OPTIONS_INIT;
    connect.callbacks = options.callbacks;
    connect.proxy_opts = options.proxy_opts;
    connect.follow_redirects = options.follow_redirects;
    if (git_remote_connect_ext(remote.get, GIT_DIRECTION_FETCH, &connect) != 0) {
      return not_reached(state);
    }
    const auto newest = TRY(newest_of(remote.get, from));
    git_oid wanted;
    if (git_oid_fromstr(&wanted, newest.c_str()) != 0) return damaged(from.url);
    OwnCommit there;
    if (git_commit_lookup(&there.get, repository_.get, &wanted) == 0) return newest;  // nothing is new
    auto refspec = fmt::format("+refs/heads/{}:{}", from.branch, kFetched);
    char* list[] = {refspec.data()};
    const git_strarray refspecs{list, 1};
    state.asked = 0;
    if (git_remote_fetch(remote.get, &refspecs, &options, nullptr) != 0) return not_reached(state);
    // The branch may have moved since it was listed: what was fetched is what counts.
    git_oid fetched;
    if (git_reference_name_to_id(&fetched, repository_.get, kFetched) != 0) return damaged(from.url);
    return std::string(git_oid_tostr_s(&fetched));
  }

  bool follows(const std::string& commit, const std::string& ancestor) const override {
    if (commit == ancestor) return true;
    git_oid newer;
    git_oid older;
    if (git_oid_fromstr(&newer, commit.c_str()) != 0 || git_oid_fromstr(&older, ancestor.c_str()) != 0) return false;
    return git_graph_descendant_of(repository_.get, &newer, &older) == 1;
  }

  Result<std::optional<CommitSignature>> signature(const std::string& commit) const override {
    git_oid id;
    if (git_oid_fromstr(&id, commit.c_str()) != 0) return damaged(commit);
    Buffer signature;
    Buffer content;
    const int code = git_commit_extract_signature(&signature.bytes, &content.bytes, repository_.get, &id, nullptr);
    if (code == GIT_ENOTFOUND) return std::optional<CommitSignature>();
    if (code != 0) return damaged(commit);
    return std::optional(CommitSignature{signature.text(), content.text()});
  }

  Result<CommitTexts> texts(const std::string& commit, const std::string& path) const override {
    git_oid id;
    OwnCommit found;
    OwnTree root;
    if (git_oid_fromstr(&id, commit.c_str()) != 0 || git_commit_lookup(&found.get, repository_.get, &id) != 0 ||
        git_commit_tree(&root.get, found.get) != 0) {
      return damaged(commit);
    }
    CommitTexts out;
    std::size_t bytes = 0;
    if (path.empty()) {
      TRY(walk(root.get, "", 0, out, bytes));
      return out;
    }
    OwnEntry entry;
    if (git_tree_entry_bypath(&entry.get, root.get, path.c_str()) != 0 ||
        git_tree_entry_type(entry.get) != GIT_OBJECT_TREE) {
      return Error(ErrorCode::NotFound, fmt::format("it has no folder '{}'; correct manifests.git.path", path));
    }
    OwnTree folder;
    if (git_tree_lookup(&folder.get, repository_.get, git_tree_entry_id(entry.get)) != 0) return damaged(path);
    TRY(walk(folder.get, path + "/", 0, out, bytes));
    return out;
  }

 private:
  static Error not_reached(const Fetch& state) {
    const auto* error = git_error_last();
    const bool ours = !state.refused.empty();
    const bool certificate = error != nullptr && (error->klass == GIT_ERROR_SSL || error->klass == GIT_ERROR_SSH);
    return Error(ours || certificate ? ErrorCode::Authentication : ErrorCode::Unavailable,
                 ours ? state.refused : library_says());
  }

  static Result<std::string> newest_of(git_remote* remote, const GitManifests& from) {
    const git_remote_head** heads = nullptr;
    std::size_t count = 0;
    if (git_remote_ls(&heads, &count, remote) != 0) return Error(ErrorCode::Unavailable, library_says());
    const auto wanted = "refs/heads/" + from.branch;
    std::vector<std::string> branches;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = heads[i]->name;
      if (name == wanted) return std::string(git_oid_tostr_s(&heads[i]->oid));
      if (name.starts_with("refs/heads/") && branches.size() < kBranchesNamed) branches.push_back(name.substr(11));
    }
    return Error(ErrorCode::NotFound,
                 fmt::format("it has no branch '{}'; {}", from.branch,
                             branches.empty() ? "it has no branch at all, push one"
                                              : fmt::format("it has: {}", fmt::join(branches, ", "))));
  }

  Result<void> walk(git_tree* tree, const std::string& prefix, int depth, CommitTexts& out, std::size_t& bytes) const {
    if (depth > kDeepestFolder) {
      return Error(ErrorCode::Invalid,
                   fmt::format("{} has more than {} folders below each other", prefix, kDeepestFolder));
    }
    for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
      const auto* entry = git_tree_entry_byindex(tree, i);
      const std::string name = git_tree_entry_name(entry);
      if (name.starts_with('.')) continue;
      const auto path = prefix + name;
      const bool manifest = name.ends_with(".yaml") || name.ends_with(".yml");
      const auto mode = git_tree_entry_filemode(entry);
      // Such a name would be another path on a disk.
      if (name.find('/') != std::string::npos || name.find('\\') != std::string::npos || has_control_character(name) ||
          name.size() > 255 || path.size() > 1024) {
        if (manifest)
          out.problems.push_back(fmt::format("{} cannot be the name of a manifest; rename it", shown(path)));
      } else if (mode == GIT_FILEMODE_LINK && manifest) {
        out.problems.push_back(
            fmt::format("{}: is a link, and links of a repository are not followed; put the file "
                        "itself there",
                        path));
      } else if (mode == GIT_FILEMODE_LINK || mode == GIT_FILEMODE_COMMIT) {
        out.warnings.push_back(fmt::format("{}: is a {}, and what it leads to was not looked at", path,
                                           mode == GIT_FILEMODE_LINK ? "link" : "submodule"));
      } else if (mode == GIT_FILEMODE_TREE) {
        OwnTree folder;
        if (git_tree_lookup(&folder.get, repository_.get, git_tree_entry_id(entry)) != 0) return damaged(path);
        TRY(walk(folder.get, path + "/", depth + 1, out, bytes));
      } else if (manifest) {
        TRY(take(path, entry, out, bytes));
      }
    }
    return {};
  }

  Result<void> take(const std::string& path, const git_tree_entry* entry, CommitTexts& out, std::size_t& bytes) const {
    OwnBlob blob;
    if (git_blob_lookup(&blob.get, repository_.get, git_tree_entry_id(entry)) != 0) return damaged(path);
    const auto size = static_cast<std::size_t>(git_blob_rawsize(blob.get));
    if (size > kMaxYamlBytes) {
      out.problems.push_back(
          fmt::format("{}: has {} bytes, at most {} are read; shorten it", path, size, kMaxYamlBytes));
      return {};
    }
    bytes += size;
    if (bytes > kMostManifestBytes || out.texts.size() >= kMostFiles) {
      return Error(ErrorCode::Invalid, fmt::format("it has more than {} manifests or {} MB of them; name the folder "
                                                   "that counts in manifests.git.path",
                                                   kMostFiles, kMostManifestBytes >> 20U));
    }
    out.texts[path] = std::string(static_cast<const char*>(git_blob_rawcontent(blob.get)), size);
    return {};
  }

  OwnRepository repository_;
};

}  // namespace

Result<std::unique_ptr<GitRepository>> open_git_repository(Files& files, const Path& folder) {
  start_library();
  TRY(files.make_folder(folder.parent_path()));
  git_repository* repository = nullptr;
  const bool there = files.exists(folder);
  if (there && git_repository_open_bare(&repository, folder.c_str()) == 0) {
    return std::unique_ptr<GitRepository>(std::make_unique<Libgit2Repository>(repository));
  }
  if (there) TRY(files.remove(folder));
  TRY(files.make_folder(folder));
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
  options.mode = 0700;
  if (git_repository_init_ext(&repository, folder.c_str(), &options) != 0) {
    return Error(ErrorCode::Io, fmt::format("{}: cannot make a repository: {}", folder.string(), library_says()));
  }
  return std::unique_ptr<GitRepository>(std::make_unique<Libgit2Repository>(repository));
}

}  // namespace audiencesync
