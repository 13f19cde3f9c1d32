#include "bindings/trace_accounts.hpp"

#include "bindings/accounts.hpp"

namespace nephoscope {

py::list span_list() {
  py::list out;
  for (const char* name : span_names) out.append(name);
  return out;
}

py::dict trace_dict(const Traced& traced) {
  const auto same = [](auto value) { return value; };
  py::dict out;
  // Of all requests, the share that may have been followed to the end.
  out["share"] = (static_cast<double>(traced.limit) + 1.0) / 0x1p64;
  out["arrival_ns"] = column<std::int64_t>(traced.arrival, same);
  out["latency_ns"] = column<std::int64_t>(traced.latency, same);
  out["end"] = column<std::int64_t>(traced.end, same);
  out["part"] = column<std::int64_t>(traced.part, same);
  out["ns"] = column<std::int64_t>(traced.ns, same);
  return out;
}

}  // namespace nephoscope
