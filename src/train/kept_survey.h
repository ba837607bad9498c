// Surveys that are kept between two processes, as plan and train are: a long table is then looked at once. A
// file for each in a folder of the user's, the newest few, none larger than some MiB.
#pragma once

#include <string>
#include <vector>

#include "train/survey.h"

namespace shoestring::train {

// Everything that a survey hangs on but for the content of the files, which their stamps stand for.
std::string survey_key(const DataFiles& files, const task::Recipe& recipe, const StreamBuffers& buffers,
                       uint64_t seed);

// What was told of the table, to be told again.
using Told = std::vector<std::pair<LogLevel, std::string>>;
struct KeptSurvey {
  Surveyed surveyed;
  Told told;
};

// The survey of this key, if the files are still what they were; nothing too where what was kept is damaged
// or of another version.
std::optional<KeptSurvey> find_survey(const std::string& folder, const std::string& key);
// Keeps it if it can: one that cannot be kept costs a second look, no more.
void keep_survey(const std::string& folder, const std::string& key, const KeptSurvey& survey);

}  // namespace shoestring::train
