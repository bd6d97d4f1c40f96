#include "daemon/gitops/commit_signature.h"

#include <fmt/format.h>

#include <sstream>

#include "daemon/gitops/run_tool.h"

namespace audiencesync {
namespace {

constexpr std::chrono::seconds kPatience{20};

Error refuse(std::string why) { return Error(ErrorCode::Refused, std::move(why)); }

Result<void> expect_file(const Files& files, const Path& path, const char* key) {
  if (files.exists(path)) return {};
  return Error(ErrorCode::NotFound,
               fmt::format("{}: there is no such file; put it there, or correct manifests.git.{}", path.string(), key));
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Result<std::string> check_ssh(Files& files, const Path& file, const CommitSignature& signed_by,
                              const Signers& signers) {
  if (signers.allowed_signers.empty()) {
    return refuse("it is signed with an SSH key, and manifests.git.allowed_signers names none that may");
  }
  TRY(expect_file(files, signers.allowed_signers, "allowed_signers"));
  const auto allowed = signers.allowed_signers.string();
  const std::string tool = "/usr/bin/ssh-keygen";
  const auto found =
      TRY(run_tool({tool, "-Y", "find-principals", "-s", file.string(), "-f", allowed}, signed_by.content, kPatience));
  const auto principal = first_line(found.out);
  if (found.code != 0 || principal.empty()) {
    return refuse(fmt::format("it is signed with an SSH key that {} does not list", allowed));
  }
  const auto checked =
      TRY(run_tool({tool, "-Y", "verify", "-n", "git", "-I", principal, "-s", file.string(), "-f", allowed},
                   signed_by.content, kPatience));
  if (checked.code == 0) return principal;
  return refuse(fmt::format("its SSH signature is not one of {}", principal));
}

Result<std::string> check_pgp(Files& files, const Path& file, const CommitSignature& signed_by,
                              const Signers& signers) {
  if (signers.keyring.empty()) {
    return refuse("it is signed with an OpenPGP key, and manifests.git.keyring names none that may");
  }
  TRY(expect_file(files, signers.keyring, "keyring"));
  const auto checked = TRY(run_tool({"/usr/bin/gpgv", "--status-fd", "1", "--keyring",
                                     std::filesystem::absolute(signers.keyring).string(), file.string(), "-"},
                                    signed_by.content, kPatience));
  std::istringstream lines(checked.out);
  std::string key;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mark;
    std::string what;
    words >> mark >> what;
    if (mark != "[GNUPG:]") continue;
    if (what == "VALIDSIG") words >> key;
    // Whatever else holds, these do not count.
    if (what == "REVKEYSIG" || what == "EXPKEYSIG" || what == "EXPSIG") {
      return refuse("the OpenPGP key of its signature is revoked or has expired");
    }
  }
  if (checked.code == 0 && !key.empty()) return key;
  return refuse(fmt::format("its OpenPGP signature is of no key in {}", signers.keyring.string()));
}

}  // namespace

Result<std::string> check_signature(Files& files, const Path& scratch, const std::optional<CommitSignature>& signature,
                                    const Signers& signers) {
  if (!signature) {
    return refuse(
        "it is not signed, and manifests.git.require_signature wants a signature; sign it: git commit "
        "--amend -S");
  }
  TRY(files.make_folder(scratch));
  const auto file = scratch / "signature";
  TRY(files.write_atomic(file, signature->signature));
  const bool ssh = signature->signature.starts_with("-----BEGIN SSH SIGNATURE-----");
  auto signer = ssh ? check_ssh(files, file, *signature, signers) : check_pgp(files, file, *signature, signers);
  TRY(files.remove(scratch));
  return signer;
}

}  // namespace audiencesync
