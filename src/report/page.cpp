#include "report/page.h"

#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "report/page_data.h"  // made by the build of src/report/page/ and Chart.js

namespace shoestring::report {

Status write_page(const std::string& path, std::span<const std::string> facts) {
  auto file = AtomicFile::create(path);
  if (!file) return fail(file.error());
  std::vector<std::string_view> parts{
      kPageHead,    "<style>\n",
      kPageStyle,   "</style>\n",
      kPageBody,    "<script>",
      kPageChartJs, "</script>\n<script>\n",
      kPageScript,  "</script>\n<script type=\"application/json\" id=\"facts\">["};
  for (size_t i = 0; i < facts.size(); ++i) {
    if (i > 0) parts.push_back(",");
    parts.push_back(facts[i]);
  }
  parts.push_back("]</script>\n<script>Report.show();</script>\n</body>\n</html>\n");
  for (const std::string_view part : parts)
    if (auto ok = file->write(part); !ok) return ok;
  return file->commit(false);
}

}  // namespace shoestring::report
