// Counts the allocations of this executable too.
#include "unit/train/allocations.cpp"
