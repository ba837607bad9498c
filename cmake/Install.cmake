# cmake --install and cpack: a prefix that can be moved as a whole.
#   bin/shoestring
#   include/shoestring/         the public API
#   lib/libshoestring.a         every archive of ours in one
#   lib/shoestring/             our modules, and the shared libraries that are no part of a bare Debian
#   lib/cmake/Shoestring/       find_package(Shoestring): a target that needs nothing but this prefix
set(private_libdir lib/shoestring)

# libstdc++ and libgcc must be at least as new as everything else in a process, so they are always the system's.
install(TARGETS shoestring RUNTIME_DEPENDENCY_SET bundled RUNTIME DESTINATION bin)
get_property(modules GLOBAL PROPERTY SHOESTRING_MODULES)
install(TARGETS ${modules} RUNTIME_DEPENDENCY_SET bundled LIBRARY DESTINATION ${private_libdir})
install(RUNTIME_DEPENDENCY_SET bundled
  DIRECTORIES ${SHOESTRING_DEPS}/lib
  PRE_EXCLUDE_REGEXES "^lib(c|m|dl|rt|pthread|stdc\\+\\+|gcc_s|z|asan|ubsan|tsan)\\.so" "^ld-linux"
  LIBRARY DESTINATION ${private_libdir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION include OPTIONAL)
install(DIRECTORY ${SHOESTRING_DEPS}/licenses DESTINATION share/doc/shoestring OPTIONAL)
install(FILES LICENSE DESTINATION share/doc/shoestring)

get_property(archives GLOBAL PROPERTY SHOESTRING_ARCHIVES)
set(script "create libshoestring.a\n")
foreach(archive IN LISTS archives)
  string(APPEND script "addlib $<TARGET_FILE:${archive}>\n")
endforeach()
string(APPEND script "save\nend\n")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/libshoestring.mri CONTENT "${script}")
install(CODE "
  execute_process(COMMAND ${CMAKE_AR} -M INPUT_FILE ${CMAKE_BINARY_DIR}/generated/libshoestring.mri
                  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${CMAKE_BINARY_DIR}/libshoestring.a DESTINATION lib)

include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/ShoestringConfig.cmake.in ${CMAKE_BINARY_DIR}/generated/ShoestringConfig.cmake
                              INSTALL_DESTINATION lib/cmake/Shoestring)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/ShoestringConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/ShoestringConfig.cmake
              ${CMAKE_BINARY_DIR}/generated/ShoestringConfigVersion.cmake
        DESTINATION lib/cmake/Shoestring)

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_VENDOR Shoestring)
set(CPACK_PACKAGE_FILE_NAME shoestring-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES OFF)
set(CPACK_THREADS 0)
include(CPack)
