#include "serve/http.h"

#include "base/module.h"

namespace shoestring::serve {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

}  // namespace

std::string_view HttpExchange::header(std::string_view name) const {
  for (const HttpHeader& header : headers)
    if (same_name(header.name, name)) return header.value;
  return {};
}

std::string_view HttpExchange::query() const {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

Result<const HttpModule*> http_module() {
  static const Result<const HttpModule*> module = []() -> Result<const HttpModule*> {
    const auto entry = module_entry("shoestring_http.so", "shoestring_http_module");
    if (!entry) return fail(entry.error());
    const HttpModule* opened = reinterpret_cast<decltype(&shoestring_http_module)>(*entry)();
    if (opened->version != kHttpModuleVersion)
      return fail(ErrorKind::machine, "the module that serves is of another version", "shoestring_http.so",
                  "install Shoestring again");
    return opened;
  }();
  return module;
}

}  // namespace shoestring::serve
