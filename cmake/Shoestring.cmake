# The project's own CMake vocabulary: shoestring_parse_once, shoestring_library, shoestring_operator_list, shoestring_test.

# shoestring_parse_once(TARGET HEADER... | REUSE_FROM OTHER)
# Headers that most files of a target read are parsed once: a third of what a build takes. Not with a compiler launcher
# such as ccache, which does better without, nor with sanitizers, where compiling is what takes the time.
function(shoestring_parse_once target)
  if(NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT SHOESTRING_SANITIZE AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    if(ARGV1 STREQUAL "REUSE_FROM")
      target_precompile_headers(${target} ${ARGN})
    else()
      target_precompile_headers(${target} PRIVATE ${ARGN})
    endif()
    if(NOT ARGN OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      return()
    endif()
    # g++ 12's false alarms in the standard library, which it keeps to itself where headers are not precompiled.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
                           -Wno-stringop-overread -Wno-maybe-uninitialized)
  endif()
endfunction()

# shoestring_library(FOLDER [DEPS folder...] [PUBLIC target...] [PRIVATE target...] [PARSE_ONCE header...])
# The target shoestring_FOLDER from every .cpp in src/FOLDER. DEPS are other folders of src/, PUBLIC and
# PRIVATE are third-party targets; a library whose headers only our .cpp files include is PRIVATE.
# A folder without sources yet is an interface target, so that its users need not care.
function(shoestring_library folder)
  cmake_parse_arguments(arg "" "" "DEPS;PUBLIC;PRIVATE;PARSE_ONCE" ${ARGN})
  set(name shoestring_${folder})
  list(TRANSFORM arg_DEPS PREPEND shoestring_)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp
       ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/shared/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/vision/*.cpp)
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_DEPS} ${arg_PUBLIC})
    target_include_directories(${name} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} shoestring_flags)
  if(arg_PARSE_ONCE)
    shoestring_parse_once(${name} ${arg_PARSE_ONCE})
  endif()
  set_property(GLOBAL APPEND PROPERTY SHOESTRING_ARCHIVES ${name})
endfunction()

# shoestring_operator_list(TARGET)
# Compiles into TARGET the list of operators, made from the file names in src/ops: NAME.cpp defines
#   namespace shoestring::ops { extern const OpDef NAME_op; }
# ops.cpp, and what operators share in src/ops/shared, are no operators.
# The list is std::span<const OpDef* const> shoestring::ops::all(), in alphabetical order.
function(shoestring_operator_list target)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/ops/*.cpp)
  list(SORT files)
  set(OPERATOR_DECLARATIONS "")
  set(OPERATOR_ADDRESSES "")
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    if(name STREQUAL "ops")
      continue()
    endif()
    string(APPEND OPERATOR_DECLARATIONS "extern const OpDef ${name}_op;\n")
    string(APPEND OPERATOR_ADDRESSES "    &${name}_op,\n")
  endforeach()
  get_target_property(type ${target} TYPE)
  if(OPERATOR_ADDRESSES AND NOT type STREQUAL "INTERFACE_LIBRARY")
    set(list ${CMAKE_BINARY_DIR}/generated/ops_list.cpp)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/ops_list.cpp.in ${list} @ONLY)
    target_sources(${target} PRIVATE ${list})
  endif()
endfunction()

# shoestring_test(NAME LABEL FOLDER DEPS target... PARSE_ONCE header... [PARTS "PART ARGUMENTS"...])
# An executable from every .cpp in FOLDER, run from the repository's root with SHOESTRING_BINARY naming
# the program. With GoogleTest's main, ctest knows each TEST; a FOLDER with a main() of its own is one test,
# or one for each part, NAME.PART, run with those arguments.
function(shoestring_test name label folder)
  cmake_parse_arguments(arg "" "" "DEPS;PARTS;PARSE_ONCE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gtest_main shoestring_flags)
  shoestring_parse_once(${name} ${arg_PARSE_ONCE})
  set_property(GLOBAL APPEND PROPERTY SHOESTRING_TEST_TARGETS ${name})
  set(environment SHOESTRING_BINARY=${CMAKE_BINARY_DIR}/shoestring)
  if(NOT label STREQUAL ops)  # which has guards and poison of its own, and plans of nothing but empty values
    list(APPEND environment SHOESTRING_CHECK_MEMORY=1)
  endif()
  if(SHOESTRING_SANITIZE)
    # The sanitizers' dlopen looks past our run path. (gtest_discover_tests takes one variable only; this way
    # it takes more.)
    set_target_properties(${name} PROPERTIES CROSSCOMPILING_EMULATOR
                          "env;LD_LIBRARY_PATH=${CMAKE_BINARY_DIR};UBSAN_OPTIONS=print_stacktrace=1")
  endif()

  set(own_main OFF)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} main REGEX "^int main\\(")
    if(main)
      set(own_main ON)
    endif()
  endforeach()
  if(own_main)
    if(NOT arg_PARTS)
      set(arg_PARTS "-")  # one, without a name
    endif()
    foreach(part IN LISTS arg_PARTS)
      separate_arguments(arguments UNIX_COMMAND "${part}")
      list(POP_FRONT arguments part)
      string(REGEX REPLACE "[.]-$" "" test "${name}.${part}")
      add_test(NAME ${test} COMMAND ${name} ${arguments} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT 600 ENVIRONMENT "${environment}")
    endforeach()
  else()
    gtest_discover_tests(${name} TEST_PREFIX "${label}." DISCOVERY_MODE PRE_TEST
                         WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${label} TIMEOUT 300 ENVIRONMENT "${environment}")
  endif()
endfunction()
