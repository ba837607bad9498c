// An ONNX file: its records, and how they are written. The wire format is protobuf's, the fields are those of
// onnx.proto (onnx.ai, IR version 8, operator set 17: what ONNX Runtime reads from 1.12 on). Only what an
// exported model needs is here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "ir/type.h"

namespace shoestring::deploy::onnx {

inline constexpr int64_t kIrVersion = 8, kOpset = 17;
// A protobuf message is shorter than this, and so is a file.
inline constexpr int64_t kMostBytes = (int64_t{1} << 31) - 1;

struct Attribute {
  std::string name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};

struct Operation {
  std::string type;  // "Conv"
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> attributes;
};

// What goes in or comes out. A size is a number, or a name where a run decides it.
struct Port {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::variant<int64_t, std::string>> sizes;
};

// An initializer: `bytes` are `type`'s, row-major, and are written with the axes in another order where
// `permutation` names one (axis i of the file's tensor is axis permutation[i] of `type`).
struct Tensor {
  std::string name;
  Type type;
  std::span<const std::byte> bytes;
  std::vector<int64_t> permutation = {};
  std::shared_ptr<const std::vector<std::byte>> owner = {};  // of the bytes, where they are the tensor's own
};

struct Model {
  std::string graph_name, producer_version, doc;
  std::vector<Operation> operations;  // each after those whose results it reads
  std::vector<Tensor> tensors;
  std::vector<Port> inputs, outputs;
  std::map<std::string, std::string> metadata;
};

// The number of an element type in ONNX; 0 where it has none (types that come in blocks).
int64_t number_of(DType dtype);

// Of the file that write() makes.
int64_t bytes_of(const Model& model);

// Streams the file to where it is to be, whole or absent; takes a mebibyte beside the records. Fails with
// ErrorKind::usage where it would be longer than kMostBytes, else as AtomicFile.
Status write(const Model& model, const std::string& path);

}  // namespace shoestring::deploy::onnx
