// What a folder or an archive of pictures is as a table, found by looking at what lies in it:
//   IDX        train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz]; t10k-… is the test split
//   NPY        x.npy and y.npy, x_train.npy and y_train.npy, …
//   one table  a CSV or another that data::open_table reads, whose cells name pictures beside it
//   classes    a folder for each, also below train/, valid/ (val/, validation/) and test/
//   pictures   without classes, for predict
// The columns are image_path, label where there are classes, and split (0 train, 1 validation, 2 test) where
// there are several. Rows are sorted by split, class and name.
#pragma once

#include <memory>

#include "data/file_tree.h"
#include "data/readers.h"

namespace shoestring::data {

Result<std::unique_ptr<TableReader>> open_picture_source(std::shared_ptr<const FileTree> tree,
                                                         const ReadOptions& options);

}  // namespace shoestring::data
