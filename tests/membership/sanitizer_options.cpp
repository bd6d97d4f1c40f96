// DuckDB comes as a prebuilt library without ThreadSanitizer's marks, so its own locking is invisible to it and every
// task it hands from thread to thread looks like a race. Our code never shares anything with DuckDB's threads: rows
// are delivered on the calling thread.
#ifdef __SANITIZE_THREAD__
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:libduckdb.so\n"; }
#endif
