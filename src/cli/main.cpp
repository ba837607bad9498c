#include <cstdio>

int main() {
  std::puts("shoestring " SHOESTRING_VERSION);
  return 0;
}
