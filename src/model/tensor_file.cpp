#include "model/tensor_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/arith.h"
#include "base/atomic_file.h"

namespace shoestring::model {
namespace {

using Json = nlohmann::json;

// A file of ours begins, after the length, with this and 8 digits.
constexpr std::string_view kBegin = R"({"__metadata__":{"checksum":"crc32:)";
constexpr std::string_view kBlank = "00000000";  // what the digits are while the sum is taken
constexpr size_t kLength = 8;
constexpr size_t kDigits = kLength + kBegin.size();
constexpr std::string_view kFormatKey = "shoestring_format";

constexpr std::string_view kAgain = "copy it again, or train again if it was never whole";

// safetensors' names of the dtypes; the last two, which only checkpoints hold, are ours.
struct DTypeName {
  DType dtype;
  std::string_view name;
};
constexpr std::array kDTypes{
    DTypeName{DType::f32, "F32"}, DTypeName{DType::f64, "F64"},   DTypeName{DType::bf16, "BF16"},
    DTypeName{DType::f16, "F16"}, DTypeName{DType::i8, "I8"},     DTypeName{DType::i16, "I16"},
    DTypeName{DType::i32, "I32"}, DTypeName{DType::i64, "I64"},   DTypeName{DType::u8, "U8"},
    DTypeName{DType::u16, "U16"}, DTypeName{DType::dyn8, "DYN8"}, DTypeName{DType::udyn8, "UDYN8"}};

std::string_view name_of(DType dtype) {
  return std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& d) { return d.dtype == dtype; })->name;
}

// ---- the checksum ----

using Crc = uint32_t;
Crc crc_of(Crc crc, const void* bytes, size_t n) {
  if (n == 0) return crc;  // zlib starts afresh at a null pointer, which an empty tensor may have
  return static_cast<Crc>(crc32_z(crc, static_cast<const Bytef*>(bytes), n));
}

// Of everything up to the data, the digits taken as zeros.
Crc crc_of_head(std::string_view head) {
  Crc crc = crc_of(0, head.data(), kDigits);
  crc = crc_of(crc, kBlank.data(), kBlank.size());
  const std::string_view rest = head.substr(kDigits + kBlank.size());
  return crc_of(crc, rest.data(), rest.size());
}

std::string digits(Crc crc) { return fmt::format("{:08x}", crc); }

// ---- writing ----

// The length, the header and its padding, with blank digits. Throws what JSON does not take.
std::string head_of(const std::map<std::string, std::string>& metadata,
                    std::span<const TensorView* const> tensors) {
  nlohmann::ordered_json header;
  auto& texts = header["__metadata__"];
  texts["checksum"] = "crc32:" + std::string(kBlank);
  texts[kFormatKey] = std::to_string(kFormat);
  for (const auto& [key, text] : metadata) texts[key] = text;
  int64_t offset = 0;
  for (const TensorView* t : tensors) {
    const int64_t end = offset + t->type.bytes();
    header[t->name] = {
        {"dtype", name_of(t->type.dtype)}, {"shape", t->type.dims.dims()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize(static_cast<size_t>(round_up(static_cast<int64_t>(text.size()), kLength)), ' ');
  std::string length(kLength, '\0');
  for (size_t i = 0; i < kLength; ++i) length[i] = static_cast<char>(uint64_t{text.size()} >> (8 * i));
  return length + text;
}

Status check_names(const std::map<std::string, std::string>& metadata, std::span<const TensorView> tensors) {
  for (const std::string_view key : {std::string_view("checksum"), kFormatKey})
    if (metadata.contains(std::string(key)))
      return fail(ErrorKind::internal, fmt::format("metadata '{}' is the file's own", key));
  std::set<std::string_view> names{"", "__metadata__"};
  for (const TensorView& t : tensors) {
    if (!names.insert(t.name).second)
      return fail(ErrorKind::internal, fmt::format("a second tensor is named '{}'", t.name));
    if (static_cast<int64_t>(t.bytes.size()) != t.type.bytes())
      return fail(ErrorKind::internal, fmt::format("tensor '{}': {} bytes given for {}", t.name,
                                                   t.bytes.size(), to_string(t.type)));
  }
  return {};
}

// ---- reading ----

class Reader {
 public:
  Reader(std::string bytes, const std::string& path)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))),
        path_(path),
        file_bytes_(bytes_->size()) {}
  // Of a file of so many bytes only what it begins with, its header at least.
  Reader(std::string begin, uint64_t file_bytes, const std::string& path)
      : bytes_(std::make_shared<const std::string>(std::move(begin))), path_(path), file_bytes_(file_bytes) {}

  Result<TensorFile> read() {
    for (auto step : {&Reader::find_header, &Reader::check_format, &Reader::check_length,
                      &Reader::check_checksum, &Reader::take_metadata, &Reader::take_tensors})
      if (Status s = (this->*step)(); !s) return fail(std::move(s.error()));
    file_.bytes = bytes_;
    return std::move(file_);
  }
  // Of another program's file.
  Result<std::map<std::string, ForeignTensors::Place, std::less<>>> read_places() {
    ours_ = false;
    for (auto step :
         {&Reader::find_header, &Reader::check_length, &Reader::take_metadata, &Reader::take_tensors})
      if (Status s = (this->*step)(); !s) return fail(std::move(s.error()));
    return std::move(places_);
  }

 private:
  Failure bad(std::string what, std::string_view fix = kAgain) const {
    return fail(ErrorKind::data, std::move(what), path_, std::string(fix));
  }
  Failure foreign() const {
    if (!ours_) return bad("is no safetensors file", "give weights as safetensors");
    return bad("is no file of Shoestring's", "give a model file, a model folder or a run folder");
  }
  Failure damaged(std::string_view what) const { return bad(fmt::format("is damaged: {}", what)); }

  Status find_header() {
    if (bytes_->empty()) return bad("is empty");
    if (bytes_->size() < kLength) return bad(fmt::format("is cut short: {} bytes", bytes_->size()));
    uint64_t length = 0;
    for (size_t i = 0; i < kLength; ++i)
      length |= uint64_t{static_cast<unsigned char>((*bytes_)[i])} << (8 * i);
    const std::string_view rest = std::string_view(*bytes_).substr(kLength);
    const std::string_view begin = R"({")";
    if (rest.substr(0, begin.size()) != begin.substr(0, rest.size())) return foreign();
    if (length > file_bytes_ - kLength)
      return bad(fmt::format("is cut short: its header has {} bytes, and {} are left", length,
                             file_bytes_ - kLength));
    if (length > rest.size()) return damaged(fmt::format("its header has {} bytes", length));
    head_ = std::string_view(*bytes_).substr(0, kLength + length);
    data_ = rest.substr(length);
    data_bytes_ = file_bytes_ - kLength - length;
    header_ = Json::parse(head_.substr(kLength), nullptr, false);
    if (!header_.is_object()) return damaged("its header does not parse");
    return {};
  }

  // Before the checksum: a newer format may sum up otherwise.
  Status check_format() {
    const auto metadata = header_.find("__metadata__");
    if (metadata == header_.end() || !metadata->is_object()) return foreign();
    const auto format = metadata->find(kFormatKey);
    if (format == metadata->end() || !format->is_string()) return foreign();
    const std::string text = *format;
    const bool number = !text.empty() && text.size() < 10 &&
                        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) return damaged(fmt::format("its format is '{}'", text));
    if (std::stoi(text) > kFormat)
      return bad(fmt::format("was made by a newer version (format {}, this reads up to {})", text, kFormat),
                 "update shoestring");
    return {};
  }

  // So that a file that was cut is called cut and not damaged.
  Status check_length() {
    uint64_t end = 0;
    for (const auto& [name, tensor] : header_.items()) {
      const auto offsets = tensor.find("data_offsets");
      if (offsets != tensor.end() && offsets->is_array() && offsets->size() == 2 &&
          (*offsets)[1].is_number_unsigned())
        end = std::max(end, (*offsets)[1].get<uint64_t>());
    }
    if (end > data_bytes_)
      return bad(fmt::format("is cut short: {} of its {} bytes of tensors are there", data_bytes_, end));
    return {};
  }

  Status check_checksum() {
    if (head_.size() < kDigits + kBlank.size() || head_.substr(kLength, kBegin.size()) != kBegin)
      return damaged("it has no checksum");
    const std::string_view said = head_.substr(kDigits, kBlank.size());
    const std::string sum = digits(crc_of(crc_of_head(head_), data_.data(), data_.size()));
    if (said != sum) return damaged(fmt::format("its checksum is {}, that of its content {}", said, sum));
    return {};
  }

  Status take_metadata() {
    for (const auto& [key, text] : header_["__metadata__"].items()) {
      if (!text.is_string()) return damaged(fmt::format("its metadata '{}' is no text", key));
      if (key != "checksum" && key != kFormatKey) file_.metadata[key] = text;
    }
    return {};
  }

  Status take_tensors() {
    std::vector<std::pair<int64_t, int64_t>> pieces;  // of the data, by begin
    for (const auto& [name, json] : header_.items()) {
      if (name == "__metadata__") continue;
      const auto type = type_of(json);
      const auto offsets = type ? offsets_of(json, *type) : std::nullopt;
      if (!offsets) return damaged(fmt::format("tensor '{}' has no sound type and place", name));
      if (ours_) {
        const std::string_view text = data_.substr(static_cast<size_t>(offsets->first),
                                                   static_cast<size_t>(offsets->second - offsets->first));
        file_.tensors.push_back({name, *type, std::as_bytes(std::span(text))});
      } else {
        const auto begin = static_cast<int64_t>(file_bytes_ - data_bytes_);
        places_.insert_or_assign(name, ForeignTensors::Place{*type, begin + offsets->first});
      }
      pieces.push_back(*offsets);
    }
    std::sort(pieces.begin(), pieces.end());
    int64_t at = 0;
    for (const auto& [begin, end] : pieces) {
      if (begin != at) return damaged("its tensors do not fill it");
      at = end;
    }
    if (at != static_cast<int64_t>(data_bytes_)) return damaged("its tensors do not fill it");
    return {};
  }

  static std::optional<Type> type_of(const Json& json) {
    if (!json.is_object()) return {};
    const auto dtype = json.find("dtype"), shape = json.find("shape");
    if (dtype == json.end() || !dtype->is_string() || shape == json.end() || !shape->is_array()) return {};
    const auto known = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& d) {
      return d.name == dtype->get_ref<const std::string&>();
    });
    if (known == kDTypes.end() || shape->size() > Shape::kMaxRank) return {};
    std::vector<int64_t> dims;
    for (const Json& d : *shape) {
      if (!d.is_number_unsigned() || d.get<uint64_t>() > INT64_MAX) return {};
      dims.push_back(d.get<int64_t>());
    }
    const Type type{known->dtype, Shape(dims)};
    return checked_extent(type) ? std::optional(type) : std::nullopt;
  }

  std::optional<std::pair<int64_t, int64_t>> offsets_of(const Json& json, const Type& type) const {
    const auto offsets = json.find("data_offsets");
    if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2) return {};
    for (const Json& o : *offsets)
      if (!o.is_number_unsigned() || o.get<uint64_t>() > data_bytes_) return {};
    const auto begin = (*offsets)[0].get<int64_t>(), end = (*offsets)[1].get<int64_t>();
    if (begin > end || end - begin != type.bytes()) return {};
    return std::pair{begin, end};
  }

  std::shared_ptr<const std::string> bytes_;
  const std::string& path_;
  uint64_t file_bytes_;
  std::string_view head_, data_;
  uint64_t data_bytes_ = 0;
  Json header_;
  TensorFile file_;
  std::map<std::string, ForeignTensors::Place, std::less<>> places_;
  bool ours_ = true;
};

}  // namespace

const TensorView* TensorFile::find(std::string_view name) const {
  const auto at =
      std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& t) { return t.name == name; });
  return at == tensors.end() ? nullptr : &*at;
}

Result<std::string> TensorFile::text(std::string_view key, const std::string& path) const {
  const auto at = metadata.find(std::string(key));
  if (at != metadata.end()) return at->second;
  return fail(ErrorKind::data, fmt::format("is damaged: it has no '{}'", key), path, std::string(kAgain));
}

namespace {

// The tensor's bytes row-major, a piece at a time.
Status in_pieces(const TensorView& tensor, const std::function<Status(std::span<const std::byte>)>& take) {
  if (tensor.layout.row_major()) return take(tensor.bytes);
  constexpr size_t kPiece = size_t{1} << 16;  // whole elements of every dtype
  std::vector<std::byte> piece(std::min(kPiece, tensor.bytes.size()));
  const int64_t element = info(tensor.type.dtype).block_bytes;
  for (size_t at = 0; at < tensor.bytes.size(); at += piece.size()) {
    const auto some = std::span(piece).first(std::min(piece.size(), tensor.bytes.size() - at));
    read_elements(tensor.layout, tensor.type, tensor.bytes.data(), static_cast<int64_t>(at) / element, some);
    if (auto ok = take(some); !ok) return ok;
  }
  return {};
}

}  // namespace

Status write_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                     std::span<const TensorView> tensors, bool durable) {
  if (Status s = check_names(metadata, tensors); !s) return s;
  // Wide elements first: so each is aligned in the file.
  std::vector<const TensorView*> order;
  for (const TensorView& t : tensors) order.push_back(&t);
  const auto width = [](const TensorView* t) {
    return in_blocks(t->type.dtype) ? 1 : info(t->type.dtype).block_bytes;
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return width(a) > width(b); });

  std::string head;
  try {
    head = head_of(metadata, order);
  } catch (const std::exception& e) {
    return fail(ErrorKind::data, fmt::format("a name or text is not UTF-8 ({})", e.what()), path,
                "save the data as UTF-8");
  }
  Crc crc = crc_of_head(head);
  for (const TensorView* t : order) {
    const auto counted = in_pieces(*t, [&](std::span<const std::byte> bytes) -> Status {
      crc = crc_of(crc, bytes.data(), bytes.size());
      return {};
    });
    if (!counted) return counted;
  }
  head.replace(kDigits, kBlank.size(), digits(crc));

  Result<AtomicFile> file = AtomicFile::create(path);
  if (!file) return fail(std::move(file.error()));
  if (Status s = file->write(head); !s) return s;
  for (const TensorView* t : order)
    if (Status s = in_pieces(*t, [&](std::span<const std::byte> bytes) { return file->write(bytes); }); !s)
      return s;
  return file->commit(durable);
}

Result<TensorFile> parse_tensors(std::string bytes, const std::string& path) {
  return Reader(std::move(bytes), path).read();
}

Result<TensorFile> read_tensors(const std::string& path) {
  Result<std::string> bytes = read_file(path);
  if (!bytes) return fail(std::move(bytes.error()));
  return parse_tensors(std::move(*bytes), path);
}

// ---- one tensor after the other ----

Result<ForeignTensors> ForeignTensors::open(const std::string& path) {
  ForeignTensors file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd_ < 0) return fail(read_error(path, errno));
  struct stat status {};
  if (::fstat(file.fd_, &status) != 0) return fail(read_error(path, errno));
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::data, "is no file", path, "give weights as a file of safetensors");
  const auto bytes = static_cast<uint64_t>(status.st_size);
  std::array<std::byte, kLength> first{};
  const auto begin = static_cast<size_t>(std::min<uint64_t>(bytes, kLength));
  if (auto ok = file.read_at(0, std::span(first).first(begin)); !ok) return fail(ok.error());
  uint64_t length = 0;
  for (size_t i = 0; i < begin; ++i) length |= uint64_t{static_cast<unsigned char>(first[i])} << (8 * i);
  constexpr uint64_t kMostHeader = 100'000'000;  // as safetensors itself has it
  const uint64_t held = std::min({bytes, kLength + std::min(length, kMostHeader), kLength + kMostHeader});
  std::string head(static_cast<size_t>(held), '\0');
  if (auto ok = file.read_at(0, std::as_writable_bytes(std::span(head))); !ok) return fail(ok.error());
  auto places = Reader(std::move(head), bytes, path).read_places();
  if (!places) return fail(places.error());
  file.places_ = std::move(*places);
  return file;
}

ForeignTensors::ForeignTensors(ForeignTensors&& other) noexcept { *this = std::move(other); }

ForeignTensors& ForeignTensors::operator=(ForeignTensors&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(places_, other.places_);
  std::swap(fd_, other.fd_);
  return *this;
}

ForeignTensors::~ForeignTensors() {
  if (fd_ >= 0) ::close(fd_);
}

const Type* ForeignTensors::find(std::string_view name) const {
  const auto at = places_.find(name);
  return at == places_.end() ? nullptr : &at->second.type;
}

std::map<std::string, Type> ForeignTensors::types() const {
  std::map<std::string, Type> types;
  for (const auto& [name, place] : places_) types.emplace(name, place.type);
  return types;
}

Status ForeignTensors::read(std::string_view name, int64_t at, std::span<std::byte> room) const {
  const auto place = places_.find(name);
  if (place == places_.end())
    return fail(ErrorKind::internal, fmt::format("there is no tensor '{}' to read", name), path_, "");
  return read_at(place->second.at + at, room);
}

Status ForeignTensors::read_at(int64_t at, std::span<std::byte> room) const {
  while (!room.empty()) {
    const ssize_t n = ::pread(fd_, room.data(), room.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(read_error(path_, errno));
    if (n == 0) return fail(ErrorKind::data, "became shorter while it was read", path_, std::string(kAgain));
    room = room.subspan(static_cast<size_t>(n));
    at += n;
  }
  return {};
}

}  // namespace shoestring::model
