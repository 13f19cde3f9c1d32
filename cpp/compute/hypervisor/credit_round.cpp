// Rounds: how a saturated host goes on while nobody wakes or blocks.
//
// A slice is never shorter than the time from one accounting to the next, so between two of them
// each pCPU decides once at most, and when is known beforehand. So timers need no order of their
// own: accounting ranks them. Debits and new timers are straight passes; and whoever runs and is
// UNDER, with nobody above OVER behind it, stays whatever others do before. Only the rest, less
// than half, decide one after the other, and what they do is computed without a branch: nobody is
// BOOSTed in a round, so all that matters is who is OVER and which pCPU has somebody who is not.
//
// A pCPU decides once a round, so its queue grows by one at most: it is left at the accounting
// that finds a queue full.
//
// The state is that of credit_schedule.cpp in other words. `queue` stands for the links of the
// queues, `due` for the timers, `high` and `unsorted` for the sets; what a vCPU's flags and the
// sets say of queues counts for nothing until the round is left.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>

#include "compute/hypervisor/byte_lanes.hpp"
#include "compute/hypervisor/credit_host.hpp"
#include "compute/hypervisor/credit_queue.hpp"
#include "kernel/vector_path.hpp"

namespace nephoscope {

namespace {

using credit_queue::Word;

// Accountings without a change from outside before a round is begun, for that costs something.
constexpr std::uint16_t calm_wanted = 4;
// A queue that begins a round with more would often be full.
constexpr std::uint32_t most_at_first = 6;

// By masks, for compilers that are left the choice make a branch of it, which nobody can foretell.
NEPHOSCOPE_INLINE inline Word pick(Word yes, Word then, Word otherwise) {
  return otherwise ^ ((then ^ otherwise) & -yes);
}

// The first member after `from`, going round; of nobody it means nothing.
NEPHOSCOPE_INLINE inline Word after(std::uint64_t members, std::uint32_t from) {
  const auto ahead = std::countr_zero(std::rotr(members, static_cast<int>(from + 1)));
  return (from + 1 + static_cast<std::uint32_t>(ahead)) % 64;
}

// Which vCPUs are OVER; of nobody it is said, too.
NEPHOSCOPE_INLINE inline credit_queue::Set over_set(const CreditVcpu::Priority* priority,
                                                    std::size_t rows) {
  credit_queue::Set over{};
  for (std::size_t first = 0; first < rows; first += byte_lanes) {
    ByteLanes bad;
    std::memcpy(bad.data(), priority + first, byte_lanes);
    for (std::int8_t& it : bad) it = static_cast<std::int8_t>(it <= CreditVcpu::over ? -1 : 0);
    const std::uint64_t bits = bits_of(bad);
    over[first / 8] = static_cast<std::uint8_t>(bits);
    over[first / 8 + 1] = static_cast<std::uint8_t>(bits >> 8);
  }
  over.back() |= 0x80;
  return over;
}

}  // namespace

bool CreditHost::may_play() const {
  constexpr std::int64_t longest = CreditRound::latest;
  return cpus() <= CreditRound::most_cpus && rows_.size() < credit_queue::most_vcpus &&
         options_.exact_debit && capped_members_ == 0 && runnable_ > threads_ &&
         options_.ratelimit_ns <= options_.slice_ns &&
         period_ + options_.slice_ns + options_.dither_ns < longest;
}

// After an accounting.
void CreditHost::consider_round() {
  if (!may_play()) {
    round_.calm = 0;
    return;
  }
  if (++round_.calm < calm_wanted) return;
  round_.calm = 0;
  for (std::uint32_t vcpu = 0; vcpu < rows_.size(); ++vcpu) {
    if (rows_.is(vcpu, Vcpu::wanting) && rows_.priority[vcpu] == Vcpu::boosted) return;
  }
  for (std::uint32_t at = 0; at < cpus(); ++at) {
    Word queue = credit_queue::empty;
    std::uint32_t waiting = 0;
    for (Index vcpu = rows_.cpu[at].head; vcpu != none; vcpu = rows_.next[vcpu]) {
      if (++waiting > most_at_first) return;
      const bool over = rows_.priority[vcpu] == Vcpu::over;
      const Word entry = vcpu | (over ? 0x80U : 0U);
      queue = credit_queue::with(queue, credit_queue::place_of_over(queue), entry);
    }
    rows_.queue[at] = queue;
    rows_.runs[at] = static_cast<std::uint8_t>(rows_.cpu[at].current);
  }
  timers_.visit([&](std::int64_t time, std::uint32_t cpu) {
    rows_.due[cpu] = static_cast<std::int32_t>(time - (base_ - epoch_));
  });
  begin_round();
}

// At the end of a round; `queue` still says who was OVER in it.
void CreditHost::sort_round() {
  for (std::uint64_t left = round_.unsorted; left != 0; left &= left - 1) {
    credit_queue::Word& queue = rows_.queue[std::countr_zero(left)];
    queue = credit_queue::sorted(queue);
  }
  round_.unsorted = 0;
}

// After an accounting of a round.
void CreditHost::go_on() {
  for (std::size_t at = 0; at < rows_.cpu_rows(); ++at) rows_.due[at] -= period_;
  begin_round();
  if (round_.is_full != 0) leave_round();
}

// Who is OVER has been settled anew.
void CreditHost::begin_round() {
  round_.on = 1;
  CreditRound::Ranks ranks;
  run_on(VectorPath::automatic, [&]() NEPHOSCOPE_INLINE {
    mark_queues();
    CreditRound::rank({rows_.due, rows_.cpus(), rows_.cpu_rows()}, ranks.data());
  });
  round_.inactive = inactive_set();
  round_.next = 0;
  order_timers(ranks);
  draw_ahead(ranks);
}

// Who of those that wait and run is OVER, and what that makes of their queues.
NEPHOSCOPE_INLINE inline void CreditHost::mark_queues() {
  const std::size_t cpu_rows = rows_.cpu_rows();
  Word* const queue = rows_.queue;
  std::uint8_t* const runs = rows_.runs;
  const credit_queue::Set over = over_set(rows_.priority, rows_.rows());
  std::array<std::uint8_t, CreditRound::most_cpus> over_places;
  // First, for what has just been stored by twos is not yet there to be loaded by fours.
  Word common = credit_queue::empty;  // full if any is
  for (std::size_t at = 0; at < cpu_rows; ++at) common &= queue[at];
  for (std::size_t at = 0; at < cpu_rows; at += 2) {
    const std::uint64_t places = credit_queue::mark_over(queue + at, over);
    over_places[at] = static_cast<std::uint8_t>(places);
    over_places[at + 1] = static_cast<std::uint8_t>(places >> 8);
  }
  CreditRound round = round_;
  round.is_full = static_cast<std::uint8_t>(credit_queue::is_full(common) ? 1 : 0);
  round.over = round.high = round.unsorted = 0;
  for (std::size_t at = 0; at < cpu_rows; at += byte_lanes) {
    round.over |= credit_queue::mark_over(runs + at, over) << at;
    ByteLanes high;
    ByteLanes unsorted;
    for (std::size_t k = 0; k < byte_lanes; ++k) {
      const std::uint8_t places = over_places[at + k];
      const auto others = static_cast<std::uint8_t>(~places);
      const auto first = static_cast<std::uint8_t>(places & -places);
      high[k] = static_cast<std::int8_t>(others != 0 ? -1 : 0);
      unsorted[k] = static_cast<std::int8_t>(others > first ? -1 : 0);
    }
    round.high |= bits_of(high) << at;
    round.unsorted |= bits_of(unsorted) << at;
  }
  round_ = round;
}

std::array<std::uint64_t, 2> CreditHost::inactive_set() const {
  std::array<std::uint64_t, 2> inactive{};
  for (std::size_t first = 0; first < rows_.size(); first += byte_lanes) {
    const std::size_t there = std::min(byte_lanes, rows_.size() - first);
    const std::uint64_t some = bits_of(zeros_of(load_lanes(&rows_.tier[first])));
    inactive[first / 64] |= (some & ((1U << there) - 1)) << (first % 64);
  }
  return inactive;
}

// Into the order (time, pCPU).
void CreditHost::order_timers(const CreditRound::Ranks& ranks) {
  std::uint8_t* const order = rows_.order;
  const std::size_t cpus = rows_.cpus();
  for (std::size_t at = 0; at < cpus; ++at) order[ranks[at]] = static_cast<std::uint8_t>(at);
}

// The slices that follow the decisions of the round, which draw their dithers in their order.
void CreditHost::draw_ahead(const CreditRound::Ranks& ranks) {
  constexpr std::size_t some = std::tuple_size_v<decltype(dithers_)>;
  std::array<std::uint32_t, CreditRound::most_cpus + 2 * some> dithers;
  const std::uint64_t next = draws_;
  const std::size_t front = next % some;
  for (std::size_t from = 0; from < front + rows_.cpus(); from += some) {
    draws_ = next - front + from;
    draw_dithers();
    std::copy_n(dithers_.begin(), some, dithers.begin() + static_cast<std::ptrdiff_t>(from));
  }
  draws_ = next;
  for (std::size_t at = 0; at < rows_.cpus(); ++at) {
    rows_.slice[at] = static_cast<std::int32_t>(options_.slice_ns + dithers[front + ranks[at]]);
  }
}

// Decisions that are due by `until`.
void CreditHost::play(std::int64_t until) {
  const auto last = static_cast<std::int32_t>(until - base_);
  join_seen_by(last);
  run_on(VectorPath::automatic, [&]() NEPHOSCOPE_INLINE { play_to(last); });
}

CreditRound::Columns CreditHost::columns() {
  return {rows_.cpu, rows_.since, rows_.counted, rows_.lag, rows_.queue, rows_.runs, rows_.at};
}

// Those who run and are not active, of whom there is hardly ever anybody, and where they do.
template <class Visit>
NEPHOSCOPE_INLINE inline void CreditHost::visit_inactive(Visit visit) {
  for (std::size_t word = 0; word < round_.inactive.size(); ++word) {
    for (std::uint64_t left = round_.inactive[word]; left != 0; left &= left - 1) {
      const std::size_t vcpu = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      const std::uint32_t at = rows_.at[vcpu];
      if (rows_.tier[vcpu] == 0 && rows_.cpu[at].current == vcpu) visit(at);
    }
  }
}

// With a decision that is due.
void CreditHost::join_seen_by(std::int32_t last) {
  visit_inactive([&](std::uint32_t at) {
    if (rows_.due[at] <= last) join_if_seen(at, rows_.due[at]);
  });
}

// At the end of a round.
void CreditHost::see_round() {
  visit_inactive([&](std::uint32_t at) { see_ticks(at, period_ - rows_.lag[at]); });
}

NEPHOSCOPE_INLINE inline void CreditHost::play_to(std::int32_t last) {
  std::array<std::int32_t, CreditRound::most_cpus> ran;
  const std::uint32_t end = round_.next + pay_until(last, ran.data());
  // Whoever runs, is UNDER and has nobody above OVER behind it stays, whatever others do before;
  // for the rest it is one after the other.
  std::array<std::uint8_t, CreditRound::most_cpus> at;
  std::size_t count = 0;
  const std::uint64_t doubtful = round_.over | round_.high;
  for (std::uint32_t k = round_.next; k < end; ++k) {
    const std::uint8_t due = rows_.order[k];
    rows_.owed[rows_.cpu[due].current] += static_cast<std::uint32_t>(ran[due]);
    at[count] = due;
    count += doubtful >> due & 1;
  }
  decisions_ += end - round_.next;
  draws_ += end - round_.next;
  round_.next = end;
  decide_each(at.data(), count);
}

// Debits, which are in `ran`, and new timers of those that are due; returns how many these are.
NEPHOSCOPE_INLINE inline std::uint32_t CreditHost::pay_until(std::int32_t last, std::int32_t* ran) {
  const std::size_t cpus = rows_.cpus();
  const std::int32_t* const slice = rows_.slice;
  std::int32_t* const due = rows_.due;
  std::int32_t* const counted = rows_.counted;
  std::int32_t decided = 0;
  for (std::size_t at = 0; at < cpus; ++at) {
    const std::int32_t is_due = due[at] <= last ? -1 : 0;
    const std::int32_t paid = (due[at] - counted[at]) & is_due;
    decided -= is_due;
    ran[at] = paid;
    counted[at] += paid;
    due[at] += slice[at] & is_due;
  }
  return static_cast<std::uint32_t>(decided);
}

// Whoever runs on these pCPUs, in turn, gives way to the first of its queue or of another's.
NEPHOSCOPE_INLINE inline void CreditHost::decide_each(const std::uint8_t* cpus, std::size_t count) {
  // In names of their own, which nothing that is stored can have changed.
  const CreditRound::Columns in = columns();
  const std::int32_t tick = tick_;
  std::uint64_t high = round_.high;
  std::uint64_t unsorted = round_.unsorted;
  std::uint32_t stolen_from = stolen_from_;
  std::uint64_t switched = 0;
  const auto sort_if_due = [&](std::uint32_t at, std::int32_t now, Word queue) NEPHOSCOPE_INLINE {
    const std::uint64_t ticked = now >= tick - in.lag[at] ? 1 : 0;
    if ((unsorted >> at & ticked) == 0) [[likely]]
      return queue;
    unsorted &= ~(std::uint64_t{1} << at);
    return credit_queue::sorted(queue);
  };
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint32_t at = cpus[k];
    const std::int32_t now = in.counted[at];
    const std::uint64_t bit = std::uint64_t{1} << at;
    const Word was = in.runs[at];
    const Word over = was >> 7;
    const Word queue = sort_if_due(at, now, in.queue[at]);
    const Word head_over = queue >> 7 & 1;  // of nobody as well
    const std::uint64_t peers = high & ~bit;
    const Word steals = over & head_over & Word{peers != 0};
    in.queue[at] = queue;
    if ((over < head_over) | ((steals == 0) & credit_queue::is_empty(queue))) continue;

    // From the next of the others that has anybody; from itself, and back, when it does not steal.
    const auto peer = static_cast<std::uint32_t>(pick(steals, after(peers, stolen_from), at));
    const Word theirs = sort_if_due(peer, now, in.queue[peer]);
    const int place = credit_queue::place_of_first_high(theirs);
    const Word fewer = credit_queue::without(theirs, place);
    in.queue[peer] = fewer;
    stolen_from = static_cast<std::uint32_t>(pick(steals, peer, stolen_from));
    high = (high & ~(std::uint64_t{1} << peer)) | Word{credit_queue::has_high(fewer)} << peer;

    // Or else the first of its own.
    const Word shorter = pick(steals, queue, queue >> 8 | credit_queue::last_byte);
    const auto behind = static_cast<int>(pick(over, Word(credit_queue::place_of_over(shorter)),
                                              Word(credit_queue::place_of_under(shorter))));
    const Word mine = credit_queue::with(shorter, behind, was);
    const Word runs = pick(steals, theirs >> place, queue) & 0xFF;
    const auto vcpu = static_cast<std::uint32_t>(runs & 0x7F);
    in.queue[at] = mine;
    high = (high & ~bit) | Word{credit_queue::has_high(mine)} << at;
    in.runs[at] = static_cast<std::uint8_t>(runs);
    in.cpu[at].current = static_cast<Index>(vcpu);
    in.at[vcpu] = static_cast<Index>(at);
    in.since[at] = now;
    switched |= bit;
  }
  round_.high = high;
  round_.unsorted = unsorted;
  round_.switched |= switched;
  stolen_from_ = stolen_from;
  if (switched != 0) touched_ = 1;
}

// Whoever is where pCPUs have switched: all that have been switched in or out are among them.
void CreditHost::touch_switched() {
  for (std::uint64_t left = round_.switched; left != 0; left &= left - 1) {
    const auto at = static_cast<std::uint32_t>(std::countr_zero(left));
    rows_.touch(rows_.cpu[at].current);
    for (Word queue = rows_.queue[at]; !credit_queue::is_empty(queue);
         queue = credit_queue::without(queue, 0)) {
      rows_.touch(credit_queue::head(queue));
    }
  }
  round_.switched = 0;
}

// Back to links, timers and sets.
void CreditHost::leave_round() {
  touch_switched();
  round_.on = 0;
  round_.calm = 0;
  for (CpuSets::Word& word : sets_.words()) word.waiting = word.high = word.unsorted = 0;
  for (std::uint32_t vcpu = 0; vcpu < rows_.size(); ++vcpu) rows_.drop(vcpu, Vcpu::queued);
  for (std::uint32_t at = 0; at < cpus(); ++at) {
    Index* link = &rows_.cpu[at].head;
    for (Word left = rows_.queue[at]; !credit_queue::is_empty(left);
         left = credit_queue::without(left, 0)) {
      const std::uint32_t vcpu = credit_queue::head(left);
      rows_.put(vcpu, Vcpu::queued);
      rows_.at[vcpu] = static_cast<Index>(at);
      *link = static_cast<Index>(vcpu);
      link = &rows_.next[vcpu];
    }
    *link = none;
    CpuSets::assign(sets_.word(at).waiting, at, rows_.cpu[at].head != none);
  }
  sets_.word(0).high = round_.high;
  sets_.word(0).unsorted = round_.unsorted;
  if (draws_ % dithers_.size() != 0) draw_dithers();
  epoch_ = base_;
  timers_.clear();
  CreditRound::Ranks ranks;
  CreditRound::rank({rows_.due, rows_.cpus(), rows_.cpu_rows()}, ranks.data());
  order_timers(ranks);
  for (std::uint32_t k = 0; k < cpus(); ++k) {
    const std::uint32_t at = rows_.order[k];
    timers_.push(rows_.due[at], at);
  }
}

}  // namespace nephoscope
