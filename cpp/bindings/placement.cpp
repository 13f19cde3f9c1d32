// Placement alone, for benchmarks and research: launches in batches, on arrays.

#include "compute/placement/placement.hpp"

#include "bindings/pybind11.hpp"

#include <string>

#include "kernel/errors.hpp"
#include "world/archive.hpp"

namespace nephoscope {

namespace {

template <class Number>
using Array = py::array_t<Number, py::array::c_style | py::array::forcecast>;
using Indices = Array<std::uint32_t>;
// A row a host or a launch, a column a fact.
using Rows = Array<std::int64_t>;

constexpr const char* host_columns[] = {"threads", "memory", "accelerators",
                                        "disks",   "zone",   "rack"};
constexpr const char* launch_columns[] = {"vcpus", "memory", "accelerators", "disks", "account",
                                          "fleet", "host",   "avoid",        "group", "partition"};
constexpr std::size_t memory_column = 1;   // of both
constexpr std::size_t first_optional = 6;  // of a launch

// `may_be_none`: the columns from there on may hold -1, which becomes `nowhere`.
template <std::size_t size>
void require_columns(const Rows& rows, const char* const (&names)[size], std::size_t may_be_none) {
  if (rows.ndim() != 2 || rows.shape(1) != static_cast<py::ssize_t>(size)) {
    throw SpecError("rows", "must have " + std::to_string(size) + " columns");
  }
  const std::int64_t* value = rows.data();
  for (py::ssize_t at = 0; at < rows.size(); ++at) {
    const std::size_t column = static_cast<std::size_t>(at) % size;
    const bool is_bytes = column == memory_column;
    if (value[at] < (column >= may_be_none ? -1 : 0) || (!is_bytes && value[at] >= nowhere)) {
      throw SpecError(names[column], "must be a whole number from 0 on and below 2^32 - 1");
    }
  }
}

std::uint32_t index(std::int64_t value) {
  return static_cast<std::uint32_t>(value);
}

Indices add_hosts(Placement& placement, std::uint32_t pool, const Rows& rows) {
  require_columns(rows, host_columns, std::size(host_columns));
  Indices hosts(rows.shape(0));
  std::uint32_t* to = hosts.mutable_data();
  const std::int64_t* row = rows.data();
  for (py::ssize_t at = 0; at < rows.shape(0); ++at, row += std::size(host_columns)) {
    to[at] = placement.add_host(
        pool, {index(row[0]), row[1], index(row[2]), index(row[3]), index(row[4]), index(row[5])});
  }
  return hosts;
}

LaunchRequest with_row(LaunchRequest request, const std::int64_t* row) {
  request.vcpus = index(row[0]);
  request.memory_bytes = row[1];
  request.accelerators = index(row[2]);
  request.disks = index(row[3]);
  request.account = index(row[4]);
  request.fleet = index(row[5]);
  request.host = index(row[6]);
  request.avoid = index(row[7]);
  request.group = index(row[8]);
  request.partition = index(row[9]);
  return request;
}

py::tuple arrays(const std::vector<Launch>& launches) {
  const auto column = [&](auto of) {
    Indices values(static_cast<py::ssize_t>(launches.size()));
    std::uint32_t* to = values.mutable_data();
    for (const Launch& launch : launches) *to++ = of(launch);
    return values;
  };
  return py::make_tuple(
      column([](const Launch& it) { return it.placement; }),
      column([](const Launch& it) { return it.host; }),
      column([](const Launch& it) { return it.partition; }),
      column([](const Launch& it) { return static_cast<std::uint32_t>(it.refusal); }));
}

py::tuple place(Placement& placement, std::uint32_t pool, Tenancy tenancy, std::uint64_t zones,
                bool burstable, const Rows& rows) {
  require_columns(rows, launch_columns, first_optional);
  LaunchRequest common;
  common.pool = pool;
  common.tenancy = tenancy;
  common.zones = zones;
  common.burstable = burstable;
  const std::int64_t* row = rows.data();
  std::vector<Launch> launches(static_cast<std::size_t>(rows.shape(0)));
  {
    py::gil_scoped_release release;
    for (Launch& launch : launches) {
      launch = placement.place(with_row(common, row));
      row += std::size(launch_columns);
    }
  }
  return arrays(launches);
}

py::tuple place_many(Placement& placement, std::uint32_t pool, Tenancy tenancy, std::uint64_t zones,
                     bool burstable, const Rows& rows, std::uint32_t least, std::uint32_t most) {
  require_columns(rows, launch_columns, first_optional);
  if (rows.shape(0) != 1) throw SpecError("rows", "must be one");
  LaunchRequest common;
  common.pool = pool;
  common.tenancy = tenancy;
  common.zones = zones;
  common.burstable = burstable;
  std::vector<Launch> launches;
  Refusal refusal = Refusal::none;
  {
    py::gil_scoped_release release;
    refusal = placement.place_many(with_row(common, rows.data()), least, most, launches);
  }
  return py::make_tuple(arrays(launches), refusal);
}

py::dict hosts(const Placement& placement) {
  const auto column = [&]<class Number>(Number HostState::* field) {
    py::array_t<Number> values(placement.hosts());
    Number* to = values.mutable_data();
    for (std::uint32_t at = 0; at < placement.hosts(); ++at) to[at] = placement.host(at).*field;
    return values;
  };
  py::dict out;
  out["vcpus"] = column(&HostState::vcpus);
  out["vcpus_left"] = column(&HostState::vcpus_left);
  out["memory_bytes"] = column(&HostState::memory);
  out["memory_bytes_left"] = column(&HostState::memory_left);
  out["accelerators"] = column(&HostState::accelerators);
  out["accelerators_left"] = column(&HostState::accelerators_left);
  out["disks"] = column(&HostState::disks);
  out["disks_left"] = column(&HostState::disks_left);
  out["instances"] = column(&HostState::instances);
  out["pool"] = column(&HostState::pool);
  out["zone"] = column(&HostState::zone);
  out["rack"] = column(&HostState::rack);
  out["open"] = column(&HostState::open);
  return out;
}

py::dict counters(const Placement& placement, std::uint32_t pool) {
  const PoolCounters& counters = placement.counters(pool);
  py::dict out;
  out["placements"] = counters.placements;
  out["releases"] = counters.releases;
  out["refused"] = counters.refused;
  return out;
}

void bind_words(py::module_& m) {
  py::native_enum<PlacePolicy>(m, "PlacePolicy", "enum.Enum", "Which host that will do.")
      .value("first_fit", PlacePolicy::first_fit)
      .value("best_fit", PlacePolicy::best_fit)
      .value("worst_fit", PlacePolicy::worst_fit)
      .value("random", PlacePolicy::random)
      .value("spread", PlacePolicy::spread)
      .finalize();
  py::native_enum<Tenancy>(m, "Tenancy", "enum.Enum", "Whom an instance shares its host with.")
      .value("shared", Tenancy::shared)
      .value("dedicated", Tenancy::dedicated)
      .value("host", Tenancy::host)
      .finalize();
  py::native_enum<GroupStrategy>(m, "GroupStrategy", "enum.Enum", "Of a placement group.")
      .value("cluster", GroupStrategy::cluster)
      .value("partition", GroupStrategy::partition)
      .value("spread", GroupStrategy::spread)
      .finalize();
  py::native_enum<Refusal>(m, "Refusal", "enum.Enum", "Why a launch was refused.")
      .value("none", Refusal::none)
      .value("capacity", Refusal::capacity)
      .value("zone", Refusal::zone)
      .value("group_limit", Refusal::group_limit)
      .value("rack", Refusal::rack)
      .value("tenancy", Refusal::tenancy)
      .value("burstable", Refusal::burstable)
      .finalize();
}

void bind_part(py::module_& m) {
  py::class_<Placement>(m, "Placement", "On which host an instance is launched.")
      .def(py::init<>())
      .def(
          "add_pool",
          [](Placement& placement, PlacePolicy policy, double cpu_overcommit, std::uint64_t seed,
             std::uint64_t replication, const std::string& name) {
            return placement.add_pool(
                {policy, cpu_overcommit, stream_key(seed, replication, name)});
          },
          py::arg("policy"), py::arg("cpu_overcommit"), py::arg("seed"), py::arg("replication"),
          py::arg("name"))
      .def("add_hosts", &add_hosts, py::arg("pool"), py::arg("rows"),
           "A row a host: threads, memory, accelerators, disks, zone, rack. Their numbers.")
      .def("add_group", &Placement::add_group, py::arg("strategy"), py::arg("partitions"))
      .def("set_open", &Placement::set_open, py::arg("host"), py::arg("open"))
      .def("allocate_host", &Placement::allocate_host, py::arg("host"), py::arg("account"),
           py::arg("auto_placement"))
      .def("release_host", &Placement::release_host, py::arg("host"))
      .def("place", &place, py::arg("pool"), py::arg("tenancy"), py::arg("zones"),
           py::arg("burstable"), py::arg("rows"),
           "A row a launch: vcpus, memory, accelerators, disks, account, fleet, host, avoid,\n"
           "group, partition (-1: none). Placements, hosts, partitions, refusals (uint32).")
      .def("place_many", &place_many, py::arg("pool"), py::arg("tenancy"), py::arg("zones"),
           py::arg("burstable"), py::arg("rows"), py::arg("least"), py::arg("most"),
           "One row, launched up to `most` times; the same arrays, and the reason it ended.")
      .def(
          "release",
          [](Placement& placement, const Indices& placements) {
            const std::uint32_t* at = placements.data();
            const py::ssize_t size = placements.size();
            py::gil_scoped_release release;
            for (py::ssize_t each = 0; each < size; ++each) placement.release(at[each]);
          },
          py::arg("placements"))
      .def("hosts", &hosts, "Columns of all hosts (arrays).")
      .def("counters", &counters, py::arg("pool"))
      .def_property_readonly("placed", &Placement::placed, "Instances that have a host now.")
      .def("copy", [](const Placement& placement) { return Placement(placement); })
      .def("save",
           [](Placement& placement) {
             StateWriter writer;
             placement.serialize(writer);
             return py::bytes(writer.take());
           })
      .def(
          "restore",
          [](Placement& placement, const std::string& state) {
            StateReader reader(state);
            Placement restored(placement);
            restored.serialize(reader);
            reader.finish();
            placement = std::move(restored);
          },
          py::arg("state"), "What was saved of a placement with the same pools.");
}

}  // namespace

void bind_placement(py::module_& core) {
  auto m = core.def_submodule("placement", "On which host an instance is launched.");
  bind_words(m);
  bind_part(m);
}

}  // namespace nephoscope
