#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "engine/store/sqlite/sqlite_schema.h"
#include "tests/store/scratch.h"

namespace audiencesync {
namespace {

using testing::HasSubstr;

unsigned mode_of(const Path& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0;
}

class SqliteFileTest : public testing::Test {
 protected:
  // A state with something in it, closed.
  void make_state() {
    auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
    const auto run = must(store->begin_run("loyalty", "d", Value::Object{}, at(1)));
    for (int i = 0; i < 200; ++i) must(store->open_change(run.id, change_named(fmt::format("c{}", i)), at(2)));
  }
  void overwrite(std::streamoff offset, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(offset);
    stream << bytes;
    ASSERT_TRUE(stream.good());
  }
  void run_on_file(const char* sql) {
    auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
    must(database->run_script(sql, "prepare the test"));
  }
  Error failure(OpenMode mode = OpenMode::ReadWrite) {
    auto store = open_sqlite_store(file, mode);
    if (store.ok()) {
      ADD_FAILURE() << "the state opened";
      return Error(ErrorCode::Internal, "opened");
    }
    return std::move(store).error();
  }

  Scratch scratch;
  Path file = scratch.folder() / "state" / "store.db";
};

TEST_F(SqliteFileTest, StateIsPrivateWhateverTheUmask) {
  const auto old = ::umask(0);
  auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  must(store->begin_run("loyalty", "d", Value(), at(1)));
  ::umask(old);

  EXPECT_EQ(mode_of(file.parent_path()), 0700U);
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(mode_of(file.string() + "-wal"), 0600U);
  EXPECT_EQ(mode_of(file.string() + "-shm"), 0600U);
}

TEST_F(SqliteFileTest, AStateThatOthersCouldReadBecomesPrivate) {
  make_state();
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  must(open_sqlite_store(file, OpenMode::ReadWrite));
  EXPECT_EQ(mode_of(file), 0600U);
}

TEST_F(SqliteFileTest, AnEmptyFileIsMigratedToTheNewestVersion) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file).close();
  auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  must(store->begin_run("loyalty", "d", Value(), at(1)));
  store.reset();

  auto database = must(SqliteDatabase::open(file, OpenMode::ReadOnly));
  EXPECT_EQ(must(database->number("PRAGMA user_version", "read")), schema_version());
  EXPECT_EQ(must(database->number("SELECT count(*) FROM runs", "read")), 1);
}

TEST_F(SqliteFileTest, ReadingBeforeAnythingWasAppliedIsNotFound) {
  EXPECT_EQ(failure(OpenMode::ReadOnly).code(), ErrorCode::NotFound);
  EXPECT_FALSE(std::filesystem::exists(file.parent_path())) << "a reader made the folder";
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file).close();
  EXPECT_EQ(failure(OpenMode::ReadOnly).code(), ErrorCode::NotFound);
}

TEST_F(SqliteFileTest, AFlippedHeaderIsCorruptAndSaysTheWayOut) {
  make_state();
  overwrite(0, "XXXXXX");
  for (const auto mode : {OpenMode::ReadWrite, OpenMode::ReadOnly}) {
    const auto error = failure(mode);
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    EXPECT_THAT(error.text(), HasSubstr(file.string()));
    EXPECT_THAT(error.text(), HasSubstr("move it away"));
  }
}

TEST_F(SqliteFileTest, ATruncatedFileIsCorrupt) {
  make_state();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2 / 4096 * 4096);
  EXPECT_EQ(failure().code(), ErrorCode::Corrupt);
}

TEST_F(SqliteFileTest, AFlippedPageIsFoundBeforeAnythingBuildsOnIt) {
  make_state();
  const auto pages = std::filesystem::file_size(file) / 4096;
  ASSERT_GT(pages, 10U);
  for (std::uintmax_t page = 1; page < pages; ++page) overwrite(static_cast<std::streamoff>(page * 4096), "\x33\x33");
  EXPECT_EQ(failure().code(), ErrorCode::Corrupt);
}

TEST_F(SqliteFileTest, DamagedJsonIsCorruptNotGuessed) {
  make_state();
  run_on_file("UPDATE changes SET change = '{\"stage\":' WHERE id = 7");
  auto store = must(open_sqlite_store(file, OpenMode::ReadWrite));
  const auto open = store->open_changes("loyalty");
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code(), ErrorCode::Corrupt);
  EXPECT_THAT(open.error().text(), HasSubstr("change 7"));
}

TEST_F(SqliteFileTest, ANewerVersionIsUnsupportedAndLeftAlone) {
  make_state();
  run_on_file("PRAGMA user_version = 99");
  for (const auto mode : {OpenMode::ReadWrite, OpenMode::ReadOnly}) {
    const auto error = failure(mode);
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_THAT(error.text(), HasSubstr("version 99"));
  }
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadOnly));
  EXPECT_EQ(must(database->number("PRAGMA user_version", "read")), 99);
}

TEST_F(SqliteFileTest, TheDatabaseOfAnotherProgramIsRefused) {
  std::filesystem::create_directories(file.parent_path());
  run_on_file("CREATE TABLE bookmarks (url TEXT)");
  EXPECT_EQ(failure().code(), ErrorCode::Corrupt);
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadOnly));
  EXPECT_EQ(must(database->number("SELECT count(*) FROM sqlite_schema", "read")), 1) << "tables were added to it";
}

TEST_F(SqliteFileTest, AReaderSeesWhatAWriterCommittedAndCannotWrite) {
  auto writer = must(open_sqlite_store(file, OpenMode::ReadWrite));
  must(writer->begin_run("loyalty", "d", Value(), at(1)));

  const auto reader = must(open_sqlite_store(file, OpenMode::ReadOnly));
  EXPECT_TRUE(must(reader->last_run("loyalty")).has_value());
  must(writer->begin_run("churn", "d", Value(), at(2)));
  EXPECT_TRUE(must(reader->last_run("churn")).has_value());

  EXPECT_EQ(reader->begin_run("other", "d", Value(), at(3)).error().code(), ErrorCode::Internal);
  EXPECT_EQ(reader->remember("loyalty", "k", 1).error().code(), ErrorCode::Internal);
  EXPECT_EQ(must(writer->syncs()).size(), 2U);
}

TEST_F(SqliteFileTest, AReaderDoesNotWaitForAnOpenTransaction) {
  make_state();
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
  auto transaction = must(SqliteTransaction::begin(*database, "write"));
  must(database->run("UPDATE runs SET verdict = 'half'", "write"));

  const auto reader = must(open_sqlite_store(file, OpenMode::ReadOnly));

  EXPECT_EQ(must(reader->last_run("loyalty"))->verdict, "");
}

TEST_F(SqliteFileTest, AFullDiskIsNoSpaceAndTheStateStaysUsable) {
  make_state();
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
  must(database->run_script("PRAGMA max_page_count = 1", "limit the file"));  // as many pages as there are now
  {
    auto transaction = must(SqliteTransaction::begin(*database, "write"));
    const std::string large(100'000, 'x');
    const auto full = database->run("INSERT INTO remembered VALUES ('u', 'k', ?)", "remember a value", {large});
    ASSERT_FALSE(full.ok());
    EXPECT_EQ(full.error().code(), ErrorCode::NoSpace);
    EXPECT_THAT(full.error().text(), HasSubstr("cannot remember a value"));
    EXPECT_EQ(full.error().text().find("xxxx"), std::string::npos);
  }
  EXPECT_EQ(must(database->number("SELECT count(*) FROM remembered", "read")), 0);
  EXPECT_EQ(must(database->number("SELECT count(*) FROM changes", "read")), 200);
}

TEST_F(SqliteFileTest, ATransactionThatIsDroppedLeavesNothing) {
  make_state();
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
  {
    auto transaction = must(SqliteTransaction::begin(*database, "write"));
    must(database->run("DELETE FROM changes", "write"));
  }
  EXPECT_EQ(must(database->number("SELECT count(*) FROM changes", "read")), 200);
}

TEST_F(SqliteFileTest, ErrorsNameWhatWasDoneAndNeverTheValue) {
  make_state();
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
  must(database->run("INSERT INTO quarantine VALUES ('r', 'ada@example.org', '', '', 0, 0)", "store the quarantine"));
  const auto twice = database->run("INSERT INTO quarantine VALUES ('r', ?, '', '', 0, 0)", "store the quarantine",
                                   {std::string_view("ada@example.org")});
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), HasSubstr("cannot store the quarantine"));
  EXPECT_EQ(twice.error().text().find("ada"), std::string::npos);
}

TEST_F(SqliteFileTest, OrphansAreImpossible) {
  make_state();
  auto database = must(SqliteDatabase::open(file, OpenMode::ReadWrite));
  EXPECT_FALSE(database->run("INSERT INTO changes (run, change, opened) VALUES (99, '{}', 0)", "write").ok());
  EXPECT_FALSE(database->run("DELETE FROM runs", "write").ok());
  EXPECT_FALSE(database
                   ->run("INSERT INTO runs (uid, definition, manifest, started) VALUES ('loyalty','','null',0)",
                         "open a second run")
                   .ok());
}

}  // namespace
}  // namespace audiencesync
