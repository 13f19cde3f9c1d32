// The structs of world/spec/spec.hpp and of the parts' own spec headers, field by field under the
// same names: default constructor, attributes to read and write.
//
// What is inside a struct is seen through it (`traffic.arrivals.rate = 5` changes `traffic`); what
// is in a vector comes out as a copy, and a vector is assigned whole. Vectors of numbers take lists
// and arrays and come back as arrays, so that a trace of millions of instants costs one copy.

#include "world/spec/spec.hpp"

#include "bindings/pybind11.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace nephoscope {
namespace {

// Lists of whole numbers must not lose their fractions on the way in, so the kind is checked before
// the conversion; an empty list has the kind of float in NumPy's eyes and is always fine.
template <class T>
bool converts_exactly(const py::dtype& from) {
  const char kind = from.kind();
  const bool integer = kind == 'i' || (kind == 'u' && from.itemsize() < 8);
  return integer || (std::floating_point<T> && (kind == 'f' || kind == 'u'));
}

template <class T>
std::vector<T> vector_of(const py::object& values, const char* name) {
  const auto any = py::array::ensure(values);
  if (!any || any.ndim() != 1 || (any.size() > 0 && !converts_exactly<T>(any.dtype()))) {
    throw py::type_error(std::string(name) + " takes a flat list or array of " +
                         (std::floating_point<T> ? "numbers" : "whole numbers"));
  }
  const auto exact = py::array_t<T, py::array::c_style | py::array::forcecast>(any);
  return std::vector<T>(exact.data(), exact.data() + exact.size());
}

template <class Class, class T>
void numbers(py::class_<Class>& cls, const char* name, std::vector<T> Class::* member) {
  cls.def_property(
      name,
      [member](const Class& self) {
        const auto& values = self.*member;
        return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
      },
      [member, name](Class& self, const py::object& values) {
        self.*member = vector_of<T>(values, name);
      });
}

void bind_workload(py::module_& m) {
  py::native_enum<ArrivalKind>(m, "ArrivalKind", "enum.Enum")
      .value("poisson", ArrivalKind::poisson)
      .value("constant", ArrivalKind::constant)
      .value("mmpp", ArrivalKind::mmpp)
      .value("profile", ArrivalKind::profile)
      .value("instants", ArrivalKind::instants)
      .value("counts", ArrivalKind::counts)
      .value("closed", ArrivalKind::closed)
      .finalize();
  auto arrivals = py::class_<ArrivalSpec>(m, "ArrivalSpec")
                      .def(py::init<>())
                      .def_readwrite("kind", &ArrivalSpec::kind)
                      .def_readwrite("rate", &ArrivalSpec::rate)
                      .def_readwrite("users", &ArrivalSpec::users)
                      .def_readwrite("think", &ArrivalSpec::think)
                      .def_readwrite("give_up", &ArrivalSpec::give_up);
  numbers(arrivals, "rates", &ArrivalSpec::rates);
  numbers(arrivals, "mean_stay_ns", &ArrivalSpec::mean_stay_ns);
  numbers(arrivals, "times_ns", &ArrivalSpec::times_ns);
  numbers(arrivals, "counts", &ArrivalSpec::counts);

  py::class_<ClientSpec>(m, "ClientSpec")
      .def(py::init<>())
      .def_readwrite("count", &ClientSpec::count)
      .def_readwrite("zipf", &ClientSpec::zipf);
}

void bind_service(py::module_& m) {
  py::native_enum<StepKind>(m, "StepKind", "enum.Enum")
      .value("compute", StepKind::compute)
      .value("sleep", StepKind::sleep)
      .value("call", StepKind::call)
      .value("choose", StepKind::choose)
      .value("fail", StepKind::fail)
      .value("network", StepKind::network)
      .value("disk", StepKind::disk)
      .value("memory", StepKind::memory)
      .value("gpu", StepKind::gpu)
      .value("send", StepKind::send)
      .finalize();
  py::native_enum<Destination::Kind>(m, "DestinationKind", "enum.Enum")
      .value("balancer", Destination::Kind::balancer)
      .value("fleet", Destination::Kind::fleet)
      .value("queue", Destination::Kind::queue)
      .value("topic", Destination::Kind::topic)
      .value("bus", Destination::Kind::bus)
      .finalize();
  py::class_<Destination>(m, "Destination")
      .def(py::init<>())
      .def_readwrite("kind", &Destination::kind)
      .def_readwrite("index", &Destination::index);
  auto step = py::class_<StepSpec>(m, "StepSpec")
                  .def(py::init<>())
                  .def_readwrite("kind", &StepSpec::kind)
                  .def_readwrite("demand", &StepSpec::demand)
                  .def_readwrite("to", &StepSpec::to)
                  .def_readwrite("timeout_ns", &StepSpec::timeout_ns)
                  .def_readwrite("resilience", &StepSpec::resilience)
                  .def_readwrite("delay_ns", &StepSpec::delay_ns)
                  .def_readwrite("group", &StepSpec::group)
                  .def_readwrite("says", &StepSpec::says)
                  .def_readwrite("probability", &StepSpec::probability)
                  .def_readwrite("bytes", &StepSpec::bytes)
                  .def_readwrite("ops", &StepSpec::ops)
                  .def_readwrite("inward", &StepSpec::inward)
                  .def_readwrite("batch", &StepSpec::batch)
                  .def_readwrite("marginal", &StepSpec::marginal);
  numbers(step, "weights", &StepSpec::weights);
  structs(step, "branches", &StepSpec::branches);
  auto service = py::class_<ServiceSpec>(m, "ServiceSpec")
                     .def(py::init<>())
                     .def_readwrite("name", &ServiceSpec::name)
                     .def_readwrite("processor_sharing", &ServiceSpec::processor_sharing)
                     .def_readwrite("concurrency", &ServiceSpec::concurrency)
                     .def_readwrite("backlog", &ServiceSpec::backlog)
                     .def_readwrite("admission", &ServiceSpec::admission)
                     .def_readwrite("consumes", &ServiceSpec::consumes);
  structs(service, "steps", &ServiceSpec::steps);
}

// What a fleet says of its instances beside their size.
void bind_guests(py::module_& m) {
  py::class_<CpuCreditFacts>(m, "CpuCreditFacts")
      .def(py::init<>())
      .def_readwrite("vcpus", &CpuCreditFacts::vcpus)
      .def_readwrite("millicredits_per_hour", &CpuCreditFacts::millicredits_per_hour)
      .def_readwrite("launch_credits", &CpuCreditFacts::launch_credits)
      .def_readwrite("kept_ns", &CpuCreditFacts::kept_ns)
      .def_readwrite("lowered_over_ns", &CpuCreditFacts::lowered_over_ns);
  py::class_<BurstFacts>(m, "BurstFacts")
      .def(py::init<>())
      .def_readwrite("burstable", &BurstFacts::burstable)
      .def_readwrite("credits", &BurstFacts::credits)
      .def_property(
          "unlimited", [](const BurstFacts& facts) { return facts.mode == CreditMode::unlimited; },
          [](BurstFacts& facts, bool on) {
            facts.mode = on ? CreditMode::unlimited : CreditMode::standard;
          });
  py::class_<InterferenceFacts>(m, "InterferenceFacts")
      .def(py::init<>())
      .def_readwrite("pressure", &InterferenceFacts::pressure)
      .def_readwrite("sensitivity", &InterferenceFacts::sensitivity);
  py::class_<BillingRule>(m, "BillingRule")
      .def(py::init<>())
      .def_readwrite("unit_ns", &BillingRule::unit_ns)
      .def_readwrite("minimum_ns", &BillingRule::minimum_ns);
}

void bind_hosts(py::module_& core) {
  auto m = core.def_submodule("hosts", "Hosts and tenants in the specification of a world.");
  py::native_enum<SchedulerKind>(m, "SchedulerKind", "enum.Enum")
      .value("fluid", SchedulerKind::fluid)
      .value("fair", SchedulerKind::fair)
      .value("credit", SchedulerKind::credit)
      .value("pinned", SchedulerKind::pinned)
      .finalize();
  py::class_<SchedulerFacts>(m, "SchedulerFacts")
      .def(py::init<>())
      .def_readwrite("kind", &SchedulerFacts::kind)
      .def_readwrite("core_scheduling", &SchedulerFacts::core_scheduling);
  py::class_<HostFacts>(m, "HostFacts")
      .def(py::init<>())
      .def_readwrite("cores", &HostFacts::cores)
      .def_readwrite("threads_per_core", &HostFacts::threads_per_core)
      .def_readwrite("smt_gain", &HostFacts::smt_gain)
      .def_readwrite("speed", &HostFacts::speed);
  auto pool = py::class_<HostPoolFacts>(m, "HostPoolFacts")
                  .def(py::init<>())
                  .def_readwrite("scheduler", &HostPoolFacts::scheduler)
                  .def_readwrite("count", &HostPoolFacts::count)
                  .def_readwrite("host", &HostPoolFacts::host)
                  .def_readwrite("sockets", &HostPoolFacts::sockets)
                  .def_readwrite("memory", &HostPoolFacts::memory)
                  .def_readwrite("accelerators", &HostPoolFacts::accelerators)
                  .def_readwrite("disks", &HostPoolFacts::disks)
                  .def_readwrite("cpu_overcommit", &HostPoolFacts::cpu_overcommit)
                  .def_readwrite("place", &HostPoolFacts::place)
                  .def_readwrite("racks", &HostPoolFacts::racks)
                  .def_readwrite("account", &HostPoolFacts::account);
  numbers(pool, "zones", &HostPoolFacts::zones);
  py::class_<GroupSpec>(m, "GroupSpec")
      .def(py::init<>())
      .def_readwrite("name", &GroupSpec::name)
      .def_readwrite("strategy", &GroupSpec::strategy)
      .def_readwrite("partitions", &GroupSpec::partitions);
  py::class_<HostPoolSpec>(m, "HostPoolSpec")
      .def(py::init<>())
      .def_readwrite("name", &HostPoolSpec::name)
      .def_readwrite("facts", &HostPoolSpec::facts)
      .def_readwrite("network", &HostPoolSpec::network);
  bind_guests(m);
}

void bind_traffic(py::module_& m) {
  py::native_enum<OnTimeout>(m, "OnTimeout", "enum.Enum")
      .value("finish", OnTimeout::finish)
      .value("abandon", OnTimeout::abandon)
      .finalize();
  py::class_<TrafficSpec>(m, "TrafficSpec")
      .def(py::init<>())
      .def_readwrite("name", &TrafficSpec::name)
      .def_readwrite("to", &TrafficSpec::to)
      .def_readwrite("arrivals", &TrafficSpec::arrivals)
      .def_readwrite("clients", &TrafficSpec::clients)
      .def_readwrite("timeout_ns", &TrafficSpec::timeout_ns)
      .def_readwrite("on_timeout", &TrafficSpec::on_timeout)
      .def_readwrite("resilience", &TrafficSpec::resilience)
      .def_readwrite("group", &TrafficSpec::group)
      .def_readwrite("says", &TrafficSpec::says)
      .def_readwrite("rule", &TrafficSpec::rule);
}

void bind_fleets(py::module_& m) {
  py::class_<FreshSpec>(m, "FreshSpec")
      .def(py::init<>())
      .def_readwrite("bytes", &FreshSpec::bytes)
      .def_readwrite("rate", &FreshSpec::rate)
      .def_readwrite("loaded", &FreshSpec::loaded);
  py::class_<AllocationSpec>(m, "AllocationSpec")
      .def(py::init<>())
      .def_readwrite("on_demand", &AllocationSpec::on_demand)
      .def_readwrite("spot", &AllocationSpec::spot)
      .def_readwrite("pools", &AllocationSpec::pools);
  py::class_<FleetSpec>(m, "FleetSpec")
      .def(py::init<>())
      .def_readwrite("name", &FleetSpec::name)
      .def_readwrite("service", &FleetSpec::service)
      .def_readwrite("count", &FleetSpec::count)
      .def_readwrite("vcpus", &FleetSpec::vcpus)
      .def_readwrite("vcpus_are_cores", &FleetSpec::vcpus_are_cores)
      .def_readwrite("speed", &FleetSpec::speed)
      .def_readwrite("hosts", &FleetSpec::hosts)
      .def_readwrite("memory", &FleetSpec::memory)
      .def_readwrite("accelerators", &FleetSpec::accelerators)
      .def_readwrite("disks", &FleetSpec::disks)
      .def_readwrite("counts_lives", &FleetSpec::counts_lives)
      .def_readwrite("network", &FleetSpec::network)
      .def_readwrite("flow_limit", &FleetSpec::flow_limit)
      .def_readwrite("disk_bytes", &FleetSpec::disk_bytes)
      .def_readwrite("disk_ops", &FleetSpec::disk_ops)
      .def_readwrite("fresh", &FleetSpec::fresh)
      .def_readwrite("accelerator_speed", &FleetSpec::accelerator_speed)
      .def_readwrite("zones", &FleetSpec::zones)
      .def_readwrite("account", &FleetSpec::account)
      .def_readwrite("tenancy", &FleetSpec::tenancy)
      .def_readwrite("group", &FleetSpec::group)
      .def_readwrite("weight", &FleetSpec::weight)
      .def_readwrite("reservation", &FleetSpec::reservation)
      .def_readwrite("quota_ns", &FleetSpec::quota_ns)
      .def_readwrite("period_ns", &FleetSpec::period_ns)
      .def_readwrite("pending", &FleetSpec::pending)
      .def_readwrite("boot", &FleetSpec::boot)
      .def_readwrite("burst", &FleetSpec::burst)
      .def_readwrite("interference", &FleetSpec::interference)
      .def_readwrite("initially", &FleetSpec::initially)
      .def_readwrite("billing", &FleetSpec::billing)
      .def_readwrite("life", &FleetSpec::life)
      .def_readwrite("scaling", &FleetSpec::scaling)
      .def_readwrite("refresh", &FleetSpec::refresh)
      .def_readwrite("membership", &FleetSpec::membership)
      .def_readwrite("makes", &FleetSpec::makes)
      .def_readwrite("allocation", &FleetSpec::allocation);
}

void bind_balancers(py::module_& m) {
  auto parts = m.def_submodule("balancers", "Parts of balancers, as specified and alone.");
  py::class_<TargetSpec>(parts, "TargetSpec")
      .def(py::init<>())
      .def_readwrite("fleet", &TargetSpec::fleet)
      .def_readwrite("weight", &TargetSpec::weight)
      .def_readwrite("group", &TargetSpec::group);
  py::class_<TargetGroupSpec>(parts, "TargetGroupSpec")
      .def(py::init<>())
      .def_readwrite("name", &TargetGroupSpec::name)
      .def_readwrite("weight", &TargetGroupSpec::weight);
  py::class_<CapacitySpec>(parts, "CapacitySpec")
      .def(py::init<>())
      .def_readwrite("start", &CapacitySpec::start)
      .def_readwrite("minimum", &CapacitySpec::minimum)
      .def_readwrite("wait_ns", &CapacitySpec::wait_ns);
  py::class_<OwnAnswerSpec>(parts, "OwnAnswerSpec")
      .def(py::init<>())
      .def_readwrite("code", &OwnAnswerSpec::code)
      .def_readwrite("share", &OwnAnswerSpec::share);
  py::class_<ConnectionsSpec>(parts, "ConnectionsSpec")
      .def(py::init<>())
      .def_readwrite("keep_alive_ns", &ConnectionsSpec::keep_alive_ns)
      .def_readwrite("handshake_ns", &ConnectionsSpec::handshake_ns);
  py::class_<SplitSpec>(parts, "SplitSpec")
      .def(py::init<>())
      .def_readwrite("share", &SplitSpec::share)
      .def_readwrite("into", &SplitSpec::into);
  auto balancer = py::class_<BalancerSpec>(parts, "BalancerSpec")
                      .def(py::init<>())
                      .def_readwrite("name", &BalancerSpec::name)
                      .def_readwrite("routing", &BalancerSpec::routing)
                      .def_readwrite("health", &BalancerSpec::health)
                      .def_readwrite("drain_ns", &BalancerSpec::drain_ns)
                      .def_readwrite("metered", &BalancerSpec::metered)
                      .def_readwrite("cross_zone", &BalancerSpec::cross_zone)
                      .def_readwrite("nodes", &BalancerSpec::nodes)
                      .def_readwrite("slow_start_ns", &BalancerSpec::slow_start_ns)
                      .def_readwrite("surge_queue", &BalancerSpec::surge_queue)
                      .def_readwrite("stickiness_ns", &BalancerSpec::stickiness_ns)
                      .def_readwrite("idle_timeout_ns", &BalancerSpec::idle_timeout_ns)
                      .def_readwrite("connect_timeout_ns", &BalancerSpec::connect_timeout_ns)
                      .def_readwrite("dns_ttl_ns", &BalancerSpec::dns_ttl_ns)
                      .def_readwrite("capacity", &BalancerSpec::capacity)
                      .def_readwrite("connections", &BalancerSpec::connections)
                      .def_readwrite("split", &BalancerSpec::split)
                      .def_readwrite("application_cookie", &BalancerSpec::application_cookie)
                      .def_readwrite("cookie_renewed", &BalancerSpec::cookie_renewed)
                      .def_readwrite("group_stickiness_ns", &BalancerSpec::group_stickiness_ns)
                      .def_readwrite("listener_of", &BalancerSpec::listener_of);
  structs(balancer, "targets", &BalancerSpec::targets);
  structs(balancer, "groups", &BalancerSpec::groups);
  structs(balancer, "own_answers", &BalancerSpec::own_answers);
}

}  // namespace

void bind_spec(py::module_& m) {
  bind_workload(m);
  bind_service(m);
  bind_hosts(m);
  bind_traffic(m);
  bind_fleets(m);
  bind_balancers(m);
  auto world = py::class_<WorldSpec>(m, "WorldSpec")
                   .def(py::init<>())
                   .def_readwrite("seed", &WorldSpec::seed)
                   .def_readwrite("replication", &WorldSpec::replication)
                   .def_readwrite("duration_ns", &WorldSpec::duration_ns)
                   .def_readwrite("warmup_ns", &WorldSpec::warmup_ns)
                   .def_readwrite("series_ns", &WorldSpec::series_ns)
                   .def_readwrite("traces", &WorldSpec::traces)
                   .def_readwrite("message_quotas", &WorldSpec::message_quotas);
  structs(world, "traffic", &WorldSpec::traffic);
  structs(world, "resilience", &WorldSpec::resilience);
  structs(world, "services", &WorldSpec::services);
  structs(world, "hosts", &WorldSpec::hosts);
  structs(world, "groups", &WorldSpec::groups);
  structs(world, "fleets", &WorldSpec::fleets);
  structs(world, "balancers", &WorldSpec::balancers);
  structs(world, "queues", &WorldSpec::queues);
  structs(world, "topics", &WorldSpec::topics);
  structs(world, "buses", &WorldSpec::buses);
  structs(world, "pipes", &WorldSpec::pipes);
  structs(world, "replays", &WorldSpec::replays);
  structs(world, "queue_actions", &WorldSpec::queue_actions);
  structs(world, "quotas", &WorldSpec::quotas);
  structs(world, "apis", &WorldSpec::apis);
  structs(world, "actions", &WorldSpec::actions);
  structs(world, "faults", &WorldSpec::faults);
}

}  // namespace nephoscope
