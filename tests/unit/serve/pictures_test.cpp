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
    const auto trained =
        train::train({.recipe = train::recipe_from(
                          "input_features: [{name: image_path, type: image, encoder: {type: stacked_cnn, "
                          "num_conv_layers: 1, out_channels: 3, output_size: 8}}]\n"
                          "output_features: [{name: label, type: category}]\n"
                          "trainer: {epochs: 20, batch_size: 8, learning_rate: 0.02}\n"),
                      .data = {.dataset = folder_->file("p")},
                      .output_directory = folder_->file("out")},
                     {});
    ASSERT_TRUE(trained) << trained.error().message();
    auto model = LiveModel::load("m", trained->folder);
    ASSERT_TRUE(model) << model.error().message();
    model_ = *model;
  }
  static void TearDownTestSuite() {
    model_.reset();
    folder_.reset();
  }

  // The answer's JSON, or the refusal's words.
  std::string answered(OrRefusal<void> read) {
    if (!read) return read.error().what;
    request_.when_done = [](Request&) {};
    model_->batcher().submit(request_);
    while (model_->batcher().run()) {
    }
    std::string text;
    write_json(request_, text);
    return text;
  }
  std::string json(const std::string& body) { return answered(reader_.read_json(model_, body, request_)); }

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

TEST_F(PictureService, TakesAFileInAForm) {
  const std::string body =
      "--B\r\nContent-Disposition: form-data; name=\"image_path\"; filename=\"a.pgm\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" +
      grey(240) + "\r\n--B--\r\n";
  const std::string said =
      answered(reader_.read_form(model_, body, "multipart/form-data; boundary=B", request_));
  EXPECT_NE(said.find("\"light\""), std::string::npos) << said;
}

TEST_F(PictureService, ItsExampleIsOne) {
  const std::string said = json(model_->description().example);
  EXPECT_NE(said.find("label_predictions"), std::string::npos) << said;
}

}  // namespace
}  // namespace shoestring::serve
