#include "task/network_inputs.h"

#include <algorithm>
#include <numbers>

#include "base/overloaded.h"
#include "data/columns.h"
#include "model/number_embeddings.h"
#include "ops/augmentation.h"
#include "task/layer_words.h"
#include "task/network_images.h"

namespace shoestring::task {
namespace {

// The means that stand for the codes: [rows, width].
Value look_up_means(Value codes, int64_t words, const TargetTable* table) {
  const bool fitted = table && table->folds > 0;  // else of a recipe alone
  const int64_t width = fitted ? table->width : 1, entries = fitted ? (table->folds + 1) * words : words;
  std::vector<double> means{0};
  if (fitted) means.assign(table->means.begin(), table->means.end());
  return ops::gather(codes.graph().constant({DType::f32, {entries, width}}, means), codes);
}

Value encode_category(model::Forward& f, Value numbers, const std::string& name, int64_t entries,
                      const CategoryInput& input, const TargetTable* means) {
  const auto table = [&](const std::optional<InitializerSpec>& given, int64_t size,
                         model::Initializer otherwise, bool trainable, double dropout) {
    // torch.nn.init takes a table [entries, size] for a weight with `size` inputs.
    const model::Fans fans{size, entries};
    return model::dropout(f,
                          model::embedding(f, numbers, name,
                                           {.entries = entries,
                                            .size = size,
                                            .initializer = given ? initializer(*given, fans) : otherwise,
                                            .trainable = trainable}),
                          dropout);
  };
  return std::visit(
      Overloaded{
          [&](const EmbedEncoder& e) {
            return table(e.embedding_initializer, std::min(e.embedding_size, entries), model::uniform(-1, 1),
                         e.embeddings_trainable, e.dropout);
          },
          [&](const SparseEmbedEncoder& e) {
            // The identity that never learns is the one-hot code; no table is kept for it.
            if (!e.embedding_initializer && !e.embeddings_trainable)
              return model::dropout(f, ops::one_hot(numbers, entries), e.dropout);
            return table(e.embedding_initializer, entries, model::identity(), e.embeddings_trainable,
                         e.dropout);
          },
          [&](const OneHotEncoder&) { return ops::one_hot(numbers, entries); },
          [&](const HashEncoder& e) { return table({}, e.embedding_size, model::uniform(-1, 1), true, 0); },
          [&](const TargetEncoder&) { return look_up_means(numbers, entries, means); },
          [&](const PassthroughEncoder&) {
            return ops::reshape(ops::cast(numbers, DType::f32), {numbers.dims()[0], 1});
          },
      },
      input.encoder);
}

// The words of a row as a sum of their vectors: i32[rows, width] -> [rows, size]. Places without a word count
// nothing.
Value sum_of_words(model::Forward& f, Value words, const std::string& name, int64_t entries,
                   const WordsEncoder& e) {
  using namespace ops;  // arithmetic, spelled with operators
  const int64_t rows = words.dims()[0], width = words.dims()[1];
  const bool sparse = e.representation == Representation::sparse;
  // The identity that never learns is the count of each word.
  if (sparse && !e.embeddings_trainable) return ops::reduce_sum(ops::one_hot(words, entries), {1});
  const int64_t size = sparse                   ? entries
                       : e.force_embedding_size ? e.embedding_size
                                                : std::min(e.embedding_size, entries);
  const Value flat = ops::reshape(words, {rows * width});
  const Value vectors = model::embedding(f, flat, name,
                                         {.entries = entries,
                                          .size = size,
                                          .initializer = sparse ? model::identity() : model::uniform(-1, 1),
                                          .trainable = e.embeddings_trainable});
  const Value number = ops::cast(flat, DType::f32);
  const Value is_word = ops::less(
      number, ops::broadcast_like(f.graph().scalar(DType::f32, static_cast<double>(entries)), number));
  const Value masked =
      vectors * ops::broadcast(ops::reshape(is_word, {rows * width, 1}), {rows * width, size});
  return ops::reduce_sum(ops::reshape(masked, {rows, width, size}), {1});
}

// A stack over columns; without layers they are dropped out as the stack says, which then has no input to
// drop.
Value stack_over(model::Forward& f, Value x, const std::string& name, const FcStack& stack) {
  if (stack.layers.empty()) return model::dropout(f, x, stack.around.dropout);
  return model::fc_stack(f, x, name, stack_of(stack));
}

// The parts of a date as data::DateRows has them behind the year, with the period of each.
struct DatePart {
  const char* name;
  int64_t period;
};
constexpr DatePart kDateParts[] = {{"month", 12}, {"day", 31},    {"weekday", 7}, {"yearday", 366},
                                   {"hour", 24},  {"minute", 60}, {"second", 60}};
constexpr int64_t kDaySeconds = 86'400;
static_assert(std::size(kDateParts) + 2 == data::DateRows::kWidth);

// The cosine and the sine of a part over its period: [rows, 1] -> [rows, 1] each.
void add_wave(Value part, int64_t period, std::vector<Value>& pieces) {
  using namespace ops;  // arithmetic, spelled with operators
  const Value angle = part * (2 * std::numbers::pi / static_cast<double>(period));
  pieces.push_back(ops::cos(angle));
  pieces.push_back(ops::sin(angle));
}

// [rows, DateRows::kWidth] -> [rows, n]
Value encode_date(model::Forward& f, Value date, const std::string& name, const DateInput& input) {
  const FcStack& stack = std::visit([](const auto& e) -> const FcStack& { return e.stack; }, input.encoder);
  const auto* embed = std::get_if<DateEmbedEncoder>(&input.encoder);
  const model::Linear year{.output_size = 1,
                           .use_bias = stack.around.use_bias,
                           .weights = initializer_of(stack.around.weights_initializer),
                           .bias = initializer_of(stack.around.bias_initializer)};
  std::vector<Value> pieces{model::linear(f, ops::slice(date, 1, 0, 1), name + ".year", year)};
  int64_t at = 1;
  for (const DatePart& part : kDateParts) {
    const Value column = ops::slice(date, 1, at++, 1);
    if (!embed) {
      add_wave(column, part.period, pieces);
      continue;
    }
    const Value number = ops::cast(ops::reshape(column, {date.dims()[0]}), DType::i32);
    pieces.push_back(model::embedding(f, number, name + "." + part.name,
                                      {.entries = part.period, .size = embed->embedding_size}));
  }
  add_wave(ops::slice(date, 1, at, 1), kDaySeconds, pieces);
  return stack_over(f, ops::concat(pieces, 1), name, stack);
}

// A feature with a port of its own.
Value encode_own(model::Forward& f, Value port, const Inputs& inputs, const std::string& name, int64_t size,
                 const InputFeature& input, const TargetTable* means, const PixelScale& pixels) {
  if (!port.valid()) return port;
  const auto words = [&](const WordsEncoder& e) {
    return stack_over(f, sum_of_words(f, port, name, size, e), name, e.stack);
  };
  return std::visit(
      Overloaded{[&](const CategoryInput& c) { return encode_category(f, port, name, size, c, means); },
                 [&](const VectorInput& v) {
                   const auto* dense = std::get_if<DenseEncoder>(&v.encoder);
                   return dense ? model::fc_stack(f, port, name, stack_of(dense->stack)) : port;
                 },
                 [&](const SetInput& s) { return words(s.encoder); },
                 [&](const BagInput& b) { return words(b.encoder); },
                 [&](const DateInput& d) { return encode_date(f, port, name, d); },
                 [&](const ImageInput& i) { return encode_image(f, port, inputs, name, i, pixels); },
                 [&](const auto&) { return Value(); }},
      input.spec);
}

// Columns of "numbers", by runs: as few pieces as they stand in.
std::vector<Value> columns_of(Value numbers, const std::vector<int64_t>& wanted) {
  if (numbers.valid() && std::ssize(wanted) == numbers.dims()[1]) return {numbers};
  std::vector<Value> pieces;
  for (size_t begin = 0; begin < wanted.size();) {
    size_t end = begin + 1;
    while (end < wanted.size() && wanted[end] == wanted[end - 1] + 1) ++end;
    pieces.push_back(ops::slice(numbers, 1, wanted[begin], static_cast<int64_t>(end - begin)));
    begin = end;
  }
  return pieces;
}

Value side_by_side(const std::vector<Value>& pieces) {
  return pieces.size() == 1 ? pieces[0] : ops::concat(pieces, 1);
}

// Number inputs whose encoders are equal, so that one group of nodes can encode them.
struct NumberGroup {
  NumberEncoderSpec encoder;
  size_t first;                  // of its features: the group's states bear its name
  std::vector<int64_t> columns;  // of "numbers"
  model::Edges edges;
};

// So many bins of those that were fitted, which are as many as the most demanding encoder asks for.
model::Edges coarser(const model::Edges& edges, int64_t bins) {
  model::Edges out;
  for (const auto& of_one : edges) {
    const auto fitted = static_cast<int64_t>(of_one.size()) - 1, most = std::min(bins, fitted);
    auto& kept = out.emplace_back();
    for (int64_t b = 0; b <= most; ++b) kept.push_back(of_one[static_cast<size_t>(b * fitted / most)]);
  }
  return out;
}

// Without fitted bins (of a recipe alone) one from 0 to 1.
std::vector<double> edges_of(const NetworkSpec& spec, size_t input) {
  const bool fitted = input < spec.input_edges.size() && spec.input_edges[input].size() > 1;
  return fitted ? spec.input_edges[input] : std::vector<double>{0, 1};
}

Value encode_group(model::Forward& f, Value numbers, const std::string& name, const NumberGroup& group) {
  const Value x = side_by_side(columns_of(numbers, group.columns));
  const auto embedding = [](int64_t size, Activation activation, bool plus_input) {
    return model::NumberEmbedding{size, activation, plus_input};
  };
  return std::visit(
      Overloaded{
          [&](const PassthroughEncoder&) { return x; },
          [&](const DenseEncoder& e) { return model::fc_stack(f, x, name, stack_of(e.stack)); },
          [&](const PleEncoder& e) {
            return model::piecewise_linear(
                f, x, name, coarser(group.edges, e.num_bins),
                embedding(e.output_size.or_else(kUsualOutputs), e.activation, e.plus_input));
          },
          [&](const PeriodicEncoder& e) {
            const Value in = e.input == NumberView::quantile ? model::quantile_of(x, group.edges) : x;
            return model::periodic(
                f, in, name, {e.num_frequencies, e.sigma, e.shared_layer},
                embedding(e.output_size.or_else(kUsualOutputs), e.activation, e.plus_input));
          },
          [&](const BinsEncoder& e) {
            return model::binned(f, x, name, coarser(group.edges, e.num_bins),
                                 embedding(e.output_size.or_else(kUsualOutputs), Activation::none, false));
          },
      },
      group.encoder);
}

// What a feature that comes as a column of "numbers" is encoded by.
NumberEncoderSpec number_encoder(const InputFeature& input) {
  return std::visit(Overloaded{[](const NumberInput& n) { return n.encoder; },
                               [](const BinaryInput& b) {
                                 return std::visit([](const auto& e) { return NumberEncoderSpec(e); },
                                                   b.encoder);
                               },
                               [](const auto&) { return NumberEncoderSpec(); }},
                    input.spec);
}

// A stack of layers reads one value; without layers it passes the value through.
bool passes(const NumberEncoderSpec& encoder) {
  const auto* dense = std::get_if<DenseEncoder>(&encoder);
  return std::holds_alternative<PassthroughEncoder>(encoder) || (dense && dense->stack.layers.empty());
}

}  // namespace

std::string state_name(std::string_view feature) {
  std::string out;
  for (char c : feature) {
    if (c == '.' || c == '%')
      out += c == '.' ? "%2E" : "%25";
    else
      out += c;
  }
  return out;
}

Inputs declare_inputs(const model::Forward& forward, const NetworkSpec& spec, int64_t rows) {
  Graph& graph = forward.graph();
  Inputs out{{}, std::vector<Value>(spec.recipe.inputs.size())};
  if (const int64_t columns = number_columns(spec); columns > 0)
    out.numbers = graph.input("numbers", {DType::f32, {rows, columns}});
  for (size_t i = 0; i < spec.recipe.inputs.size(); ++i) {
    const InputFeature& input = spec.recipe.inputs[i];
    if (const int64_t kept = kept_features(spec, i); kept > 0)
      out.own[i] = graph.input(features_port_of(input), {DType::f32, {rows, kept}});
    else if (const std::string port = port_of(input); !port.empty())
      out.own[i] = graph.input(port, port_type(spec, i, rows));
    const auto* image = std::get_if<ImageInput>(&input.spec);
    if (image && forward.training() && !out.row_numbers.valid() &&
        ops::augmentation::needs_numbers(image->augmentation.steps()))
      out.row_numbers = graph.input("row_numbers", {DType::i32, {rows}});
  }
  return out;
}

Value encode_inputs(model::Forward& f, const NetworkSpec& spec, const std::vector<InputFeature>& features,
                    const Inputs& inputs, const std::string& prefix) {
  std::vector<int64_t> passing;
  std::vector<NumberGroup> groups;
  int64_t column = 0;
  for (size_t i = 0; i < features.size(); ++i) {
    if (!port_of(features[i]).empty()) continue;
    const NumberEncoderSpec encoder = number_encoder(features[i]);
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const NumberGroup& g) {
      return g.encoder == encoder && !std::holds_alternative<DenseEncoder>(encoder);
    });
    if (passes(encoder)) {
      passing.push_back(column++);
    } else if (same != groups.end()) {
      same->columns.push_back(column++);
      same->edges.push_back(edges_of(spec, i));
    } else {
      groups.push_back({encoder, i, {column++}, {edges_of(spec, i)}});
    }
  }
  std::vector<Value> pieces;
  if (!passing.empty()) pieces = columns_of(inputs.numbers, passing);
  size_t next = 0;  // groups stand in the order of their first features
  for (size_t i = 0; i < features.size(); ++i) {
    const std::string name = prefix + "input." + state_name(features[i].tied.value_or(features[i].name));
    if (kept_features(spec, i) > 0)
      pieces.push_back(inputs.own[i]);
    else if (!port_of(features[i]).empty())
      pieces.push_back(encode_own(f, inputs.own[i], inputs, name, spec.input_sizes[i], features[i],
                                  i < spec.input_targets.size() ? &spec.input_targets[i] : nullptr,
                                  i < spec.input_pixels.size() ? spec.input_pixels[i] : PixelScale()));
    else if (next < groups.size() && groups[next].first == i)
      pieces.push_back(encode_group(f, inputs.numbers, name, groups[next++]));
  }
  if (pieces.empty()) return f.graph().error("the recipe has no input features");
  return side_by_side(pieces);
}

void add_features(model::Forward& f, const NetworkSpec& spec, int64_t rows) {
  for (size_t i = 0; i < spec.recipe.inputs.size(); ++i) {
    if (kept_features(spec, i) == 0) continue;
    const InputFeature& input = spec.recipe.inputs[i];
    const Value pixels = f.graph().input(port_of(input), port_type(spec, i, rows));
    f.graph().output(features_port_of(input),
                     encode_image(f, pixels, {}, "input." + state_name(input.tied.value_or(input.name)),
                                  std::get<ImageInput>(input.spec),
                                  i < spec.input_pixels.size() ? spec.input_pixels[i] : PixelScale()));
  }
}

}  // namespace shoestring::task
