#include "deploy/onnx_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/atomic_file.h"
#include "base/overloaded.h"
#include "base/text.h"

namespace shoestring::deploy::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

// The fields of the messages, by onnx.proto's numbers.
namespace field {
enum Model {
  kModelIr = 1,
  kProducer = 2,
  kProducerVersion = 3,
  kModelDoc = 6,
  kGraph = 7,
  kOpsetImport = 8,
  kMetadata = 14
};
enum Opset { kOpsetDomain = 1, kOpsetVersion = 2 };
enum Entry { kKey = 1, kValue = 2 };
enum Graph { kNode = 1, kGraphName = 2, kInitializer = 5, kInput = 11, kOutput = 12 };
enum Node { kNodeInput = 1, kNodeOutput = 2, kNodeName = 3, kNodeType = 4, kNodeAttribute = 5 };
enum Attribute { kAttributeName = 1, kFloat = 2, kInt = 3, kString = 4, kInts = 8, kAttributeType = 20 };
enum Tensor { kDims = 1, kDataType = 2, kTensorName = 8, kRawData = 9 };
enum Port {
  kPortName = 1,
  kPortType = 2,
  kTensorType = 1,
  kElementType = 1,
  kShape = 2,
  kDim = 1,
  kDimValue = 1,
  kDimName = 2
};
}  // namespace field
// AttributeProto.AttributeType.
constexpr int64_t kFloatType = 1, kIntType = 2, kStringType = 3, kIntsType = 7;

// A message while it is put together.
class Message {
 public:
  void number(int field, int64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    varint(static_cast<uint64_t>(value));
  }
  void real(int field, float value) {
    varint(static_cast<uint64_t>(field) << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(int field, std::string_view value) {
    begin(field, value.size());
    bytes_ += value;
  }
  void message(int field, const Message& value) { text(field, value.bytes_); }
  // What follows, `size` bytes, is this field.
  void begin(int field, size_t size) {
    varint(static_cast<uint64_t>(field) << 3 | 2);
    varint(size);
  }
  void append(const Message& more) { bytes_ += more.bytes_; }
  const std::string& bytes() const { return bytes_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  void varint(uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

Message message_of(const Attribute& attribute) {
  Message m;
  m.text(field::kAttributeName, attribute.name);
  m.number(field::kAttributeType, std::visit(Overloaded{[&](int64_t i) {
                                                          m.number(field::kInt, i);
                                                          return kIntType;
                                                        },
                                                        [&](float f) {
                                                          m.real(field::kFloat, f);
                                                          return kFloatType;
                                                        },
                                                        [&](const std::string& s) {
                                                          m.text(field::kString, s);
                                                          return kStringType;
                                                        },
                                                        [&](const std::vector<int64_t>& list) {
                                                          for (int64_t i : list) m.number(field::kInts, i);
                                                          return kIntsType;
                                                        }},
                                             attribute.value));
  return m;
}

Message message_of(const Operation& operation) {
  Message m;
  for (const std::string& name : operation.inputs) m.text(field::kNodeInput, name);
  for (const std::string& name : operation.outputs) m.text(field::kNodeOutput, name);
  m.text(field::kNodeName, operation.outputs.front());
  m.text(field::kNodeType, operation.type);
  for (const Attribute& attribute : operation.attributes)
    m.message(field::kNodeAttribute, message_of(attribute));
  return m;
}

Message message_of(const Port& port) {
  Message shape;
  for (const auto& size : port.sizes) {
    Message dim;
    std::visit(Overloaded{[&](int64_t n) { dim.number(field::kDimValue, n); },
                          [&](const std::string& name) { dim.text(field::kDimName, name); }},
               size);
    shape.message(field::kDim, dim);
  }
  Message tensor, type, m;
  tensor.number(field::kElementType, number_of(port.dtype));
  tensor.message(field::kShape, shape);
  type.message(field::kTensorType, tensor);
  m.text(field::kPortName, port.name);
  m.message(field::kPortType, type);
  return m;
}

// A tensor up to its data.
Message head_of(const Tensor& tensor) {
  Message m;
  for (int axis = 0; axis < tensor.type.dims.rank(); ++axis)
    m.number(field::kDims,
             tensor.type.dims[tensor.permutation.empty()
                                  ? axis
                                  : static_cast<int>(tensor.permutation[static_cast<size_t>(axis)])]);
  m.number(field::kDataType, number_of(tensor.type.dtype));
  m.text(field::kTensorName, tensor.name);
  m.begin(field::kRawData, tensor.bytes.size());
  return m;
}

// The file but for the tensors' data. Fields stand in the order of their numbers, as protobuf itself writes
// them.
struct Parts {
  Message head, nodes;         // of the model up to its graph, of the graph up to its tensors
  std::vector<Message> heads;  // of the tensors
  Message ports, tail;         // of the graph behind its tensors, of the model behind its graph
  int64_t bytes = 0;           // of the file
};

Parts parts_of(const Model& model) {
  Parts parts;
  for (const Operation& operation : model.operations)
    parts.nodes.message(field::kNode, message_of(operation));
  parts.nodes.text(field::kGraphName, model.graph_name);
  for (const Port& port : model.inputs) parts.ports.message(field::kInput, message_of(port));
  for (const Port& port : model.outputs) parts.ports.message(field::kOutput, message_of(port));
  int64_t graph = parts.nodes.size() + parts.ports.size();
  for (const Tensor& tensor : model.tensors) {
    const Message head = head_of(tensor);
    Message whole;
    whole.begin(field::kInitializer, head.bytes().size() + tensor.bytes.size());
    whole.append(head);
    graph += whole.size() + static_cast<int64_t>(tensor.bytes.size());
    parts.heads.push_back(std::move(whole));
  }

  parts.head.number(field::kModelIr, kIrVersion);
  parts.head.text(field::kProducer, "shoestring");
  parts.head.text(field::kProducerVersion, model.producer_version);
  parts.head.text(field::kModelDoc, model.doc);
  parts.head.begin(field::kGraph, static_cast<size_t>(graph));
  Message opset;
  opset.text(field::kOpsetDomain, "");  // the operators of ONNX itself
  opset.number(field::kOpsetVersion, kOpset);
  parts.tail.message(field::kOpsetImport, opset);
  for (const auto& [key, value] : model.metadata) {
    Message entry;
    entry.text(field::kKey, key);
    entry.text(field::kValue, value);
    parts.tail.message(field::kMetadata, entry);
  }
  parts.bytes = parts.head.size() + graph + parts.tail.size();
  return parts;
}

// The elements in the order of the file, a piece at a time.
Status write_permuted(const Tensor& tensor, AtomicFile& file) {
  const Shape& dims = tensor.type.dims;
  const auto rank = static_cast<size_t>(dims.rank());
  const auto element = static_cast<size_t>(info(tensor.type.dtype).block_bytes);
  std::vector<size_t> strides(rank), at(rank), step(rank), size(rank);
  for (size_t axis = rank, stride = element; axis-- > 0; stride *= static_cast<size_t>(dims.dims()[axis]))
    strides[axis] = stride;
  for (size_t axis = 0; axis < rank; ++axis) {
    step[axis] = strides[static_cast<size_t>(tensor.permutation[axis])];
    size[axis] = static_cast<size_t>(dims.dims()[static_cast<size_t>(tensor.permutation[axis])]);
  }
  std::vector<std::byte> piece;
  constexpr size_t kPiece = 1 << 20;
  piece.reserve(std::min(kPiece, tensor.bytes.size()));
  size_t place = 0;
  for (size_t left = tensor.bytes.size() / element; left > 0; --left) {
    const auto from = tensor.bytes.subspan(place, element);
    piece.insert(piece.end(), from.begin(), from.end());
    if (piece.size() + element > kPiece || left == 1) {
      if (auto ok = file.write(piece); !ok) return ok;
      piece.clear();
    }
    for (size_t axis = rank; axis-- > 0;) {
      place += step[axis];
      if (++at[axis] < size[axis]) break;
      place -= step[axis] * size[axis];
      at[axis] = 0;
    }
  }
  return {};
}

}  // namespace

int64_t number_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 1;
    case DType::u8:
      return 2;
    case DType::i8:
      return 3;
    case DType::u16:
      return 4;
    case DType::i16:
      return 5;
    case DType::i32:
      return 6;
    case DType::i64:
      return 7;
    case DType::f16:
      return 10;
    case DType::f64:
      return 11;
    case DType::bf16:
      return 16;
    default:
      return 0;
  }
}

int64_t bytes_of(const Model& model) { return parts_of(model).bytes; }

Status write(const Model& model, const std::string& path) {
  const Parts parts = parts_of(model);
  if (parts.bytes > kMostBytes)
    return fail(ErrorKind::usage,
                fmt::format("an ONNX file is shorter than 2 GiB, and this model would take {}",
                            human_bytes(parts.bytes)),
                path, "'shoestring serve' takes models of any size");
  auto file = AtomicFile::create(path);
  if (!file) return fail(file.error());
  const auto put = [&](const Message& m) { return file->write(m.bytes()); };
  for (const Message* m : {&parts.head, &parts.nodes})
    if (auto ok = put(*m); !ok) return ok;
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const Tensor& tensor = model.tensors[i];
    if (auto ok = put(parts.heads[i]); !ok) return ok;
    if (auto ok = tensor.permutation.empty() ? file->write(tensor.bytes) : write_permuted(tensor, *file); !ok)
      return ok;
  }
  for (const Message* m : {&parts.ports, &parts.tail})
    if (auto ok = put(*m); !ok) return ok;
  return file->commit();
}

}  // namespace shoestring::deploy::onnx
