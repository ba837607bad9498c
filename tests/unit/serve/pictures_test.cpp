// Pictures in requests: base64 in JSON, files in forms, bytes in tensors.
#include <filesystem>

#include "base/base64.h"
#include "unit/serve/service.h"

namespace shoestring::serve {
namespace {

std::string grey(int level) {
  std::string text = "P5\n6 5\n255\n";
  return text + std::string(30, static_cast<char>(level));
}

class PictureService : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<train::Folder>();
    for (const bool dark : {true, false}) {
      const std::string name = folder_->file(dark ? "p/dark" : "p/light");
      std::filesystem::create_directories(name);
      for (int i = 0; i < 30; ++i)
        folder_->write(std::string(dark ? "p/dark/" : "p/light/") + std::to_string(i) + ".pgm",
                       grey(dark ? 2 * i : 190 + 2 * i));
    }
    model_ = trained("out", "{}");
  }
  static std::shared_ptr<LiveModel> trained(const std::string& folder, const std::string& preprocessing) {
    const auto trained =
        train::train({.recipe = train::recipe_from(
                          "input_features: [{name: image_path, type: image, preprocessing: " + preprocessing +
                          ", encoder: {type: stacked_cnn, num_conv_layers: 1, out_channels: 3, output_size: "
                          "8}}]\n"
                          "output_features: [{name: label, type: category}]\n"
                          "trainer: {epochs: 20, batch_size: 8, learning_rate: 0.02}\n"),
                      .data = {.dataset = folder_->file("p")},
                      .output_directory = folder_->file(folder)},
                     {});
    EXPECT_TRUE(trained) << trained.error().message();
    if (!trained) return nullptr;
    auto model = LiveModel::load("m", trained->folder);
    EXPECT_TRUE(model) << model.error().message();
    return model ? *model : nullptr;
  }
  static void TearDownTestSuite() {
    model_.reset();
    folder_.reset();
  }

  // The answer's JSON, or the refusal's words.
  std::string answered(OrRefusal<void> read) { return answered(model_, std::move(read)); }
  std::string answered(const std::shared_ptr<LiveModel>& model, OrRefusal<void> read) {
    if (!read) return read.error().what;
    request_.when_done = [](Request&) {};
    model->batcher().submit(request_);
    while (model->batcher().run()) {
    }
    std::string text;
    write_json(request_, text);
    return text;
  }
  std::string json(const std::string& body) { return json(model_, body); }
  std::string json(const std::shared_ptr<LiveModel>& model, const std::string& body) {
    return answered(model, reader_.read_json(model, body, request_));
  }

  static std::string coded(const std::string& bytes) {
    return encode_base64(std::as_bytes(std::span(bytes)));
  }

  static inline std::unique_ptr<train::Folder> folder_;
  static inline std::shared_ptr<LiveModel> model_;
  RequestReader reader_;
  Request request_;
};

TEST_F(PictureService, TakesBase64) {
  for (const std::string& before : {std::string(), std::string("data:image/x-portable-graymap;base64,")}) {
    EXPECT_NE(json("{\"image_path\": \"" + before + coded(grey(10)) + "\"}").find("\"dark\""),
              std::string::npos);
    EXPECT_NE(json("{\"image_path\": \"" + before + coded(grey(240)) + "\"}").find("\"light\""),
              std::string::npos);
  }
}

TEST_F(PictureService, RefusesWhatIsNoPicture) {
  for (const std::string& text :
       {std::string("not base64!"), coded("no picture"), coded("P5\n6 5\n255\nshort"),
        std::string("/etc/passwd"), std::string("p/dark/0.pgm")}) {
    const std::string said = json("{\"image_path\": \"" + text + "\"}");
    EXPECT_NE(said.find("'image_path': expected a picture"), std::string::npos) << said;
  }
  EXPECT_NE(json("{\"image_path\": null}").find("got nothing"), std::string::npos);
}

TEST_F(PictureService, ARowWithoutAPictureHasThatOfTheOneAbove) {
  const auto model = trained("out_ffill", "{missing_value_strategy: ffill, fill_value: 250}");
  ASSERT_TRUE(model);
  for (const bool dark : {true, false}) {
    const std::string picture = "{\"image_path\": \"" + coded(grey(dark ? 10 : 240)) + "\"}";
    const std::string said = json(model, "[" + picture + ", {\"image_path\": null}, {\"image_path\": \"\"}]");
    EXPECT_EQ(said.find(dark ? "\"light\"" : "\"dark\""), std::string::npos) << said;
    EXPECT_NE(said.find(dark ? "\"dark\"" : "\"light\""), std::string::npos) << said;
  }
  // Nobody above: one of fill_value's colour.
  EXPECT_NE(json(model, "{\"image_path\": null}").find("\"light\""), std::string::npos);
}

TEST_F(PictureService, TakesAFileInAForm) {
  const std::string body =
      "--B\r\nContent-Disposition: form-data; name=\"image_path\"; filename=\"a.pgm\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" +
      grey(240) + "\r\n--B--\r\n";
  const std::string said =
      answered(reader_.read_form(model_, body, "multipart/form-data; boundary=B", request_));
  EXPECT_NE(said.find("\"light\""), std::string::npos) << said;
}

TEST_F(PictureService, TakesTheBytesOfAPicture) {
  ASSERT_TRUE(takes_a_picture(model_->description()));
  const auto said = [&](const std::string& bytes) {
    return answered(reader_.read_picture(model_, bytes, request_));
  };
  EXPECT_NE(said(grey(240)).find("\"light\""), std::string::npos) << said(grey(240));
  EXPECT_NE(said(grey(10)).find("\"dark\""), std::string::npos);
  EXPECT_NE(said("no picture").find("'image_path': expected a picture"), std::string::npos);
  EXPECT_NE(said("").find("'image_path'"), std::string::npos) << said("");
}

TEST_F(PictureService, TakesPixelsAsATensor) {
  // Two pictures of 2 x 3, of any size as files are: a dark one and a light one, grey and in colour.
  for (const int channels : {1, 3}) {
    std::string levels;
    const auto pixels = static_cast<size_t>(6 * channels);
    for (const int level : {10, 240})
      for (size_t i = 0; i < pixels; ++i) levels += (levels.empty() ? "" : ",") + std::to_string(level);
    const std::string head =
        "{\"inputs\":[{\"name\":\"image_path\",\"datatype\":\"UINT8\",\"shape\":[2,2,3," +
        std::to_string(channels) + "],";
    const auto as_json = reader_.read_kserve(model_, head + "\"data\":[" + levels + "]}]}", 0, request_);
    std::string said = answered(as_json);
    EXPECT_LT(said.find("\"dark\""), said.find("\"light\"")) << said;
    EXPECT_NE(said.find("\"light\""), std::string::npos) << said;
    const std::string header =
        head + "\"parameters\":{\"binary_data_size\":" + std::to_string(2 * pixels) + "}}]}";
    const std::string binary = std::string(pixels, static_cast<char>(240)) + std::string(pixels, '\n');
    said = answered(reader_.read_kserve(model_, header + binary, header.size(), request_));
    EXPECT_LT(said.find("\"light\""), said.find("\"dark\"")) << said;
    EXPECT_NE(said.find("\"dark\""), std::string::npos) << said;
  }
  const auto refused = [&](const std::string& type, const std::string& shape, const std::string& data) {
    return answered(reader_.read_kserve(model_,
                                        "{\"inputs\":[{\"name\":\"image_path\",\"datatype\":\"" + type +
                                            "\",\"shape\":" + shape + ",\"data\":[" + data + "]}]}",
                                        0, request_));
  };
  EXPECT_EQ(refused("FP32", "[1,1,2,1]", "0.5,0.5"),
            "'image_path': expected a shape of [1] of BYTES, or [1, height, width, channels] of UINT8 with "
            "1 to 4 channels, got [1, 1, 2, 1] of FP32");
  EXPECT_NE(refused("UINT8", "[1,1,2,5]", "1,2,3,4,5,6,7,8,9,10").find("got [1, 1, 2, 5] of UINT8"),
            std::string::npos);
  EXPECT_EQ(refused("UINT8", "[1,1,3,1]", "1,2"), "'image_path': expected 3 elements of UINT8, got 2");
  EXPECT_EQ(refused("UINT8", "[1,1,2,1]", "1,300"), "'image_path': expected UINT8, got 300");
  EXPECT_NE(refused("UINT8", "[1,2,2]", "1,2,3,4").find("[rows, height, width, channels]"),
            std::string::npos);
}

TEST_F(PictureService, ItsExampleIsOne) {
  const std::string said = json(model_->description().example);
  EXPECT_NE(said.find("label_predictions"), std::string::npos) << said;
}

}  // namespace
}  // namespace shoestring::serve
