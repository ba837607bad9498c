# Every third-party library, found once. tools/setup installs them: Debian's packages, and what
# Debian lacks under SHOESTRING_DEPS (build/deps).
if(DEFINED ENV{SHOESTRING_DEPS})
  set(default_deps $ENV{SHOESTRING_DEPS})
else()
  set(default_deps ${CMAKE_CURRENT_SOURCE_DIR}/build/deps)
endif()
set(SHOESTRING_DEPS ${default_deps} CACHE PATH "Where tools/setup put oneDNN and Arrow")

# shoestring_find_library(NAME LIBRARY HEADER): the target NAME::NAME of a library that brings no CMake package.
function(shoestring_find_library name library header)
  find_library(${name}_LIBRARY ${library} REQUIRED)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  add_library(${name}::${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${name}::${name} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
endfunction()

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(hwy REQUIRED)
find_package(DNNL 3.2 REQUIRED)

if(NOT SHOESTRING_OPS_ONLY)
  find_package(Arrow 26 REQUIRED)
  find_package(Parquet 26 REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(SQLite3 REQUIRED)
  find_package(JPEG REQUIRED)
  shoestring_find_library(SPNG spng spng.h)
  shoestring_find_library(WebP webp webp/decode.h)
  find_package(simdjson REQUIRED)
  find_package(OpenSSL 3 REQUIRED)
  find_package(Boost 1.81 REQUIRED)  # headers only
  # Not a library: a script that reports carry with them.
  find_file(SHOESTRING_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH
            DOC "Chart.js 3, as one file")
  if(NOT SHOESTRING_CHART_JS)
    message(FATAL_ERROR "Chart.js is missing: run tools/setup, or give -DSHOESTRING_CHART_JS=FILE")
  endif()
  if(SHOESTRING_TESTS)
    find_package(GTest REQUIRED)
  endif()
endif()
