#include "budget/prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/caught.h"
#include "base/text.h"
#include "budget/prices_data.h"

namespace shoestring::budget {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "shoestring_prices";
constexpr int kVersion = 1;
constexpr double kGiB = double{1 << 30};

// Thrown by the readers below and caught in prices_from_json.
struct Malformed {
  std::string what, fix;
};

// An object whose every key is asked for: what is left over is unknown.
class Fields {
 public:
  Fields(const Json& json, std::string at) : json_(json), at_(std::move(at)) {
    if (!json.is_object()) throw Malformed{at_ + " is no object", {}};
  }
  const Json& need(const char* key) {
    known_.emplace_back(key);
    const auto found = json_.find(key);
    if (found == json_.end()) throw Malformed{fmt::format("{} lacks '{}'", at_, key), {}};
    return *found;
  }
  std::string text(const char* key) {
    const Json& value = need(key);
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      throw Malformed{fmt::format("'{}' of {} is no text", key, at_), {}};
    return value;
  }
  std::string text_or_none(const char* key) {
    known_.emplace_back(key);
    return json_.contains(key) ? text(key) : std::string();
  }
  double number(const char* key, double least) {
    const Json& value = need(key);
    if (value.is_number() && value.get<double>() >= least && value.get<double>() <= 1e9) return value;
    throw Malformed{fmt::format("'{}' of {} is {}, no number from {}", key, at_, value.dump(), least), {}};
  }
  void end() const {
    for (const auto& [key, value] : json_.items()) {
      if (std::ranges::find(known_, key) != known_.end()) continue;
      const std::string near = nearest(key, known_);
      throw Malformed{fmt::format("unknown key '{}' in {}", key, at_),
                      near.empty() ? "" : fmt::format("did you mean '{}'?", near)};
    }
  }

 private:
  const Json& json_;
  const std::string at_;
  std::vector<std::string> known_;
};

Instance instance_of(const Json& json, size_t i) {
  Fields f(json, fmt::format("instance {}", i + 1));
  Instance instance{.provider = f.text("provider"),
                    .name = f.text("name"),
                    .region = f.text("region"),
                    .usd_an_hour = f.number("usd_an_hour", 0),
                    .cores = static_cast<int>(f.number("cores", 1)),
                    .memory_bytes = std::llround(f.number("memory_gib", 0) * kGiB),
                    .gpu = f.text_or_none("gpu"),
                    .date = f.text("date"),
                    .source = f.text("source")};
  f.end();
  return instance;
}

Prices parse(const std::string& text) {
  const Json json = Json::parse(text);
  if (!json.is_object() || !json.contains(kFormat)) throw Malformed{"it is no list of prices", {}};
  Fields f(json, "the list");
  if (f.need(kFormat.data()) != kVersion)
    throw Malformed{
        fmt::format("it is of version {}, and this program reads {}", json.at(kFormat).dump(), kVersion), {}};
  Prices prices{.date = f.text("date")};
  const Json& instances = f.need("instances");
  if (!instances.is_array()) throw Malformed{"'instances' is no list", {}};
  for (size_t i = 0; i < instances.size(); ++i) prices.instances.push_back(instance_of(instances[i], i));
  Fields power(f.need("power"), "'power'");
  prices.power = {.core_watts = power.number("core_watts", 0),
                  .memory_watts_per_gib = power.number("memory_watts_per_gib", 0),
                  .overhead = power.number("overhead", 1),
                  .date = power.text("date"),
                  .source = power.text("source")};
  power.end();
  Fields grid(f.need("grid"), "'grid'");
  prices.grid = {.co2_g_per_kwh = grid.number("co2_g_per_kwh", 0),
                 .place = grid.text("place"),
                 .date = grid.text("date"),
                 .source = grid.text("source")};
  grid.end();
  f.end();
  return prices;
}

}  // namespace

Result<Prices> prices_from_json(const std::string& text, const std::string& path) {
  const auto wrong = [&](const std::string& what, const std::string& fix) {
    return fail(ErrorKind::data, "cannot read the prices: " + what, path,
                fix.empty() ? "mend the file, or leave it out for the built-in prices" : fix);
  };
  try {
    Prices prices = parse(text);
    prices.path = path;
    return prices;
  } catch (const Malformed& m) {
    return wrong(m.what, m.fix);
  } catch (const Json::exception&) {
    return wrong("it is no JSON", {});
  } catch (...) {
    return fail(caught());
  }
}

Prices built_in_prices() {
  Prices prices = prices_from_json(kBuiltInPrices, "prices.json").value_or(Prices{});
  prices.path.clear();
  return prices;
}

Result<Prices> load_prices(const std::string& file, const std::string& cache) {
  const std::string own = cache + "/prices.json";
  if (file.empty() && (cache.empty() || !file_exists(own))) return built_in_prices();
  const std::string& path = file.empty() ? own : file;
  auto text = read_file(path);
  if (!text) return fail(text.error());
  return prices_from_json(*text, path);
}

const Instance* cheapest(const Prices& prices, double cores, int64_t memory_bytes) {
  const Instance* best = nullptr;
  for (const Instance& i : prices.instances)
    if (i.gpu.empty() && i.cores >= cores && i.memory_bytes >= memory_bytes &&
        (!best || i.usd_an_hour < best->usd_an_hour))
      best = &i;
  return best;
}

Costs cost_of(const Spend& spend, const Prices& prices, double core_watts) {
  Costs costs;
  if (const Instance* i = cheapest(prices, spend.cores, spend.memory)) {
    costs.usd = spend.seconds / 3600 * i->usd_an_hour;
    costs.instance = fmt::format("{} {}, {}, {}", i->provider, i->name, i->region, i->date);
  }
  const double watts = (core_watts > 0 ? core_watts : prices.power.core_watts) * spend.cores +
                       prices.power.memory_watts_per_gib * static_cast<double>(spend.memory) / kGiB;
  costs.energy_wh = watts * prices.power.overhead * spend.seconds / 3600;
  costs.co2_g = costs.energy_wh / 1000 * prices.grid.co2_g_per_kwh;
  return costs;
}

}  // namespace shoestring::budget
