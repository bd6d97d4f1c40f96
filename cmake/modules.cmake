# audiencesync_module(NAME [LINKS ...] [PRIVATE_LINKS ...] [EXCLUDE regex])
#
# One folder is one static library: every .cpp of the calling folder (not of its subfolders).
# LINKS are the modules and libraries its headers need; they are also what it may include.
function(audiencesync_module name)
  cmake_parse_arguments(ARG "" "" "LINKS;PRIVATE_LINKS;PCH" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS} audiencesync_warnings)
    if(ARG_PCH)
      target_precompile_headers(${name} PRIVATE ${ARG_PCH})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} INTERFACE ${ARG_LINKS})
  endif()
endfunction()

# Where the time goes: loops over columns and rows that the compiler unrolls and turns into wide operations at -O3 only.
# What is built without optimisation stays so.
function(audiencesync_optimise_further name)
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O3>)
endfunction()

# Test cases are compiled oftener than they are run: optimising them takes longer than it saves, and the instrumentation
# for undefined behaviour triples the compiler's work. What they test is built as the preset says.
function(audiencesync_compile_quickly name)
  target_compile_options(${name} PRIVATE -O0)
  if(CMAKE_CXX_FLAGS_DEBUG MATCHES "undefined" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined)
  endif()
endfunction()

# audiencesync_tests(NAME LINKS ...): every *_test.cpp of the calling folder, one gtest program.
function(audiencesync_tests name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest_main GTest::gmock audiencesync_warnings)
  audiencesync_compile_quickly(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()
