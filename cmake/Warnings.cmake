# What every target of ours is compiled with. Third-party headers come in as system headers.
add_library(shoestring_flags INTERFACE)
target_compile_options(shoestring_flags INTERFACE -Wall -Wextra -Wshadow
  -Wno-missing-field-initializers)  # designated initialisers leave fields at their defaults on purpose
target_compile_definitions(shoestring_flags INTERFACE SHOESTRING_VERSION="${PROJECT_VERSION}")
if(SHOESTRING_WERROR)
  target_compile_options(shoestring_flags INTERFACE -Werror)
endif()

# Sanitizers: frames and lines in the reports, assertions on, fast enough for the whole suite.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
if(SHOESTRING_SANITIZE)
  set(flags -fsanitize=${SHOESTRING_SANITIZE} -fno-sanitize-recover=all)
  if(SHOESTRING_SANITIZE MATCHES "address,undefined")
    # What AddressSanitizer catches at the access itself is not checked a second time before it, for the build's sake.
    list(APPEND flags -fno-sanitize=null,vptr,object-size,pointer-overflow,nonnull-attribute,returns-nonnull-attribute)
  endif()
  target_compile_options(shoestring_flags INTERFACE ${flags})
  target_link_options(shoestring_flags INTERFACE ${flags})
  # The sanitizers make g++ 12 see uninitialised values where there are none.
  target_compile_options(shoestring_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow)
endif()
