# Warnings are errors in our own code; third-party headers are included as system headers.
add_library(audiencesync_warnings INTERFACE)
target_compile_options(audiencesync_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wnull-dereference
  -Werror=return-type -Werror=switch)
# With optimisation GCC 12 sees null pointers, unset members and overlaps in inlined std::string, std::variant and Result where
# there are none; what these two would find, the sanitizers find in the tests.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" OR CMAKE_CXX_FLAGS_DEBUG MATCHES "-O[1-3]")
  target_compile_options(audiencesync_warnings INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict)
endif()
# In a unity build every .cpp is a header to the compiler, so what is private to one looks as if it were shared.
if(CMAKE_UNITY_BUILD)
  target_compile_options(audiencesync_warnings INTERFACE -Wno-subobject-linkage)
endif()
if(AUDIENCESYNC_WERROR)
  target_compile_options(audiencesync_warnings INTERFACE -Werror)
endif()
