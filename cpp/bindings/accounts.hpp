// Accounts as dicts, for those who bind results.

#pragma once

#include "bindings/pybind11.hpp"

#include "world/results/results.hpp"

namespace nephoscope {

inline constexpr const char* outcome_names[] = {"completed", "rejected", "failed", "timed_out"};

template <class Value, class Rows, class Get>
py::array_t<Value> column(const Rows& rows, Get get) {
  py::array_t<Value> out(static_cast<py::ssize_t>(rows.size()));
  auto view = out.template mutable_unchecked<1>();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    view(static_cast<py::ssize_t>(at)) = static_cast<Value>(get(rows[at]));
  }
  return out;
}

py::dict account_dict(const Account& account, const char* offered);

// Steal by cause, a column each.
template <class Rows, class Get>
void add_steal(py::dict& out, const Rows& rows, bool migrates, Get get) {
  const auto cause = [&](const char* name, std::int64_t TenantAccount::* field) {
    out[name] = column<std::int64_t>(rows, [&](const auto& row) { return get(row).*field; });
  };
  cause("steal_contention_ns", &TenantAccount::contention_ns);
  cause("steal_cap_ns", &TenantAccount::quota_ns);
  cause("steal_smt_ns", &TenantAccount::forced_idle_ns);
  if (migrates) cause("steal_migration_ns", &TenantAccount::paused_ns);
}

// Of all results: what is told of each depends on what the world knows.
py::dict balancer_dict(const BalancerAccount& account, const Results& results);
// What a balancer did in each hour from the start: not of the measured window, and no result.
py::dict use_dict(const BalancerAccount& account);

}  // namespace nephoscope
