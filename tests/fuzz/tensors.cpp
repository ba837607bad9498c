// model::ForeignTensors: weights of other programs; model::parse_tensors: model files and checkpoints. The
// checksum is made right first, so that what lies behind it is reached.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "fuzz/fuzz.h"
#include "model/tensor_file.h"

using namespace shoestring;

// A file of these bytes: what it says of its tensors can be read.
void read_foreign(std::string_view bytes) {
  const int fd = ::memfd_create("tensors", MFD_CLOEXEC);
  fuzz::check(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
              "a file in memory");
  const auto file = model::ForeignTensors::open(fmt::format("/proc/self/fd/{}", fd));
  if (!file) fuzz::check_refusal(file.error());
  for (const auto& [name, type] : file ? file->types() : std::map<std::string, Type>()) {
    std::string room(static_cast<size_t>(type.bytes()), '\0');
    fuzz::check(file->read(name, 0, std::as_writable_bytes(std::span(room))).has_value(),
                "a tensor is there");
  }
  ::close(fd);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  constexpr std::string_view kBefore = "\"checksum\":\"crc32:", kBlank = "00000000";
  if (const size_t at = bytes.find(kBefore); at != std::string::npos && at + 26 < bytes.size()) {
    const size_t digits = at + kBefore.size();
    bytes.replace(digits, kBlank.size(), kBlank);
    const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    bytes.replace(digits, kBlank.size(), fmt::format("{:08x}", sum));
  }
  read_foreign(bytes);
  const auto file = model::parse_tensors(std::move(bytes), "model.safetensors");
  if (!file) return fuzz::check_refusal(file.error()), 0;
  for (const model::TensorView& tensor : file->tensors) {
    fuzz::check(static_cast<int64_t>(tensor.bytes.size()) == tensor.type.bytes(), "a tensor has its bytes");
    fuzz::check(
        tensor.bytes.empty() || (reinterpret_cast<const char*>(tensor.bytes.data()) >= file->bytes->data() &&
                                 reinterpret_cast<const char*>(tensor.bytes.data() + tensor.bytes.size()) <=
                                     file->bytes->data() + file->bytes->size()),
        "a tensor lies in the file");
  }
  return 0;
}
