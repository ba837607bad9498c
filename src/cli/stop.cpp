#include "cli/stop.h"

#include <csignal>

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
  return &stopped;
}

}  // namespace shoestring::cli
