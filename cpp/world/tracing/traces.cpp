#include "world/tracing/traces.hpp"

#include <algorithm>
#include <compare>
#include <utility>

namespace nephoscope {

// Keeps those that the limit lets through, in their order.
void Traced::thin() {
  std::size_t rows = 0;
  std::size_t parts = 0;
  std::uint64_t first = 0;
  for (std::size_t row = 0; row < size(); ++row) {
    const std::uint64_t last = end[row];
    if (hash_of(arrival[row]) <= limit) {
      for (std::uint64_t at = first; at < last; ++at, ++parts) {
        part[parts] = part[at];
        ns[parts] = ns[at];
      }
      arrival[rows] = arrival[row];
      latency[rows] = latency[row];
      end[rows++] = parts;
    }
    first = last;
  }
  arrival.resize(rows);
  latency.resize(rows);
  end.resize(rows);
  part.resize(parts);
  ns.resize(parts);
}

void Traced::sort() {
  struct Row {
    std::int64_t arrival;
    std::int64_t latency;
    std::vector<std::pair<std::uint32_t, std::int64_t>> parts;
    auto operator<=>(const Row&) const = default;
  };
  std::vector<Row> rows(size());
  std::uint64_t at = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row] = {arrival[row], latency[row], {}};
    for (; at < end[row]; ++at) rows[row].parts.emplace_back(part[at], ns[at]);
  }
  std::sort(rows.begin(), rows.end());
  at = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    arrival[row] = rows[row].arrival;
    latency[row] = rows[row].latency;
    for (const auto& [number, spent] : rows[row].parts) {
      part[at] = number;
      ns[at++] = spent;
    }
    end[row] = at;
  }
}

void Traces::build(std::uint32_t keep, std::uint32_t fleets, std::uint32_t traffic) {
  keep_ = keep;
  fleets_ = fleets;
  if (active()) traced_.resize(traffic);
}

bool Traces::follows(std::uint32_t traffic, std::int64_t arrival) const {
  return Traced::hash_of(arrival) <= traced_[traffic].limit;
}

Traces::Ref Traces::open(std::uint32_t traffic, std::int64_t now) {
  const std::uint32_t index = records_.take();
  if (amounts_.size() < records_.size() * width()) amounts_.resize(records_.size() * width());
  Record& it = records_[index];
  it.begun = it.since = now;
  it.instance = none;
  it.part = part_of(Span::retry);
  it.traffic = traffic;
  std::fill_n(amounts(it), width(), 0);
  return {index, it.generation, 1};
}

void Traces::close(Ref ref) {
  if (find(ref) == nullptr) return;
  ++records_[ref.record].generation;
  records_.release(ref.record);
}

Traces::Record* Traces::find(Ref ref) {
  if (ref.record == none || records_[ref.record].generation != ref.generation) return nullptr;
  return &records_[ref.record];
}

std::int64_t* Traces::amounts(const Record& record) {
  return amounts_.data() + static_cast<std::size_t>(&record - &records_[0]) * width();
}

void Traces::add(const Record& record, std::uint32_t part, std::int64_t ns) {
  amounts(record)[part] += ns;
}

void Traces::join(Record& request, const Record& attempt, std::int64_t now) {
  add(request, part_of(Span::retry), attempt.begun - request.since);
  const std::int64_t* from = amounts(attempt);
  std::int64_t* to = amounts(request);
  for (std::size_t part = 0; part < width(); ++part) to[part] += from[part];
  request.since = now;
}

void Traces::keep(const Record& record, std::int64_t latency) {
  Traced& to = traced_[record.traffic];
  if (Traced::hash_of(record.begun) > to.limit) return;
  const std::int64_t* spent = amounts(record);
  for (std::uint32_t part = 0; part < width(); ++part) {
    if (spent[part] == 0) continue;
    to.part.push_back(part);
    to.ns.push_back(spent[part]);
  }
  end_row(to, record.begun, latency);
}

void Traces::keep_plain(std::uint32_t traffic, std::int64_t arrival, std::int64_t latency,
                        std::uint32_t fleet, std::int64_t work) {
  Traced& to = traced_[traffic];
  if (latency > work) {
    to.part.push_back(part_at(fleet, Span::waiting));
    to.ns.push_back(latency - work);
  }
  to.part.push_back(part_at(fleet, Span::work));
  to.ns.push_back(work);
  end_row(to, arrival, latency);
}

void Traces::end_row(Traced& to, std::int64_t arrival, std::int64_t latency) {
  to.arrival.push_back(arrival);
  to.latency.push_back(latency);
  to.end.push_back(to.part.size());
  while (to.size() > keep_ && to.limit != 0) {
    to.limit >>= 1;
    to.thin();
    find_widest();
  }
}

void Traces::find_widest() {
  widest_ = 0;
  for (const Traced& each : traced_) widest_ = std::max(widest_, each.limit);
}

std::size_t Traces::open_records() const {
  std::size_t open = 0;
  records_.for_each([&](const Record&) { ++open; });
  return open;
}

std::size_t Traces::owners() const {
  std::size_t owners = 0;
  for (const std::vector<Ref>* refs : {&of_visit_, &of_errand_}) {
    for (const Ref& ref : *refs) {
      owners += ref.owned != 0 && records_[ref.record].generation == ref.generation ? 1 : 0;
    }
  }
  return owners;
}

}  // namespace nephoscope
