#include "serve/form_fields.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "data/batch.h"
#include "serve/url.h"

namespace shoestring::serve {
namespace {

using Fields = tl::expected<std::vector<FormField>, std::string>;

constexpr std::string_view kTooMany = "the form has too many fields";

// Of what came, as much as an error says.
std::string shown(std::string_view text) { return std::string(text.substr(0, 60)); }

Fields read_urlencoded(std::string_view body) {
  std::vector<FormField> fields;
  while (!body.empty()) {
    const size_t end = std::min(body.find('&'), body.size());
    const std::string_view pair = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true, kBehindValue);
    if (!name || !value)
      return tl::unexpected(fmt::format(
          "the form's field '{}' has a '%' without two hexadecimal digits behind it; write '%' as %25",
          shown(pair)));
    if (fields.size() >= kMostFields) return tl::unexpected(std::string(kTooMany));
    fields.push_back({std::move(*name), std::move(*value)});
  }
  return fields;
}

// The value of a parameter in a header: of `name` in `form-data; name="age"`.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  size_t at = header.find(';');
  while (at < header.size()) {
    std::string_view rest = data::trim(header.substr(at + 1));
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool found = lowered(data::trim(rest.substr(0, equals))) == name;
    rest.remove_prefix(equals + 1);
    std::string value;
    size_t used = 0;
    if (rest.starts_with('"')) {
      for (used = 1; used < rest.size() && rest[used] != '"'; ++used) {
        if (rest[used] == '\\' && used + 1 < rest.size()) ++used;
        value += rest[used];
      }
      if (used == rest.size()) return std::nullopt;
    } else {
      used = std::min(rest.find(';'), rest.size());
      value = data::trim(rest.substr(0, used));
    }
    if (found) return value;
    const size_t next = rest.find(';', used);
    if (next == std::string_view::npos) return std::nullopt;
    at = static_cast<size_t>(rest.data() + next - header.data());
  }
  return std::nullopt;
}

// A part's headers end at an empty line; its field's name stands in Content-Disposition.
tl::expected<FormField, std::string> read_part(std::string_view part, size_t number) {
  std::optional<std::string> name;
  while (true) {
    const size_t end = part.find("\r\n");
    if (end == std::string_view::npos)
      return tl::unexpected(
          fmt::format("part {} of the form has no empty line between its header and its value", number));
    const std::string_view line = part.substr(0, end);
    part.remove_prefix(end + 2);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && lowered(line.substr(0, colon)) == "content-disposition")
      name = parameter(line.substr(colon + 1), "name");
  }
  if (!name)
    return tl::unexpected(fmt::format(
        "part {} of the form has no name; write Content-Disposition: form-data; name=\"COLUMN\"", number));
  FormField field{std::move(*name), {}};
  field.value.reserve(part.size() + kBehindValue);
  field.value = part;
  return field;
}

Fields read_multipart(std::string_view body, std::string_view content_type) {
  const std::string boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || boundary.size() > 200)
    return tl::unexpected(
        std::string("Content-Type has no boundary; write multipart/form-data; boundary=WORD"));
  const std::string first = "--" + boundary, between = "\r\n--" + boundary;
  if (!body.starts_with(first))
    return tl::unexpected(fmt::format("the form does not begin with its boundary, '{}'", shown(first)));
  body.remove_prefix(first.size());
  std::vector<FormField> fields;
  while (!body.starts_with("--")) {
    const size_t end = body.starts_with("\r\n") ? body.find(between, 2) : std::string_view::npos;
    if (end == std::string_view::npos)
      return tl::unexpected(
          fmt::format("part {} of the form does not end with its boundary; the last one ends with '{}--'",
                      fields.size() + 1, shown(first)));
    if (fields.size() >= kMostFields) return tl::unexpected(std::string(kTooMany));
    auto field = read_part(body.substr(2, end - 2), fields.size() + 1);
    if (!field) return tl::unexpected(std::move(field.error()));
    fields.push_back(std::move(*field));
    body.remove_prefix(end + between.size());
  }
  return fields;
}

}  // namespace

Fields read_fields(std::string_view body, std::string_view content_type) {
  const std::string type = lowered(data::trim(content_type.substr(0, content_type.find(';'))));
  if (type == "application/x-www-form-urlencoded") return read_urlencoded(body);
  if (type == "multipart/form-data") return read_multipart(body, content_type);
  return tl::unexpected(std::string(
      "the body is no form; send it as application/x-www-form-urlencoded or multipart/form-data"));
}

}  // namespace shoestring::serve
