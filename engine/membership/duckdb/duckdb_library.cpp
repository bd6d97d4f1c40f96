#include "engine/membership/duckdb/duckdb_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cassert>

namespace audiencesync {
namespace {

constexpr const char* kDuckdbFile = "libduckdb.so";

}  // namespace

DuckdbLibrary::Symbol DuckdbLibrary::symbol(const char* name) {
  void* const address = dlsym(handle_, name);
  if (address == nullptr) missing_ = name;
  return Symbol(address);
}

Result<const DuckdbLibrary*> DuckdbLibrary::load() {
  void* const handle = dlopen(kDuckdbFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error(
        ErrorCode::Unsupported,
        fmt::format("the DuckDB library cannot be loaded ({}); install the package audiencesync-duckdb", dlerror()));
  }
  static const DuckdbLibrary library(handle);
  if (library.missing_ != nullptr) {
    return Error(ErrorCode::Unsupported,
                 fmt::format("{} has no function {}; install the package audiencesync-duckdb of this version",
                             kDuckdbFile, library.missing_));
  }
  return &library;
}

Result<const DuckdbLibrary*> DuckdbLibrary::find() {
  static const auto loaded = load();
  return loaded;
}

const DuckdbLibrary& duckdb() {
  static const DuckdbLibrary* const library = [] {
    const auto found = DuckdbLibrary::find();
    assert(found.ok());
    return *found;
  }();
  return *library;
}

}  // namespace audiencesync
