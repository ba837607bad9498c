# Parquet as Parquet::parquet_shared, from where FindArrow found Arrow.
find_package(Parquet ${Parquet_FIND_VERSION} CONFIG QUIET)
if(Parquet_FOUND AND TARGET Parquet::parquet_shared)
  return()
endif()

find_path(Parquet_INCLUDE_DIR parquet/api/reader.h PATHS ${SHOESTRING_DEPS}/include NO_DEFAULT_PATH)
find_file(Parquet_LIBRARY libparquet.so.2600 PATHS ${SHOESTRING_DEPS}/lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Parquet REQUIRED_VARS Parquet_LIBRARY Parquet_INCLUDE_DIR
                                  REASON_FAILURE_MESSAGE "run tools/setup")
mark_as_advanced(Parquet_INCLUDE_DIR Parquet_LIBRARY)
if(Parquet_FOUND)
  add_library(Parquet::parquet_shared SHARED IMPORTED GLOBAL)
  set_target_properties(Parquet::parquet_shared PROPERTIES IMPORTED_LOCATION ${Parquet_LIBRARY}
                        IMPORTED_SONAME libparquet.so.2600 INTERFACE_INCLUDE_DIRECTORIES ${Parquet_INCLUDE_DIR}
                        INTERFACE_LINK_LIBRARIES Arrow::arrow_shared)
endif()
