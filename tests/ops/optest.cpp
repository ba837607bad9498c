// optest: the operators' test program. README.md says what it checks and how rows are written.
//
//   optest [OPERATOR…] [--row LINE[.K]] [--only kernels|gradients|torch|compiled]… [--isa NAME]
//          [--threads N] [--config NAME] [--list] [--self] [--time [SECONDS]] [--folder tests/ops]

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/parallel.h"
#include "ops/check.h"
#include "ops/check_compiled.h"
#include "ops/ops.h"
#include "ops/self_check.h"

namespace shoestring::optest {
namespace {

struct Arguments {
  std::vector<std::string> operators, only, isas, configs;
  std::string row, folder = "tests/ops";
  std::vector<int> threads;
  bool list = false, self = false;
  double seconds = 0;

  static bool has(const std::vector<std::string>& list, std::string_view word) {
    return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
  }
  bool checks(std::string_view what) const { return has(only, what); }
};

// For the signal handler: a kernel that reads or writes past a guard page dies here, and says where.
char g_running[512];
void died(int signal) {
  const char text[] = "\nFAILED by a memory fault (or an abort) in: ";
  [[maybe_unused]] auto n = write(2, text, sizeof text - 1);
  n = write(2, g_running, strnlen(g_running, sizeof g_running));
  n = write(2, "\n", 1);
  _exit(128 + signal);
}
void running(const Row& row, std::string_view flags) {
  std::snprintf(g_running, sizeof g_running, "optest %s --row %s %.*s", std::string(row.op->name).c_str(),
                row.number().c_str(), static_cast<int>(flags.size()), flags.data());
}

struct Suite {
  Arguments arguments;
  std::vector<RowFile> files;
  std::vector<Case> cases;
  Report report;
  std::vector<Isa> isas;
  int missing = 0;

  bool load() {
    for (const std::string& name : arguments.operators)
      if (!ops::find(name)) {
        std::fprintf(stderr, "optest: no operator '%s'\n", name.c_str());
        return false;
      }
    for (const OpDef* op : ops::all()) {
      if (!Arguments::has(arguments.operators, op->name)) continue;
      const std::string path = fmt::format("{}/{}.optest", arguments.folder, op->name);
      if (!std::filesystem::exists(path)) {
        std::printf("FAILED %s: no file %s: an operator needs rows\n", std::string(op->name).c_str(),
                    path.c_str());
        ++missing;
        continue;
      }
      Result<RowFile> file = parse_rows(*op, path);
      if (!file) {
        std::printf("FAILED %s\n", file.error().message().c_str());
        ++missing;
        continue;
      }
      if (file->rows.empty()) ++missing, std::printf("FAILED %s: no rows\n", path.c_str());
      if (op->doc.empty()) ++missing, std::printf("FAILED %s: no doc line\n", path.c_str());
      files.push_back(std::move(*file));
    }
    if (arguments.operators.empty()) missing += strays();
    return true;
  }

  // Files of operators that do not exist (any more).
  int strays() const {
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(arguments.folder))
      if (entry.path().extension() == ".optest" && !ops::find(entry.path().stem().string()))
        ++n, std::printf("FAILED %s: there is no such operator\n", entry.path().c_str());
    return n;
  }

  void check_rows() {
    for (const RowFile& file : files)
      for (const Row& row : file.rows) {
        const bool wanted = arguments.row.empty() || row.number() == arguments.row ||
                            std::to_string(row.line) == arguments.row;
        if (!wanted) continue;
        running(row, "--only types");
        if (auto c = check_types(row, file, report)) cases.push_back(std::move(*c));
      }
    for (const Case& c : cases) {
      running(c.row, "--only types");
      check_reference(c, report);
    }
  }

  void run() {
    check_rows();
    for (const Case& c : cases) {
      if (arguments.checks("gradients")) running(c.row, "--only gradients"), check_gradients(c, report);
      if (arguments.checks("torch"))
        running(c.row, "--only torch"), check_torch(c, arguments.folder + "/torch", report);
    }
    if (arguments.checks("kernels"))
      for (const int threads : arguments.threads.empty() ? std::vector{1, 2, 3} : arguments.threads) {
        set_thread_count(threads);
        KernelOptions options{.isas = isas, .threads = threads, .seconds_per_kernel = arguments.seconds};
        options.say = [](const std::string& line) { std::printf("%s\n", line.c_str()); };
        for (const Case& c : cases) {
          running(c.row, fmt::format("--only kernels --threads {}", threads));
          check_kernels(c, options, report);
        }
      }
    if (arguments.checks("compiled")) {
      const int threads = arguments.threads.empty() ? 2 : arguments.threads.back();
      for (const Configuration& configuration : configurations()) {
        if (!Arguments::has(arguments.configs, configuration.name)) continue;
        set_thread_count(configuration.one_thread ? 1 : threads);
        for (const Case& c : cases) {
          running(c.row, fmt::format("--only compiled --config {}", configuration.name));
          check_compiled(c, configuration, isas.back(), threads, report);
        }
      }
    }
  }

  // Operator, gradient, then each kernel with the instruction sets where it took some row.
  void print_support() const {
    std::printf("%-22s %-5s %-24s %s\n", "operator", "rows", "gradient", "kernels");
    for (const OpDef* op : ops::all()) {
      if (!Arguments::has(arguments.operators, op->name)) continue;
      int rows = 0;
      for (const Case& c : cases) rows += c.row.op == op;
      std::string gradient = op->grad                            ? "yes"
                             : op->expand && op->no_grad.empty() ? "of its expansion"
                             : op->no_grad.empty()               ? "MISSING"
                                                                 : "none: " + std::string(op->no_grad);
      std::string kernels;
      for (const auto& [kernel, accepted] : report.support(*op)) {
        kernels += kernels.empty() ? kernel : "; " + kernel;
        if (kernel != "view")
          for (const Isa isa : accepted) kernels += " " + std::string(isa_name(isa));
      }
      if (op->expand) kernels += kernels.empty() ? "expands" : "; expands";
      std::printf("%-22s %-5d %-24s %s\n", std::string(op->name).c_str(), rows, gradient.c_str(),
                  kernels.c_str());
      for (const std::string& refusal : report.refusals(*op))
        std::printf("%-53s   refused: %s\n", "", refusal.c_str());
    }
  }

  int finish() const {
    for (const Failure& f : report.failures())
      std::printf("FAILED %s: %s\n    %s\n", f.where.c_str(), f.what.c_str(), f.command.c_str());
    std::printf("%zu operators, %zu rows, %lld checks, %zu failures\n", files.size(), cases.size(),
                static_cast<long long>(report.checks()),
                report.failures().size() + static_cast<size_t>(missing));
    return report.failures().empty() && missing == 0 && !files.empty() ? 0 : 1;
  }
};

std::optional<Arguments> parse_arguments(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc && argv[i + 1][0] != '-';
    if (word == "--list")
      a.list = true;
    else if (word == "--self")
      a.self = true;
    else if (word == "--time")
      a.seconds = more ? std::atof(argv[++i]) : 0.05;
    else if (word == "--row" && more)
      a.row = argv[++i];
    else if (word == "--only" && more)
      a.only.emplace_back(argv[++i]);
    else if (word == "--isa" && more)
      a.isas.emplace_back(argv[++i]);
    else if (word == "--threads" && more)
      a.threads.push_back(std::max(1, std::atoi(argv[++i])));
    else if (word == "--config" && more)
      a.configs.emplace_back(argv[++i]);
    else if (word == "--folder" && more)
      a.folder = argv[++i];
    else if (word[0] != '-')
      a.operators.push_back(word);
    else
      return std::nullopt;
  }
  return a;
}

int run_suite(int argc, char** argv) {
  std::optional<Arguments> arguments = parse_arguments(argc, argv);
  if (!arguments) {
    std::fprintf(
        stderr,
        "usage: optest [OPERATOR...] [--row LINE[.K]] [--only kernels|gradients|torch|compiled] [--isa "
        "NAME]\n"
        "              [--threads N] [--config NAME] [--list] [--self] [--time [SECONDS]] [--folder "
        "tests/ops]\n");
    return 2;
  }
  for (const int s : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(s, died);
  if (arguments->self) {
    const std::vector<std::string> wrong = self_check();
    for (const std::string& w : wrong) std::printf("FAILED to catch %s\n", w.c_str());
    return wrong.empty() ? 0 : 1;
  }
  Suite suite{.arguments = std::move(*arguments)};
  if (suite.arguments.list) suite.arguments.only = {"kernels"};
  if (suite.arguments.seconds > 0) suite.arguments.only = {"kernels"};
  for (const Isa isa : machine_isas())
    if (Arguments::has(suite.arguments.isas, isa_name(isa))) suite.isas.push_back(isa);
  if (suite.isas.empty()) {
    std::fprintf(stderr, "optest: this machine lacks %s\n", suite.arguments.isas[0].c_str());
    return 2;
  }
  if (!suite.load()) return 2;
  suite.run();
  if (suite.arguments.list) suite.print_support();
  return suite.finish();
}

}  // namespace
}  // namespace shoestring::optest

int main(int argc, char** argv) { return shoestring::optest::run_suite(argc, argv); }
