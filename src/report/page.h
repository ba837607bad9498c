// report.html: one file that opens without a network. Its parts stand in src/report/page/ and are compiled
// in, with Chart.js; the page's own script draws everything from the facts.
#pragma once

#include <span>
#include <string>

#include "base/error.h"

namespace shoestring::report {

// Writes the page of these facts, each as to_json() or report.json has it: one is shown, several are
// compared.
Status write_page(const std::string& path, std::span<const std::string> facts);

}  // namespace shoestring::report
