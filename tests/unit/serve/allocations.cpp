#include "unit/train/allocations.cpp"
