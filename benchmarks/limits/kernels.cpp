// The limit kernels as C functions, for ctypes: `limit_run` by name, and the parts on their own.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "credit.hpp"
#include "farm.hpp"
#include "queue.hpp"
#include "sharing.hpp"
#include "single.hpp"

namespace limits {
namespace {

struct Request {
  std::uint32_t instances;
  double utilisation;
  std::uint64_t seed;
  std::int64_t end_ns;
};

template <class Model>
Outcome run_farm(const Request& request) {
  const auto model = std::make_unique<Model>(request.instances, request.utilisation, request.seed);
  return model->run(request.end_ns);
}

Outcome run_single(const Request& request) {
  const auto model = std::make_unique<SingleQueue>(request.utilisation, request.seed);
  return model->run(request.end_ns);
}

struct Kernel {
  std::string_view name;
  Outcome (*run)(const Request&);
};

constexpr Kernel kernels[] = {
    {"fifo/round_robin", run_farm<Farm<RoundRobin>>},
    {"fifo/least_connections", run_farm<Farm<LeastConnections>>},
    {"fifo/ip_hash", run_farm<Farm<IpHash>>},
    {"fifo/least_response_time", run_farm<Farm<LeastResponseTime>>},
    {"ps/round_robin", run_farm<SharingFarm<RoundRobin>>},
    {"ps/least_connections", run_farm<SharingFarm<LeastConnections>>},
    {"ps/ip_hash", run_farm<SharingFarm<IpHash>>},
    {"single", run_single},
    {"lindley/round_robin", run_farm<Lindley<RoundRobin>>},
};

// Ticks of a credit scheduler after some to warm up; what the vCPUs of the first host ran.
template <class Model>
double credit_ticks(std::uint32_t hosts, std::uint32_t ticks, std::uint32_t block,
                    const std::uint32_t* weights, std::uint32_t* ran) {
  const auto model = std::make_unique<Model>(hosts, weights);
  model->run(30, 1);
  const double start = thread_seconds();
  model->run(ticks, block);
  const double seconds = thread_seconds() - start;
  for (std::size_t at = 0; at < Model::vcpus; ++at) ran[at] = model->ran(at);
  return seconds;
}

// Batches of requests routed, then answered, as the engine's Router takes them from Python.
template <class Router>
double time_router(std::uint32_t targets, std::uint32_t batch, std::uint32_t batches) {
  const auto router = std::make_unique<Router>(targets, 1);
  std::vector<std::uint32_t> sent(batch);
  const double start = thread_seconds();
  for (std::uint32_t b = 0; b < batches; ++b) {
    for (std::uint32_t& target : sent) {
      target = router->select();
      router->sent(target);
    }
    for (const std::uint32_t target : sent) router->finished(target, 10'000'000);
  }
  return thread_seconds() - start;
}

}  // namespace
}  // namespace limits

extern "C" {

// 1 when there is such a kernel.
int limit_run(const char* name, std::uint32_t instances, double utilisation, std::uint64_t seed,
              std::int64_t end_ns, limits::Outcome* outcome) {
  for (const limits::Kernel& kernel : limits::kernels) {
    if (kernel.name != name) continue;
    *outcome = kernel.run({instances, utilisation, seed, end_ns});
    return 1;
  }
  return 0;
}

// The following return seconds of this thread.

double limit_router(const char* routing, std::uint32_t targets, std::uint32_t batch,
                    std::uint32_t batches) {
  const std::string_view name = routing;
  if (name == "round_robin")
    return limits::time_router<limits::RoundRobin>(targets, batch, batches);
  if (name == "ip_hash") return limits::time_router<limits::IpHash>(targets, batch, batches);
  if (name == "least_connections") {
    return limits::time_router<limits::LeastConnections>(targets, batch, batches);
  }
  return limits::time_router<limits::LeastResponseTime>(targets, batch, batches);
}

// The hold model: `pending` events a mean of `work_ns` apart; each popped comes back gaps[i] later.
double limit_hold(std::uint32_t pending, const std::int64_t* gaps, std::size_t count) {
  limits::Calendar calendar(pending, limits::work_ns / pending, 5 * limits::work_ns);
  for (std::uint32_t id = 0; id < pending; ++id) calendar.push(gaps[id % count], id);
  const double start = limits::thread_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t now = calendar.time();
    const std::uint32_t id = calendar.id();
    calendar.pop();
    calendar.push(now + gaps[i], id);
  }
  return limits::thread_seconds() - start;
}

double limit_histogram(const std::int64_t* values, std::size_t count, double* mean) {
  const auto histogram = std::make_unique<limits::Histogram>();
  const double start = limits::thread_seconds();
  for (std::size_t i = 0; i < count; ++i) histogram->record(values[i]);
  const double seconds = limits::thread_seconds() - start;
  *mean = histogram->mean();
  return seconds;
}

// Ticks of hosts under a credit scheduler, `block` at a time for each; `ran` has room for what the
// vCPUs of the first host ran, in ticks.
double limit_credit(std::uint32_t hosts, std::uint32_t ticks, std::uint32_t block,
                    const std::uint32_t* weights, std::uint32_t* ran) {
  return limits::credit_ticks<limits::CreditTicks>(hosts, ticks, block, weights, ran);
}

double limit_credit_scan(std::uint32_t hosts, std::uint32_t ticks, std::uint32_t block,
                         const std::uint32_t* weights, std::uint32_t* ran) {
  return limits::credit_ticks<limits::CreditScan>(hosts, ticks, block, weights, ran);
}

// Rounds of messages sent, received and deleted, a microsecond apart, in a queue where others wait.
double limit_queue(std::uint64_t waiting, std::uint32_t batch, std::uint32_t rounds,
                   std::uint64_t* deleted) {
  limits::BareQueue queue(waiting + batch, 2 * batch, 30'000'000'000);
  for (std::uint64_t body = 0; body < waiting; ++body) queue.send(0, body);
  std::vector<limits::BareQueue::Delivery> received(batch);
  std::uint64_t good = 0;
  std::int64_t now = 0;
  const double start = limits::thread_seconds();
  for (std::uint32_t round = 0; round < rounds; ++round) {
    now += 1'000;
    queue.advance(now);
    for (std::uint32_t at = 0; at < batch; ++at) queue.send(now, at);
    for (auto& delivery : received) delivery = queue.receive(now);
    for (const auto& delivery : received) good += queue.erase(delivery.receipt) ? 1 : 0;
  }
  const double seconds = limits::thread_seconds() - start;
  *deleted = good;
  return seconds;
}

double limit_draws(std::uint64_t seed, std::size_t count, double* mean) {
  limits::Exponentials draws(seed, "alone", limits::work_ns);
  std::int64_t sum = 0;
  const double start = limits::thread_seconds();
  for (std::size_t i = 0; i < count; ++i) sum += draws.next();
  const double seconds = limits::thread_seconds() - start;
  *mean = static_cast<double>(sum) / static_cast<double>(count);
  return seconds;
}
}
