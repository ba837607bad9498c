#include "serve/models.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace shoestring::serve {
namespace {

Failure no_such_model(std::string_view name, const std::vector<Models::Entry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  const std::string near = nearest(name, names);
  return fail(
      ErrorKind::usage, fmt::format("there is no model '{}'", name), {},
      near.empty() ? fmt::format("there are: {}", listed(names)) : fmt::format("did you mean '{}'?", near));
}

}  // namespace

Status Models::load(const std::string& name, const std::string& path) {
  const std::scoped_lock one_at_a_time(loading_);
  auto model = LiveModel::load(name, path, options_);
  std::shared_ptr<LiveModel> old;  // let go of outside the lock: its last requests may have to be answered
  const std::scoped_lock lock(mutex_);
  auto entry = std::ranges::find(entries_, name, &Entry::name);
  if (!model) {
    if (entry != entries_.end()) entry->reason = model.error().message();
    return fail(model.error());
  }
  if (entry == entries_.end()) entry = entries_.insert(entries_.end(), {.name = name, .path = path});
  entry->path = path;
  old = std::exchange(entry->model, std::move(*model));
  entry->reason.clear();
  return {};
}

void Models::adopt(std::shared_ptr<LiveModel> model) {
  const std::string name = model->description().name, path = model->description().path;
  const std::scoped_lock lock(mutex_);
  auto entry = std::ranges::find(entries_, name, &Entry::name);
  if (entry == entries_.end()) entry = entries_.insert(entries_.end(), {.name = name});
  entry->path = path;
  entry->reason.clear();
  std::swap(entry->model, model);
}

Status Models::reload(const std::string& name) {
  std::string path;
  {
    const std::scoped_lock lock(mutex_);
    const auto entry = std::ranges::find(entries_, name, &Entry::name);
    if (entry == entries_.end()) return no_such_model(name, entries_);
    path = entry->path;
  }
  return load(name, path);
}

Status Models::unload(const std::string& name) {
  std::shared_ptr<LiveModel> old;
  const std::scoped_lock lock(mutex_);
  const auto entry = std::ranges::find(entries_, name, &Entry::name);
  if (entry == entries_.end()) return no_such_model(name, entries_);
  old = std::exchange(entry->model, nullptr);
  entry->reason = "unloaded";
  return {};
}

std::string Models::none_of(std::string_view name) const {
  return no_such_model(name.substr(0, 100), index()).value().message();
}

std::shared_ptr<LiveModel> Models::find(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = std::ranges::find(entries_, name, &Entry::name);
  return entry == entries_.end() ? nullptr : entry->model;
}

std::shared_ptr<LiveModel> Models::first() const {
  const std::scoped_lock lock(mutex_);
  return entries_.empty() ? nullptr : entries_.front().model;
}

std::vector<Models::Entry> Models::index() const {
  const std::scoped_lock lock(mutex_);
  return entries_;
}

void Models::drain() {
  for (const Entry& entry : index())
    if (entry.model) entry.model->batcher().drain();
}

}  // namespace shoestring::serve
