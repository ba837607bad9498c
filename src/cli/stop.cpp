#include "cli/stop.h"

#include <csignal>

#include "base/atomic_file.h"

namespace shoestring::cli {
namespace {

std::atomic<bool> stopped{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set it

void on_signal(int) { stopped.store(true, std::memory_order_relaxed); }

}  // namespace

const std::atomic<bool>* stop_flag() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);  // the next one ends the process
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A closed terminal may say so twice, by the kernel and by its shell; nohup asks not to hear of it.
  struct sigaction before {};
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  return &stopped;
}

const std::atomic<bool>* stop_flag(const std::string& dataset) {
  return dataset == "-" || is_stream(dataset) ? nullptr : stop_flag();
}

}  // namespace shoestring::cli
