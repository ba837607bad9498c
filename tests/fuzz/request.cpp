// The request path of the service: a body, in the form that the first byte chooses, to rows of a small model
// and to answers, or to a refusal that says why.
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "fuzz/fuzz.h"
#include "serve/live_model.h"
#include "train/train.h"
#include "unit/serve/all_kinds.h"

using namespace shoestring;

namespace {

std::shared_ptr<serve::LiveModel> trained_model() {
  set_thread_count(1);
  const train::Folder folder;
  const auto recipe =
      task::parse_document(serve::kAllKinds, "recipe.yaml").and_then([](const task::Document& d) {
        return task::parse_recipe(d);
      });
  fuzz::check(recipe.has_value(), "the recipe");
  const auto trained = train::train({.recipe = *recipe,
                                     .data = {.dataset = folder.write("t.csv", serve::all_kinds_table(100))},
                                     .output_directory = folder.file("out")},
                                    {});
  fuzz::check(trained.has_value(), "training");
  auto model = serve::LiveModel::load("m", trained->folder,
                                      {.batcher = {.where = serve::BatcherOptions::Where::caller}});
  fuzz::check(model.has_value(), "loading");
  return *model;
}

serve::OrRefusal<void> read(serve::RequestReader& reader, const std::shared_ptr<serve::LiveModel>& model,
                            std::string_view bytes, serve::Request& request) {
  const serve::ReadOptions options{.max_rows = 64};
  const char form = bytes.empty() ? 'j' : bytes[0];
  std::string_view body = bytes.substr(bytes.empty() ? 0 : 1);
  switch (form) {
    case 'f':
      return reader.read_form(model, body, "application/x-www-form-urlencoded", request, options);
    case 'm':
      return reader.read_form(model, body, "multipart/form-data; boundary=x", request, options);
    case 'k':
      return reader.read_kserve(model, body, 0, request, options);
    case 'b': {  // three digits: of the JSON before binary tensors
      size_t length = 0;
      for (int digit = 0; digit < 3 && !body.empty(); ++digit, body.remove_prefix(1))
        length = length * 10 + static_cast<size_t>(static_cast<unsigned char>(body[0]) % 16);
      return reader.read_kserve(model, body, length, request, options);
    }
    case 's':
      return reader.read_json(model, body, request, {.strict = false, .max_rows = 64});
    default:
      return reader.read_json(model, body, request, options);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto model = trained_model();
  static serve::RequestReader reader;
  static serve::Request request;
  const auto ok = read(reader, model, fuzz::text_of(data, size), request);
  if (!ok) {
    const serve::Refusal& refusal = ok.error();
    fuzz::check(!refusal.what.empty(), "a refusal says what is wrong");
    fuzz::check(refusal.faults.size() <= serve::kMostFaults, "faults are counted");
    fuzz::check(nlohmann::json::accept(to_json(refusal)), "a refusal is JSON");
    request.clear();
    return 0;
  }
  fuzz::check(request.rows >= 1 && request.rows <= 64, "rows within the limit");
  fuzz::check(answer(*model, request) == serve::Batcher::Taken::yes, "an idle model takes a request");
  std::string text;
  if (request.orientation == serve::Orientation::tensors) {
    const size_t header = write_kserve(request, "1", text);
    fuzz::check(nlohmann::json::accept(header ? text.substr(0, header) : text),
                "tensors have a head of JSON");
  } else {
    write_json(request, text);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    fuzz::check(!json.is_discarded(), "answers are JSON");
    const size_t rows = json.is_array() ? json.size() : json.contains("index") ? json["data"].size() : 1;
    fuzz::check(static_cast<int64_t>(rows) == request.rows, "each row has an answer");
  }
  request.clear();
  return 0;
}
