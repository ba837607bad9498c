#include "serve/cells.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

#include "base/base64.h"
#include "base/overloaded.h"
#include "base/text.h"
#include "data/row_text.h"
#include "train/encoded.h"

namespace shoestring::serve {
namespace {

constexpr size_t kMostShown = 80;  // bytes of a cell or a key that an error says

// Cut where a character begins.
std::string shown(std::string_view text) {
  if (text.size() <= kMostShown) return std::string(text);
  size_t end = kMostShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

bool drops_missing(const task::Fit& fit) {
  return std::visit([](const auto& f) { return f.strategy == task::MissingValues::drop_row; }, fit);
}

}  // namespace

// ---- CellTable ---------------------------------------------------------------------------------

CellTable::CellTable(const task::NetworkSpec& spec, const task::Fits& fits, const RowLayout& layout,
                     const Description& description)
    : recipe_(&spec.recipe), fits_(&fits), layout_(&layout), description_(&description) {
  missing_row_.resize(static_cast<size_t>(layout.words));
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    Column column{.way = Way::column,
                  .required = drops_missing(fits.inputs[i]),
                  .offset = static_cast<size_t>(layout.offsets[i])};
    uint32_t& missing = missing_row_[column.offset];
    if (!task::looks_around(fits.inputs[i]))
      std::visit(Overloaded{[&](const task::NumberFit& f) {
                              column.way = Way::number, column.number = &f;
                              missing = std::bit_cast<uint32_t>(
                                  task::encode_cell(f, std::numeric_limits<double>::quiet_NaN()));
                            },
                            [&](const task::BinaryFit& f) {
                              column.way = Way::binary, column.binary = &f;
                              missing = std::bit_cast<uint32_t>(task::encode_cell(f, std::nullopt));
                            },
                            [&](const task::CategoryFit& f) {
                              column.way = Way::category;
                              column.category.emplace(f, f.vocabulary.size() <= 4);
                              missing = static_cast<uint32_t>(column.category->encode_missing());
                            },
                            [](const auto&) {}},
                 fits.inputs[i]);
    any_whole_ |= column.way == Way::column;
    columns_.push_back(std::move(column));
    add_name(spec.recipe.inputs[i].column);
  }
  for (const auto& output : spec.recipe.outputs) names_.emplace(output.column, kOutput);
}

void CellTable::add_name(const std::string& name) {
  const auto input = static_cast<int>(columns_.size()) - 1;
  Column& column = columns_.back();
  const auto described = std::ranges::find(description_->inputs, name, &InputColumn::name);
  column.described = static_cast<size_t>(described - description_->inputs.begin());
  const auto [first, is_new] = names_.emplace(described->name, input);
  if (!is_new) {
    int last = first->second;
    while (columns_[static_cast<size_t>(last)].next >= 0) last = columns_[static_cast<size_t>(last)].next;
    columns_[static_cast<size_t>(last)].next = input;
    return;
  }
  std::string text;
  data::append_json(text, name);
  keys_.push_back({text.substr(1), input});
}

int CellTable::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? kUnknown : found->second;
}

bool CellTable::answers(std::string_view column) const {
  for (const OutputColumns& output : description_->outputs)
    if (std::ranges::find(output.columns, column, &AnswerColumn::name) != output.columns.end()) return true;
  return false;
}

int64_t CellTable::reading_bytes() const {
  const auto row = layout_->words * static_cast<int64_t>(sizeof(uint32_t));
  const auto whole = std::ranges::count(columns_, Way::column, &Column::way);
  return whole > 0 ? 4 * row + kOfWholeCell * whole : row;  // of its own, gathered, grown, in the row
}

std::string CellTable::nearest_to(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& input : description_->inputs) names.push_back(input.name);
  return nearest(name.substr(0, kMostShown), names);
}

// ---- CellWriter --------------------------------------------------------------------------------

void CellWriter::begin(const CellTable& table, Request& request, const ReadOptions& options,
                       const RowBytes& row) {
  table_ = &table;
  request_ = &request;
  options_ = options;
  row_bytes_ = row;
  // A request of little is always taken: its connection keeps so much.
  options_.bytes_now = std::max(options_.bytes_now, static_cast<int64_t>(kKeptBytes));
  limit_rows(0);
  words_ = static_cast<size_t>(table.layout().words);
  row_ = -1;
  seen_in_.assign(table.columns().size(), -1);
  faults_.clear();
  request.cells.clear();
  request.rows = 0;
  whole_.clear();
  if (!table.any_whole()) return;
  whole_.resize(table.columns().size());
  for (size_t i = 0; i < whole_.size(); ++i)
    if (table.columns()[i].way == CellTable::Way::column) whole_[i].emplace(1);
}

bool CellWriter::add_row() {
  if (request_->rows >= rows_now_) return false;
  const auto& missing = table_->missing_row();
  request_->cells.insert(request_->cells.end(), missing.begin(), missing.end());
  at(request_->rows++);
  return true;
}

bool CellWriter::add_rows(int64_t count) {
  if (count < 0 || count > rows_now_) return false;
  request_->cells.reserve(static_cast<size_t>(count) * words_);
  for (int64_t r = 0; r < count; ++r) add_row();
  return true;
}

void CellWriter::at(int64_t row) {
  row_ = row;
  seen_ = 0;
}

bool CellWriter::take(int input) {
  int64_t& seen = seen_in_[static_cast<size_t>(input)];
  if (seen == row_) {
    fault(row_, table_->input(input).name, "one value a row", "a second one");
    return false;
  }
  seen = row_;
  ++seen_;
  return true;
}

void CellWriter::put(const CellTable::Column& column, float value) {
  row_cells()[column.offset] = std::bit_cast<uint32_t>(value);
}

void CellWriter::number(int input, double value, std::string_view text) {
  for (; input >= 0; input = column(input).next) number_of(input, value, text);
}
void CellWriter::text(int input, std::string_view text) {
  for (; input >= 0; input = column(input).next) text_of(input, text);
}
void CellWriter::missing(int input) {
  for (; input >= 0; input = column(input).next) missing_of(input);
}

void CellWriter::number_of(int input, double value, std::string_view text) {
  const CellTable::Column& column = this->column(input);
  if (column.way != CellTable::Way::number) return text_of(input, text);
  if (take(input)) put(column, task::encode_cell(*column.number, value));
}

void CellWriter::text_of(int input, std::string_view raw) {
  const CellTable::Column& column = this->column(input);
  const std::string_view text = data::trim(raw);
  if (data::is_missing(text)) return missing_of(input);
  if (!take(input)) return;
  const auto expected = [&] { fault(row_, table_->input(input).name, table_->input(input).expected, raw); };
  switch (column.way) {
    case CellTable::Way::number: {
      const auto value = data::parse_number(text);
      return value ? put(column, task::encode_cell(*column.number, *value)) : expected();
    }
    case CellTable::Way::binary: {
      const auto truth = task::truth_of(*column.binary, text);
      return truth ? put(column, task::encode_cell(*column.binary, truth)) : expected();
    }
    case CellTable::Way::category:
      row_cells()[column.offset] = static_cast<uint32_t>(column.category->encode_cell(text));
      return;
    case CellTable::Way::column: {
      data::BatchBuilder& whole = *whole_[static_cast<size_t>(input)];
      const bool is_picture = table_->input(input).type == task::FeatureType::image;
      if (!is_picture || data::is_picture(std::as_bytes(std::span(raw)))) return whole.cell(raw);
      const auto bytes = decode_base64(text);
      if (bytes) return whole.cell(*bytes);
      whole.null();
      expected();
    }
  }
}

void CellWriter::missing_of(int input) {
  const CellTable::Column& column = this->column(input);
  if (!take(input)) return;
  if (column.required) fault(row_, table_->input(input).name, table_->input(input).expected, "nothing");
  if (column.way == CellTable::Way::column) whole_[static_cast<size_t>(input)]->null();
}

void CellWriter::refuse(int input, std::string_view got) {
  if (take(input)) fault(row_, table_->input(input).name, table_->input(input).expected, got);
}

void CellWriter::unknown(std::string_view name) {
  if (!options_.strict || enough()) return;
  const std::string near = table_->nearest_to(name);
  fault(std::max<int64_t>(row_, 0), name,
        near.empty() ? "a column that the model takes"
                     : fmt::format("a column that the model takes: did you mean '{}'?", near),
        "an unknown one");
}

void CellWriter::fault(int64_t row, std::string_view column, std::string expected, std::string_view got) {
  if (enough()) return;
  if (!faults_.empty()) {  // two features that read one column are one fault
    const Fault& last = faults_.back();
    if (last.row == row && last.column == column && last.expected == expected) return;
  }
  faults_.push_back({row, shown(column), std::move(expected), shown(got)});
}

void CellWriter::end_row() {
  const size_t inputs = seen_in_.size();
  if (seen_ == inputs) return;
  if (seen_ == 0 && inputs > 0)
    return fault(row_, table_->input(0).name, table_->input(0).expected,
                 "a row with none of the model's columns");
  for (size_t i = 0; i < inputs; ++i)
    if (seen_in_[i] != row_) missing_of(static_cast<int>(i));
}

void CellWriter::end_columns() {
  if (!faults_.empty()) return;  // a column that broke off has told so
  for (size_t i = 0; i < seen_in_.size(); ++i) {
    if (seen_in_[i] == request_->rows - 1) continue;
    for (int64_t row = 0; row < request_->rows && !enough(); ++row) {
      at(row);
      missing_of(static_cast<int>(i));
    }
  }
}

int64_t CellWriter::rows_in(int64_t bytes, int64_t reading_bytes) const {
  return std::min((bytes - reading_bytes) / std::max<int64_t>(1, row_bytes_.reading),
                  bytes / std::max<int64_t>(1, row_bytes_.answered));
}

void CellWriter::limit_rows(int64_t reading_bytes) {
  most_rows_ = std::min(options_.max_rows, rows_in(options_.most_bytes, reading_bytes));
  rows_now_ = std::min(most_rows_, rows_in(options_.bytes_now, reading_bytes));
}

Refusal CellWriter::too_many_rows(int64_t rows) const {
  if (rows <= most_rows_) return {.why = Refusal::Why::busy, .what = "too much is being answered at once"};
  return {.why = Refusal::Why::too_large,
          .what = fmt::format("more than {}; send them in parts", count_of(most_rows_, "row"))};
}

OrRefusal<void> CellWriter::make_room(std::string_view body, int64_t reading_bytes, int64_t rows) {
  if (body.size() <= kReaderBytes) {
    reading_bytes = 0;
  } else if (table_->any_whole()) {  // they are collected first
    reading_bytes += kOfWholeColumns * static_cast<int64_t>(body.size());
  }
  if (reading_bytes > options_.most_bytes)
    return tl::unexpected(Refusal{
        .why = Refusal::Why::too_large,
        .what =
            fmt::format("reading the body takes {} beside it, and {} are there; send the rows in parts",
                        human_bytes(reading_bytes), human_bytes(std::max<int64_t>(0, options_.most_bytes)))});
  if (reading_bytes > options_.bytes_now)
    return tl::unexpected(Refusal{.why = Refusal::Why::busy, .what = "too much is being read at once"});
  limit_rows(reading_bytes);
  request_->cells.reserve(static_cast<size_t>(std::max<int64_t>(0, std::min(rows, rows_now_))) * words_);
  return {};
}

OrRefusal<void> CellWriter::finish() {
  if (table_->any_whole() && faults_.empty())
    for (size_t i = 0; i < whole_.size(); ++i)
      if (whole_[i]) whole_column(i);
  if (faults_.empty() && request_->rows > 0) return {};
  Refusal refusal{.why = Refusal::Why::unprocessable};
  if (faults_.empty()) {
    refusal.what = "there is no row";
    return tl::unexpected(std::move(refusal));
  }
  const Fault& first = faults_.front();
  const std::string place = request_->rows > 1 ? fmt::format("row {}, ", first.row) : std::string();
  refusal.what = fmt::format("{}'{}': expected {}, got {}", place, first.column, first.expected, first.got);
  if (faults_.size() > 1)
    refusal.what += fmt::format("; and {} more{}", faults_.size() - 1, enough() ? ", perhaps not all" : "");
  refusal.faults = std::move(faults_);
  faults_.clear();
  return tl::unexpected(std::move(refusal));
}

// As prediction does: cells to a raw column, that to an encoded one, that into the rows.
void CellWriter::whole_column(size_t input) {
  const int64_t rows = request_->rows;
  const task::Fit& fit = table_->fits().inputs[input];
  const CellTable::Column& column = table_->columns()[input];
  train::RawColumn raw = std::move(train::RawColumns(table_->recipe(), false).inputs[input]);
  data::BadCells bad;
  const data::RecordBatch batch = whole_[input]->finish();
  std::visit(Overloaded{[](std::monostate&) {}, [&](auto& cells) { cells.append(batch.column(0), 0, bad); }},
             raw);
  std::vector<float> numbers(static_cast<size_t>(rows));
  train::EncodedColumn own;
  task::FillState state;
  train::encode_input(fit, raw, rows, nullptr, {numbers.data(), rows, 1}, own, &bad, 0, {.state = &state});
  if (bad.count > 0) {
    const InputColumn& wanted = table_->input(static_cast<int>(input));
    // Of a picture what is wrong with it: its bytes say nothing to people.
    std::string got = bad.first_value;
    if (!bad.reasons.empty())
      got = "one that cannot be read: " + bad.reasons[0].substr(bad.reasons[0].rfind(": ") + 2);
    return fault(bad.first_row, wanted.name, wanted.expected, got);
  }
  for (uint32_t r = 0; r < static_cast<uint32_t>(rows); ++r) {
    uint32_t* const cell = request_->cells.data() + r * words_ + column.offset;
    if (std::holds_alternative<std::monostate>(own))
      *cell = std::bit_cast<uint32_t>(numbers[r]);
    else
      train::gather(own, std::span(&r, 1), 1, cell);
  }
}

}  // namespace shoestring::serve
