#include "engine/membership/block_format.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

namespace audiencesync {
namespace {

constexpr int kKeptLevel = 1;
constexpr int kTemporaryLevel = -5;

ZSTD_CCtx* as_compressor(void* context) { return static_cast<ZSTD_CCtx*>(context); }
ZSTD_DCtx* as_expander(void* context) { return static_cast<ZSTD_DCtx*>(context); }

}  // namespace

std::uint64_t block_checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t block_checksum(std::string_view first, std::string_view second) {
  XXH3_state_t* const state = XXH3_createState();
  XXH3_64bits_reset(state);
  XXH3_64bits_update(state, first.data(), first.size());
  XXH3_64bits_update(state, second.data(), second.size());
  const auto checksum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return checksum;
}

BlockCompressor::BlockCompressor(Use use) : level_(use == Use::Kept ? kKeptLevel : kTemporaryLevel) {}

BlockCompressor::~BlockCompressor() {
  ZSTD_freeCCtx(as_compressor(compressor_));
  ZSTD_freeDCtx(as_expander(expander_));
}

Result<void> BlockCompressor::compress(std::string_view raw, std::string& out) {
  if (compressor_ == nullptr) compressor_ = ZSTD_createCCtx();
  out.resize(ZSTD_compressBound(raw.size()));
  const auto size =
      ZSTD_compressCCtx(as_compressor(compressor_), out.data(), out.size(), raw.data(), raw.size(), level_);
  if (ZSTD_isError(size) != 0) {
    return Error(ErrorCode::Internal, fmt::format("zstd cannot compress a block: {}", ZSTD_getErrorName(size)));
  }
  out.resize(size);
  return {};
}

Result<void> BlockCompressor::expand(std::string_view stored, std::size_t raw_size, std::string& out) {
  if (expander_ == nullptr) expander_ = ZSTD_createDCtx();
  if (raw_size > kBlockLargest) return Error(ErrorCode::Corrupt, "a block claims to be larger than any can be");
  out.resize(raw_size);
  const auto size = ZSTD_decompressDCtx(as_expander(expander_), out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != raw_size) {
    return Error(ErrorCode::Corrupt, "a block cannot be decompressed to the size it claims");
  }
  return {};
}

}  // namespace audiencesync
