#include "compile/recompute_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/philox.h"

namespace shoestring {
namespace {

// Work in looking at choices: events that are walked through.
constexpr int64_t kMostWork = 20'000'000;

// A choice, played through. Piece p computed again is number p + pieces.
class Play {
 public:
  explicit Play(const KeepingProblem& problem)
      : problem_(problem), n_(static_cast<uint32_t>(problem.pieces.size())) {}

  Kept run(const std::vector<char>& again) {
    again_ = &again;
    events_.clear();
    reads_.clear();
    seconds_ = 0;
    made_again_.assign(n_, 0);
    for (uint32_t s = 0; s < problem_.steps.size(); ++s) {
      const KeepingProblem::Step& step = problem_.steps[s];
      if (step.late)
        for (uint32_t p : step.reads) make_again(p);
      push(step.reads, step.late, static_cast<int>(s), 0);
    }
    return {.bytes = measure(), .seconds = seconds_};
  }

  int64_t work() const { return work_; }
  // After run(): the pieces that lie unread through the fullest step, between early and late readers.
  std::vector<uint32_t> waiting() const {
    std::vector<uint32_t> out;
    for (uint32_t p = 0; p < n_; ++p)
      if (problem_.pieces[p].seconds >= 0 && !(*again_)[p] && !problem_.pieces[p].stays &&
          last_early_[p] < fullest_ && fullest_ < first_late_[p] && made_[p] < fullest_ &&
          first_late_[p] != kNever)
        out.push_back(p);
    return out;
  }

 private:
  static constexpr int kNever = std::numeric_limits<int>::max();
  struct Event {
    uint32_t begin, end;  // in reads_
    int step;             // or -1:
    uint32_t again;       // this piece is computed again
  };

  void push(const std::vector<uint32_t>& reads, bool late, int step, uint32_t piece) {
    const auto begin = static_cast<uint32_t>(reads_.size());
    for (uint32_t p : reads) reads_.push_back(late && (*again_)[p] ? p + n_ : p);
    events_.push_back({begin, static_cast<uint32_t>(reads_.size()), step, piece});
  }
  void make_again(uint32_t p) {
    if (!(*again_)[p] || made_again_[p]) return;
    made_again_[p] = 1;
    for (uint32_t q : problem_.pieces[p].from) make_again(q);
    push(problem_.pieces[p].from, true, -1, p);
    seconds_ += problem_.pieces[p].seconds;
  }

  int64_t bytes_of(uint32_t p) const {
    return p < n_ ? problem_.pieces[p].bytes : problem_.pieces[p - n_].again_bytes;
  }

  int64_t measure() {
    const auto count = static_cast<int>(events_.size());
    work_ += static_cast<int64_t>(reads_.size()) + count;
    last_.assign(2 * n_, -1);
    made_.assign(2 * n_, -1);
    last_early_.assign(n_, -1);
    first_late_.assign(n_, kNever);
    for (int e = 0; e < count; ++e) {
      const Event& event = events_[static_cast<size_t>(e)];
      const bool late = event.step < 0 || problem_.steps[static_cast<size_t>(event.step)].late;
      for (uint32_t i = event.begin; i < event.end; ++i) {
        const uint32_t p = reads_[i];
        last_[p] = e;
        if (p >= n_) continue;
        if (late)
          first_late_[p] = std::min(first_late_[p], e);
        else
          last_early_[p] = e;
      }
      for_made(event, [&](uint32_t p) { made_[p] = last_[p] = e; });
    }
    ends_.assign(static_cast<size_t>(count) + 1, 0);
    int64_t live = 0, most = 0;
    for (uint32_t p = 0; p < 2 * n_; ++p) {
      if (p < n_ && problem_.pieces[p].stays) last_[p] = count;
      if (last_[p] < 0) continue;
      ends_[static_cast<size_t>(last_[p])] += bytes_of(p);
      if (made_[p] < 0) live += bytes_of(p);
    }
    fullest_ = -1;
    most = live;
    for (int e = 0; e < count; ++e) {
      const Event& event = events_[static_cast<size_t>(e)];
      int64_t makes = 0, taken_over = 0;
      for_made(event, [&](uint32_t p) {
        makes += bytes_of(p);
        if (event.step < 0 || !problem_.steps[static_cast<size_t>(event.step)].in_place) return;
        for (uint32_t i = event.begin; i < event.end; ++i)
          if (last_[reads_[i]] == e && bytes_of(reads_[i]) == bytes_of(p) && taken_over == 0)
            taken_over = bytes_of(p);
      });
      if (const int64_t now = live + makes - taken_over; now > most) {
        most = now;
        fullest_ = e;
      }
      live += makes - ends_[static_cast<size_t>(e)];
    }
    return most;
  }

  template <class F>
  void for_made(const Event& event, F&& f) const {
    if (event.step < 0)
      f(event.again + n_);
    else
      for (uint32_t p : problem_.steps[static_cast<size_t>(event.step)].makes) f(p);
  }

  const KeepingProblem& problem_;
  const uint32_t n_;
  const std::vector<char>* again_ = nullptr;
  std::vector<Event> events_;
  std::vector<uint32_t> reads_;
  std::vector<char> made_again_;
  std::vector<int> last_, made_, last_early_, first_late_;
  std::vector<int64_t> ends_;  // event -> bytes that end with it
  double seconds_ = 0;
  int fullest_ = -1;
  int64_t work_ = 0;
};

class Search {
 public:
  Search(const KeepingProblem& problem, int64_t limit) : problem_(problem), limit_(limit), play_(problem) {
    read_late_.assign(problem.pieces.size(), 0);
    for (const KeepingProblem::Step& s : problem.steps)
      if (s.late)
        for (uint32_t p : s.reads) read_late_[p] = 1;
    for (uint32_t p = 0; p < problem.pieces.size(); ++p)
      if (problem.pieces[p].seconds >= 0 && !problem.pieces[p].stays) open_.push_back(p);
  }

  std::vector<char> run(size_t try_all) {
    best_.assign(problem_.pieces.size(), 0);
    best_kept_ = play_.run(best_);
    if (best_kept_.bytes <= limit_) return best_;
    if (open_.size() <= try_all) {
      std::vector<char> again(best_.size(), 0);
      for (uint32_t bits = 1; bits < 1u << open_.size(); ++bits) {
        for (size_t i = 0; i < open_.size(); ++i) again[open_[i]] = bits >> i & 1;
        consider(again, play_.run(again));
      }
      return best_;
    }
    const int64_t whole = best_kept_.bytes;
    for (const Way way : {Way::by_effect, Way::by_bytes, Way::cheapest}) {
      if (spent()) break;
      std::vector<char> again = greedy(way);
      Kept kept = play_.run(again);
      if (kept.bytes <= limit_) take_out(again, kept);
      consider(again, kept);
    }
    anneal(whole);
    if (best_kept_.bytes <= limit_) take_out(best_, best_kept_);
    return best_;
  }

 private:
  enum class Way { by_effect, by_bytes, cheapest };

  bool spent() const { return play_.work() > kMostWork; }
  bool better(const Kept& a, const Kept& b) const {
    const bool fits = a.bytes <= limit_, other = b.bytes <= limit_;
    if (fits != other) return fits;
    if (fits) return a.seconds != b.seconds ? a.seconds < b.seconds : a.bytes < b.bytes;
    return a.bytes < b.bytes;
  }

  void consider(const std::vector<char>& again, const Kept& kept) {
    if (better(kept, best_kept_)) best_ = again, best_kept_ = kept;
  }

  // From the best choice so far: one piece in or out, or one for another.
  void anneal(int64_t whole) {
    constexpr int kRounds = 3, kMovesOfPiece = 120;
    double all = 1e-12;
    for (uint32_t p : open_) all += problem_.pieces[p].seconds;
    const auto score = [&](const Kept& kept) {
      const auto over = static_cast<double>(std::max<int64_t>(kept.bytes - limit_, 0));
      return kept.seconds / all + 2 * over / static_cast<double>(whole - limit_);
    };
    Philox random(0, 0);
    const auto any = [&] { return open_[random.below(static_cast<uint32_t>(open_.size()))]; };
    const int moves = kMovesOfPiece * static_cast<int>(open_.size());
    for (int round = 0; round < kRounds; ++round) {
      std::vector<char> now = best_;
      double now_score = score(best_kept_);
      for (int m = 0; m < moves && !spent(); ++m) {
        const double heat = 0.1 * std::pow(0.002, static_cast<double>(m) / moves);
        std::vector<char> other = now;
        const uint32_t p = any(), q = any();
        if (now[p])
          other[p] = 0;
        else if (random.below(2))
          take(other, p);
        else
          other[p] = 1;
        if (random.below(3) == 0) other[q] = !other[q];
        const Kept kept = play_.run(other);
        consider(other, kept);
        const double worse = score(kept) - now_score;
        if (worse > 0 && uniform01(random.next()) >= std::exp(-worse / heat)) continue;
        now = std::move(other);
        now_score += worse;
      }
    }
  }

  // With p, what it is made from and nobody late reads: kept for its sake it would win nothing, unless it is
  // small.
  void take(std::vector<char>& again, uint32_t p) const {
    constexpr int64_t kSmall = 8;
    again[p] = 1;
    for (uint32_t q : problem_.pieces[p].from) {
      const KeepingProblem::Piece& piece = problem_.pieces[q];
      if (!again[q] && piece.seconds >= 0 && !piece.stays && read_late_[q] == 0 &&
          piece.bytes * kSmall > problem_.pieces[p].bytes)
        take(again, q);
    }
  }

  std::vector<char> greedy(Way way) {
    std::vector<char> again(problem_.pieces.size(), 0), lowest = again;
    Kept now = play_.run(again), least = now;
    while (now.bytes > limit_ && !spent()) {
      std::vector<std::pair<double, uint32_t>> order;
      for (uint32_t p : play_.waiting()) {
        const KeepingProblem::Piece& piece = problem_.pieces[p];
        // Neighbours computed again lie in memory together: prefer others.
        double neighbours = 0;
        for (uint32_t q : piece.from) neighbours += again[q];
        const double seconds = (piece.seconds + 1e-12) * (1 + 0.01 * neighbours);
        order.emplace_back(way == Way::cheapest ? seconds : seconds / static_cast<double>(piece.bytes + 1),
                           p);
      }
      if (order.empty()) break;
      std::stable_sort(order.begin(), order.end());
      uint32_t chosen = order.front().second;
      if (way == Way::by_effect) {
        constexpr size_t kLook = 16;
        double most = 0;
        for (size_t i = 0; i < std::min(kLook, order.size()); ++i) {
          std::vector<char> with = again;
          take(with, order[i].second);
          const Kept kept = play_.run(with);
          const double gain = static_cast<double>(now.bytes - std::max(kept.bytes, limit_));
          const double rate = gain / (kept.seconds - now.seconds + 1e-12);
          if (rate > most * 1.001) most = rate, chosen = order[i].second;
        }
      }
      take(again, chosen);
      now = play_.run(again);
      if (now.bytes < least.bytes) least = now, lowest = again;
    }
    return now.bytes <= limit_ ? again : lowest;
  }

  // Takes out what is not needed, dearest first.
  void take_out(std::vector<char>& again, Kept& kept) {
    for (uint32_t p : members(again)) {
      if (spent()) return;
      again[p] = 0;
      const Kept now = play_.run(again);
      if (now.bytes <= limit_ && now.seconds <= kept.seconds)
        kept = now;
      else
        again[p] = 1;
    }
  }
  std::vector<uint32_t> members(const std::vector<char>& again) const {
    std::vector<uint32_t> out;
    for (uint32_t p = 0; p < again.size(); ++p)
      if (again[p]) out.push_back(p);
    std::stable_sort(out.begin(), out.end(), [&](uint32_t a, uint32_t b) {
      return problem_.pieces[a].seconds > problem_.pieces[b].seconds;
    });
    return out;
  }

  const KeepingProblem& problem_;
  const int64_t limit_;
  Play play_;
  std::vector<uint32_t> open_;  // pieces that can be computed again
  std::vector<char> best_, read_late_;
  Kept best_kept_;
};

}  // namespace

Kept keep(const KeepingProblem& problem, const std::vector<char>& again) { return Play(problem).run(again); }

std::vector<char> choose_again(const KeepingProblem& problem, int64_t limit, size_t try_all) {
  return Search(problem, limit).run(try_all);
}

}  // namespace shoestring
