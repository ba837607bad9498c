#include "base/caught.h"

#include <filesystem>
#include <new>

#include "base/atomic_file.h"

namespace shoestring {

Error caught() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {ErrorKind::machine,
            "out of memory",
            {},
            "free some memory, raise the limit, or give fewer rows or a smaller network"};
  } catch (const std::filesystem::filesystem_error& e) {
    return system_error("use the path", e.path1().string(), e.code().value());
  } catch (const std::exception& e) {
    return {ErrorKind::internal, fmt::format("a fault in shoestring: {}", e.what()), {}, "please report it"};
  } catch (...) {
    return {ErrorKind::internal, "a fault in shoestring", {}, "please report it"};
  }
}

}  // namespace shoestring
