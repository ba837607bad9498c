# Apache Arrow as Arrow::arrow_shared: the system's package of that version, else the one in SHOESTRING_DEPS.
find_package(Arrow ${Arrow_FIND_VERSION} CONFIG QUIET)
if(Arrow_FOUND AND TARGET Arrow::arrow_shared)
  return()
endif()

find_path(Arrow_INCLUDE_DIR arrow/api.h PATHS ${SHOESTRING_DEPS}/include NO_DEFAULT_PATH)
find_file(Arrow_LIBRARY libarrow.so.2600 PATHS ${SHOESTRING_DEPS}/lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow REQUIRED_VARS Arrow_LIBRARY Arrow_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "run tools/setup")
mark_as_advanced(Arrow_INCLUDE_DIR Arrow_LIBRARY)
if(Arrow_FOUND)
  add_library(Arrow::arrow_shared SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::arrow_shared PROPERTIES IMPORTED_LOCATION ${Arrow_LIBRARY}
                        IMPORTED_SONAME libarrow.so.2600 INTERFACE_INCLUDE_DIRECTORIES ${Arrow_INCLUDE_DIR})
endif()
