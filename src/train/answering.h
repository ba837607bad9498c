// What answering new rows with the model will take, once it is trained: of `predict`, and of a service that
// holds it. Each is a process of its own.
#pragma once

#include "budget/deadline.h"
#include "budget/ledger.h"
#include "train/dataset.h"

namespace shoestring::train {

// Fills ledger.memory's stages that are apart, and what 1,000 answers take. Compiles the forward plans, whose
// arenas are exact; the process is this one, as it is then; the table is one like that of training, or
// longer. To be called when the ledger's memory is filled and before the memory of the plans is taken.
// `reading_seconds`: of all rows of the data.
Status plan_answering(const Engine& engine, const Dataset& data, budget::Ledger& ledger);

// Of `rates`, and of reading the table and writing text.
double seconds_of_answers(const Dataset& data, const budget::Rates& rates, double reading_seconds,
                          int64_t rows);

}  // namespace shoestring::train
