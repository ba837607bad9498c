# oneDNN as DNNL::dnnl: the system's package if it is new enough, else the one in SHOESTRING_DEPS.
find_package(DNNL ${DNNL_FIND_VERSION} CONFIG QUIET)
if(DNNL_FOUND AND TARGET DNNL::dnnl)
  return()
endif()

find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h PATHS ${SHOESTRING_DEPS}/include NO_DEFAULT_PATH
          NO_CMAKE_FIND_ROOT_PATH)
find_file(DNNL_LIBRARY libdnnl.so.3 PATHS ${SHOESTRING_DEPS}/lib NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DNNL REQUIRED_VARS DNNL_LIBRARY DNNL_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "run tools/setup")
mark_as_advanced(DNNL_INCLUDE_DIR DNNL_LIBRARY)
if(DNNL_FOUND)
  add_library(DNNL::dnnl SHARED IMPORTED GLOBAL)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY} IMPORTED_SONAME libdnnl.so.3
                        INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE_DIR})
endif()
