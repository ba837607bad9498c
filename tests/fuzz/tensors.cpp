// model::parse_tensors: model files and checkpoints. The checksum is made right first, so that what lies
// behind it is reached.
#include <fmt/format.h>
#include <zlib.h>

#include "fuzz/fuzz.h"
#include "model/tensor_file.h"

using namespace shoestring;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  constexpr std::string_view kBefore = "\"checksum\":\"crc32:", kBlank = "00000000";
  if (const size_t at = bytes.find(kBefore); at != std::string::npos && at + 26 < bytes.size()) {
    const size_t digits = at + kBefore.size();
    bytes.replace(digits, kBlank.size(), kBlank);
    const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    bytes.replace(digits, kBlank.size(), fmt::format("{:08x}", sum));
  }
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
