#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/value.h"
#include "engine/manifest/environment.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/problems.h"

namespace audiencesync {

/// Base URLs without a trailing slash: https, or http on the loopback interface.
struct Endpoints {
  std::string ims = "https://ims-na1.adobelogin.com";
  std::string platform = "https://platform.adobe.io";
  std::string analytics = "https://cja.adobe.io";

  friend bool operator==(const Endpoints&, const Endpoints&) = default;
};

/// The way into Query Service; what is not given is as the platform says.
struct QueryAccess {
  std::string credential;  // name for find_query_credential, of one that does not expire; "": the access token
  std::string address;     // IP address to connect to, instead of looking up the platform's host
  std::uint64_t port = 0;  // 0: the platform's

  friend bool operator==(const QueryAccess&, const QueryAccess&) = default;
};

/// One organisation and the way into it.
struct Organization {
  std::string organization_id;  // ...@AdobeOrg
  std::string credential;       // name for find_credential
  std::vector<std::string> sandboxes{"prod"};
  Endpoints endpoints;
  Path ca_file;                       // certificates to trust instead of the system's; "": the system's
  std::uint64_t rate = 20;            // calls of the platform in a second, by all syncs and commands together
  std::uint64_t analytics_rate = 60;  // likewise of Customer Journey Analytics, in a minute
  QueryAccess query_service;
  Place place;
};

/// How long to wait between looks, and how long altogether.
struct Timing {
  Duration poll_export = std::chrono::seconds{60};
  Duration poll_batch = std::chrono::seconds{120};
  Duration settle = std::chrono::seconds{90};  // until "nothing found" proves that a call had no effect
  Duration deadline_request = std::chrono::seconds{60};
  Duration deadline_export = std::chrono::hours{12};
  Duration deadline_batch = std::chrono::hours{6};
  Duration deadline_run = std::chrono::hours{24};
  Duration approval_ttl = std::chrono::hours{24};  // how long a held plan waits for an approval
  // How long the daemon leaves a sync alone after a run that failed: this long, doubled by each further failure.
  Duration retry_first = std::chrono::minutes{1};
  Duration retry_most = std::chrono::hours{1};

  friend bool operator==(const Timing&, const Timing&) = default;
};

/// How long one call of the platform is tried, after passing faults only.
struct CallRetry {
  std::uint64_t attempts = 8;                       // in all, the first one included
  Duration first = std::chrono::milliseconds{200};  // the most the first retry waits; doubles with each further one
  Duration most = std::chrono::seconds{30};         // where the doubling ends; what a server asks for is always waited
  Duration within = std::chrono::minutes{5};        // no attempt begins later than this after the call began

  friend bool operator==(const CallRetry&, const CallRetry&) = default;
};

/// What the process may use. Sizes in bytes; units in the file are decimal (256MB is 256,000,000).
struct Limits {
  std::uint64_t exports_per_sandbox = 1;
  std::uint64_t ingest_per_hour = 10'000'000'000;  // into one sandbox, by all syncs of a state folder
  std::uint64_t memory = 256'000'000;
  std::uint64_t disk = 100'000'000'000;  // of the state folder, with downloads, sorted runs and uploads
  // What the platform takes at most of one upload file, of one batch, and how many files of one batch.
  std::uint64_t upload_file = 200'000'000;
  std::uint64_t batch = 50'000'000'000;
  std::uint64_t batch_files = 1500;
  std::uint64_t runs = 2;  // of the daemon at the same time

  /// Most bytes of one batch: more than what may be ingested in an hour could never be sent at once.
  std::uint64_t largest_batch() const { return ingest_per_hour < batch ? ingest_per_hour : batch; }

  friend bool operator==(const Limits&, const Limits&) = default;
};

/// A branch of a remote repository that the manifests come from.
struct GitManifests {
  std::string url;  // https://, ssh://, user@host:path, file:// or an absolute path
  std::string branch = "main";
  std::string path;                          // folder in the repository, without slashes at its ends; "" for all of it
  Duration poll = std::chrono::seconds{60};  // between two looks at the remote
  Duration deadline = std::chrono::minutes{5};  // for one look
  bool require_signature = false;               // only commits signed by one of those below count
  Path allowed_signers;                         // of SSH signatures, as of ssh-keygen; "" for none
  Path keyring;                                 // of OpenPGP signatures, as of gpgv; "" for none
  std::string username = "git";                 // with token_file or ssh_key
  Path token_file;                              // password for https; "" for none
  Path ssh_key;                                 // private key without passphrase; "" for none
  Path known_hosts;                             // keys of ssh hosts; needed with an ssh address
  Path ca_file;                                 // certificates to trust instead of the system's; "": the system's

  friend bool operator==(const GitManifests&, const GitManifests&) = default;
};

/// Where the daemon answers `plan --server`.
struct Listen {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  Path certificate;  // "": plain HTTP, on loopback only
  Path key;
  Path token_file;                               // what a client has to show
  Duration deadline = std::chrono::minutes{10};  // for one plan
  std::uint64_t plans = 2;                       // that are made at a time

  friend bool operator==(const Listen&, const Listen&) = default;
};

/// The settings file, checked and with every default filled in. Paths are absolute when the file's path was.
struct Settings {
  std::string file;  // as given to load_settings
  Path folder;       // its folder: relative paths in it start here, credentials are looked for here
  Path state = "/var/lib/audiencesync";
  Path manifests_folder = "/etc/audiencesync/manifests.d";
  std::optional<GitManifests> git;  // instead of the folder
  std::optional<Listen> listen;
  std::vector<Path> source_folders;  // that manifests may read profiles from
  std::map<std::string, Organization> organizations;
  Timing timing;
  CallRetry retry;
  Limits limits;
  std::vector<std::string> variables;  // environment variables a manifest may use
};

/// Reads and checks the settings file; all problems at once.
Loaded<Settings> load_settings(const Files& files, const Path& path);

/// What these settings allow manifests, with the values of the listed variables as `environment` has them now.
ManifestRules manifest_rules(const Settings& settings, const Environment& environment);

/// JSON Schema (draft 2020-12) of the settings file of this version.
Value settings_json_schema();

}  // namespace audiencesync
