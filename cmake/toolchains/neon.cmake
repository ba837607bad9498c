# AArch64 with NEON, by Debian's g++-aarch64-linux-gnu. Only objects are made, and Highway, fmt and oneDNN's headers
# are the same on every architecture, so the host's packages serve.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# g++ 12 knows half precision in C++ by this name only.
set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include -D_Float16=__fp16")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(package IN ITEMS fmt hwy)
  file(GLOB ${package}_DIR /usr/lib/*/cmake/${package})
endforeach()
