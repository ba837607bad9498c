// Reads an ONNX file back, knowing nothing of how it was written: protobuf's wire format, and of onnx.proto
// the fields that tests ask for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/onnx_file.h"
#include "unit/train/tables.h"

namespace shoestring::deploy {

// A message: of each field its values in order, numbers or bytes.
struct Wire {
  std::map<int, std::vector<uint64_t>> numbers;
  std::map<int, std::vector<std::string>> texts;

  explicit Wire(std::string_view bytes) {
    size_t at = 0;
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0; at < bytes.size(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes[at++]);
        value |= static_cast<uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
      }
      ADD_FAILURE() << "a number ends early";
      return value;
    };
    while (at < bytes.size()) {
      const uint64_t tag = varint();
      const int field = static_cast<int>(tag >> 3);
      size_t size = 4;
      switch (tag & 7) {
        case 0:
          numbers[field].push_back(varint());
          continue;
        case 2:
          size = varint();
          [[fallthrough]];
        case 5:
          if (size > bytes.size() - at) {
            ADD_FAILURE() << "a field ends early";
            return;
          }
          texts[field].emplace_back(bytes.substr(at, size));
          at += size;
          continue;
        default:
          ADD_FAILURE() << "wire type " << (tag & 7);
          return;
      }
    }
  }
  std::string text(int field) const { return texts.contains(field) ? texts.at(field).front() : ""; }
  int64_t number(int field) const {
    return numbers.contains(field) ? static_cast<int64_t>(numbers.at(field).front()) : 0;
  }
  std::vector<Wire> messages(int field) const {
    std::vector<Wire> out;
    if (texts.contains(field))
      for (const std::string& bytes : texts.at(field)) out.emplace_back(bytes);
    return out;
  }
};

struct ReadNode {
  std::string type;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, std::vector<int64_t>> integers;  // attributes: of INT one
};

struct ReadTensor {
  std::vector<int64_t> dims;
  int64_t type = 0;
  std::string bytes;
  template <class T = float>
  std::vector<T> values() const {
    std::vector<T> out(bytes.size() / sizeof(T));
    std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
    return out;
  }
};

struct ReadModel {
  std::vector<ReadNode> nodes;
  std::map<std::string, ReadTensor> tensors;
  std::map<std::string, std::string> ports, metadata;  // ports: "1[rows,3]", by ONNX's number of the type
  int64_t ir = 0, opset = 0;
  std::string producer, doc;

  explicit ReadModel(const std::string& bytes) {
    const Wire model(bytes);
    ir = model.number(1);
    producer = model.text(2);
    doc = model.text(6);
    opset = Wire(model.text(8)).number(2);
    for (const Wire& entry : model.messages(14)) metadata[entry.text(1)] = entry.text(2);
    const Wire graph(model.text(7));
    for (const Wire& node : graph.messages(1)) {
      ReadNode read{.type = node.text(4)};
      if (node.texts.contains(1)) read.inputs = node.texts.at(1);
      if (node.texts.contains(2)) read.outputs = node.texts.at(2);
      for (const Wire& a : node.messages(5))
        for (const int field : {3, 8})
          if (a.numbers.contains(field))
            for (uint64_t i : a.numbers.at(field))
              read.integers[a.text(1)].push_back(static_cast<int64_t>(i));
      nodes.push_back(std::move(read));
    }
    for (const Wire& tensor : graph.messages(5)) {
      ReadTensor read{.type = tensor.number(2), .bytes = tensor.text(9)};
      if (tensor.numbers.contains(1))
        for (uint64_t d : tensor.numbers.at(1)) read.dims.push_back(static_cast<int64_t>(d));
      tensors[tensor.text(8)] = std::move(read);
    }
    for (const int field : {11, 12})
      for (const Wire& port : graph.messages(field)) {
        const Wire tensor(Wire(port.text(2)).text(1));
        std::string text;
        for (const Wire& dim : Wire(tensor.text(2)).messages(1))
          text += (text.empty() ? "" : ",") +
                  (dim.texts.contains(2) ? dim.text(2) : std::to_string(dim.number(1)));
        ports[port.text(1)] = std::to_string(tensor.number(1)) + "[" + text + "]";
      }
  }

  // "Transpose Conv Relu"
  std::string types() const {
    std::string text;
    for (const ReadNode& node : nodes) text += (text.empty() ? "" : " ") + node.type;
    return text;
  }
  const ReadNode& first(std::string_view type) const {
    for (const ReadNode& node : nodes)
      if (node.type == type) return node;
    ADD_FAILURE() << "no " << type << " in " << types();
    return nodes.front();
  }
  int count(std::string_view type) const {
    return static_cast<int>(
        std::count_if(nodes.begin(), nodes.end(), [&](const ReadNode& n) { return n.type == type; }));
  }
  // Every name that is read was made before.
  void expect_order() const {
    std::map<std::string, bool> known{{"", true}};
    for (const auto& [name, port] : ports) known[name] = true;
    for (const auto& [name, tensor] : tensors) known[name] = true;
    for (const ReadNode& node : nodes) {
      for (const std::string& name : node.inputs) EXPECT_TRUE(known[name]) << name << " of a " << node.type;
      for (const std::string& name : node.outputs) known[name] = true;
    }
  }
};

inline std::string bytes_written(const onnx::Model& model) {
  const train::Folder folder;
  const auto ok = onnx::write(model, folder.file("m.onnx"));
  EXPECT_TRUE(ok) << ok.error().message();
  std::ifstream file(folder.file("m.onnx"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), onnx::bytes_of(model));
  return bytes;
}

}  // namespace shoestring::deploy
