#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

/// A call that access control forbids.
struct Denial {
  std::string method;  // or "*"
  std::string path;    // exact, or with `*` for any run of characters
};

/// What `PUT /_emulator/settings` changes. All delays are real time plus the clock's offset.
struct Settings {
  std::string row_rule = "replace_record";         // replace_record | merge_fields | accumulate
  std::string delete_batch = "hide";               // hide | resurrect_previous
  std::string empty_list = "clears";               // clears | ignored
  std::chrono::milliseconds export_delay{0};       // NEW -> SUCCEEDED
  std::chrono::milliseconds export_visibility{0};  // SUCCEEDED -> its batch is success in the catalog
  std::chrono::milliseconds batch_delay{0};        // COMPLETE -> success
  std::chrono::milliseconds list_lag{0};           // a new dataset, batch, job, schema is absent from lists that long
  std::chrono::milliseconds table_tag_delay{0};    // the tag adobe/pqs/table appears that long after creation
  std::chrono::milliseconds hygiene_delay{0};      // a dataset whose time has come -> its end
  std::chrono::milliseconds preview_delay{0};      // a preview asked for -> its numbers
  std::chrono::milliseconds abandon_after{24LL * 3600 * 1000};  // a batch left loading
  std::chrono::seconds token_lifetime{86399};
  std::uint64_t page_cap = 100;                                 // the largest page any list hands out
  std::uint64_t rows_per_part = 100'000;                        // rows per Parquet part file of an export
  std::uint64_t upload_cap = 256ULL << 20;                      // one PUT
  bool port_in_links = true;                                    // hrefs of data access carry :443
  std::chrono::milliseconds analytics_delay{90LL * 60 * 1000};  // batch success -> its rows in connections
  std::chrono::milliseconds analytics_delete_delay{0};          // batch withdrawn -> its rows gone from connections
  std::chrono::milliseconds backfill_delay{0};                  // backfill asked for -> completed
  std::chrono::milliseconds analytics_cache{60LL * 1000};       // how old an answer without cached=false may be
  std::string page_dialect = "live";                            // live | spring
  std::string dataview_put = "overwrite";                       // overwrite | partial
  bool analytics_rate_limit = false;                            // 12 calls in 6 s for each key
  bool visibility_requires_event = true;                        // people without an event are in no report
  std::uint64_t substring_array_cap = 10;                       // values a delimited text is split into
  std::chrono::milliseconds report_duration{0};                 // of a report over 30 days with 1000 rows
  std::chrono::milliseconds report_cutoff{60LL * 1000};         // a longer one is cut with 504; 0 never cuts
  bool query_batch = true;                                      // CREATE TABLE AS and INSERT INTO are licensed
  bool query_plain = false;                                     // PostgreSQL without TLS is let in
  bool query_cursors_capped = true;                             // a cursor gives no more rows than a SELECT
  std::uint64_t query_row_cap = 50'000;                         // rows of an interactive SELECT without LIMIT
  std::uint64_t query_limit_max = 100'000;                      // a larger LIMIT is an error
  std::uint64_t query_sessions = 5;                             // PostgreSQL sessions at a time
  std::chrono::milliseconds query_timeout{10LL * 60 * 1000};    // of an interactive statement
  std::chrono::milliseconds query_delay{0};                     // a query posted by REST -> its end
  std::vector<Denial> deny;
};

}  // namespace emulator
