#include "model/tensor_file.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/atomic_file.h"
#include "base/philox.h"

namespace shoestring::model {
namespace {

class TensorFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("shoestring_tensor_file_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // A small file: two tensors and a text.
  std::string sample() {
    const std::vector<float> weights{1, -2.5f, 3e-20f, 4, 5, 6};
    const std::vector<int8_t> codes{1, 2, 3};
    const std::vector<TensorView> tensors{
        {"codes", {DType::i8, {3}}, std::as_bytes(std::span(codes))},
        {"layer.weights", {DType::f32, {2, 3}}, std::as_bytes(std::span(weights))},
    };
    EXPECT_TRUE(write_tensors(path("sample"), {{"recipe", "a: \"b\"\n"}, {"name", "Größe"}}, tensors));
    return read_file(path("sample")).value();
  }

  std::filesystem::path folder_;
};

// What an error says, or "" for none.
std::string said(const std::string& bytes) {
  const Result<TensorFile> file = parse_tensors(bytes, "m");
  if (file) return "";
  EXPECT_EQ(file.error().kind, ErrorKind::data);
  return file.error().message();
}

// Puts the right checksum into a file that was changed on purpose.
std::string summed(std::string bytes) {
  const size_t at = bytes.find("crc32:") + 6;
  bytes.replace(at, 8, "00000000");
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return bytes.replace(at, 8, fmt::format("{:08x}", crc));
}

// Replaces in the header by text of any length, with length and checksum made right again.
std::string edited(const std::string& bytes, const std::string& from, const std::string& to) {
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  std::string header = bytes.substr(8, length);
  EXPECT_NE(header.find(from), std::string::npos) << from;
  header.replace(header.find(from), from.size(), to);
  length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  uint64_t before;
  std::memcpy(&before, bytes.data(), 8);
  return summed(out + header + bytes.substr(8 + before));
}

TEST_F(TensorFileTest, ReadsWhatWasWritten) {
  sample();
  const Result<TensorFile> file = read_tensors(path("sample"));
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->text("recipe", "m").value(), "a: \"b\"\n");
  EXPECT_EQ(file->text("name", "m").value(), "Größe");
  EXPECT_EQ(file->metadata.size(), 2u);
  ASSERT_EQ(file->tensors.size(), 2u);
  const TensorView* weights = file->find("layer.weights");
  ASSERT_TRUE(weights);
  EXPECT_EQ(weights->type, (Type{DType::f32, {2, 3}}));
  EXPECT_EQ(reinterpret_cast<const float*>(weights->bytes.data())[1], -2.5f);
  EXPECT_EQ(file->find("codes")->bytes[2], std::byte{3});
  EXPECT_FALSE(file->find("other"));
  EXPECT_EQ(file->text("other", "m").error().message(),
            "m: is damaged: it has no 'other'; copy it again, or train again if it was never whole");
}

TEST_F(TensorFileTest, EqualContentGivesEqualBytes) { EXPECT_EQ(sample(), sample()); }

TEST_F(TensorFileTest, EveryDTypeAndShape) {
  std::vector<std::vector<std::byte>> buffers;
  std::vector<TensorView> tensors;
  for (const DTypeInfo& d : all_dtypes())
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{1, 1, 1, 1, 1, 1, 1, 2}}) {
      const Type type{*dtype_named(d.name), shape};
      buffers.emplace_back(static_cast<size_t>(type.bytes()), std::byte{7});
      tensors.push_back({std::string(d.name) + to_string(shape), type, buffers.back()});
    }
  ASSERT_TRUE(write_tensors(path("all"), {}, tensors));
  const Result<TensorFile> file = read_tensors(path("all"));
  ASSERT_TRUE(file) << file.error().message();
  for (const TensorView& t : tensors) {
    ASSERT_TRUE(file->find(t.name)) << t.name;
    EXPECT_EQ(file->find(t.name)->type, t.type);
    EXPECT_TRUE(std::ranges::equal(file->find(t.name)->bytes, t.bytes));
  }
}

TEST_F(TensorFileTest, FindsEveryFlippedBit) {
  const std::string good = sample();
  ASSERT_EQ(said(good), "");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    ASSERT_NE(said(bad), "") << "byte " << bit / 8 << ", bit " << bit % 8;
  }
}

TEST_F(TensorFileTest, FindsEveryCut) {
  const std::string good = sample();
  for (size_t n = 0; n < good.size(); ++n) ASSERT_NE(said(good.substr(0, n)), "") << n;
  ASSERT_NE(said(good + "x"), "");
  const std::string again = "; copy it again, or train again if it was never whole";
  EXPECT_EQ(said(""), "m: is empty" + again);
  EXPECT_EQ(said(good.substr(0, 5)), "m: is cut short: 5 bytes" + again);
  EXPECT_EQ(said(good.substr(0, good.size() - 4)),
            "m: is cut short: 23 of its 27 bytes of tensors are there" + again);
  uint64_t header;
  std::memcpy(&header, good.data(), 8);
  EXPECT_EQ(said(good.substr(0, 100)),
            fmt::format("m: is cut short: its header has {} bytes, and 92 are left", header) + again);
}

TEST_F(TensorFileTest, SaysWhatItIs) {
  const std::string good = sample();
  EXPECT_EQ(said(edited(good, R"("shoestring_format":"1")", R"("shoestring_format":"9")")),
            "m: was made by a newer version (format 9, this reads up to 1); update shoestring");
  // Also where the newer version sums up in another way.
  std::string newer = good;
  newer.replace(newer.find(R"(format":"1)") + 9, 1, "9");
  EXPECT_EQ(said(newer), "m: was made by a newer version (format 9, this reads up to 1); update shoestring");
  const std::string foreign =
      "m: is no file of Shoestring's; give a model file, a model folder or a run folder";
  EXPECT_EQ(said("age,income\n1,2\n3,4\n"), foreign);
  EXPECT_EQ(said(edited(good, "shoestring_format", "format")), foreign);
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_TRUE(said(flipped).starts_with("m: is damaged: its checksum is ")) << said(flipped);
  EXPECT_EQ(read_tensors(path("absent")).error().kind, ErrorKind::data);
}

TEST_F(TensorFileTest, BelievesNoHeader) {
  const std::string good = sample();
  const std::string weights = R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})";
  const auto with = [&](const std::string& json) { return said(edited(good, weights, json)); };
  EXPECT_EQ(with(weights), "");
  for (const char* json :
       {R"({"dtype":"F33","shape":[2,3],"data_offsets":[0,24]})",                      // no such type
        R"({"dtype":"F32","shape":[3,3],"data_offsets":[0,24]})",                      // too many elements
        R"({"dtype":"F32","shape":[-2,-3],"data_offsets":[0,24]})",                    // negative
        R"({"dtype":"F32","shape":[2,3.0],"data_offsets":[0,24]})",                    // no integer
        R"({"dtype":"F32","shape":[4611686018427387904,4,6],"data_offsets":[0,24]})",  // wraps to 0
        R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,24]})",
        R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,2,3],"data_offsets":[0,24]})",  // rank 9
        R"({"dtype":"F32","shape":[2,3],"data_offsets":[24,0]})",                // backwards
        R"({"dtype":"F32","shape":[2,3],"data_offsets":[3,27]})",                // over the other tensor
        R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,24,24]})", R"({"dtype":"F32","shape":[2,3]})",
        R"({"dtype":"F32","shape":[],"data_offsets":[0,4]})",  // leaves a hole
        R"([])", R"("x")", R"(3)", R"(null)"})
    EXPECT_TRUE(with(json).starts_with("m: is damaged: ")) << json << "\n" << with(json);
  EXPECT_TRUE(with(R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,18446744073709551615]})")
                  .starts_with("m: is cut short"));
  EXPECT_TRUE(said(edited(good, R"("name":"Größe")", R"("name":3)")).starts_with("m: is damaged"));
}

TEST_F(TensorFileTest, SurvivesRandomDamage) {
  const std::string good = sample();
  Philox random(7, 1);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    for (uint32_t n = 1 + random.below(4); n-- > 0;) {
      const size_t at = random.below(static_cast<uint32_t>(bad.size()));
      switch (random.below(3)) {
        case 0:
          bad[at] = static_cast<char>(random.next());
          break;
        case 1:
          bad.erase(at, random.below(9));
          break;
        default:
          bad.insert(at, bad.substr(random.below(static_cast<uint32_t>(bad.size())), random.below(9)));
      }
    }
    // With the sum made right, damage reaches the checks behind it.
    if (const size_t crc = bad.find("crc32:"); crc != std::string::npos && crc + 14 < bad.size() && i % 2)
      bad = summed(bad);
    const Result<TensorFile> file = parse_tensors(bad, "m");
    if (!file) continue;
    for (const TensorView& t : file->tensors) {
      ASSERT_EQ(static_cast<int64_t>(t.bytes.size()), t.type.bytes());
      (void)std::accumulate(t.bytes.begin(), t.bytes.end(), 0,
                            [](int a, std::byte b) { return a + static_cast<int>(b); });
    }
  }
}

TEST_F(TensorFileTest, RefusesToWriteWhatCannotBeRead) {
  const std::vector<float> x{1};
  const auto bytes = std::as_bytes(std::span(x));
  const Type one{DType::f32, {1}};
  EXPECT_FALSE(write_tensors(path("x"), {}, std::vector<TensorView>{{"a", one, bytes}, {"a", one, bytes}}));
  EXPECT_FALSE(write_tensors(path("x"), {}, std::vector<TensorView>{{"a", {DType::f32, {2}}, bytes}}));
  EXPECT_FALSE(write_tensors(path("x"), {}, std::vector<TensorView>{{"", one, bytes}}));
  EXPECT_FALSE(write_tensors(path("x"), {{"checksum", "1"}}, {}));
  EXPECT_EQ(write_tensors(path("x"), {{"a", "\xff"}}, {}).error().kind, ErrorKind::data);
  EXPECT_FALSE(std::filesystem::exists(path("x")));
  EXPECT_EQ(write_tensors(path("no/such/folder"), {}, {}).error().kind, ErrorKind::machine);
}

}  // namespace
}  // namespace shoestring::model
