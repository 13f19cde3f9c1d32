#include "compute/hypervisor/pinned_hypervisor.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

std::uint32_t PinnedHypervisor::add_host(const HostFacts& facts) {
  check(facts);
  hosts_.push_back({facts, facts.cores});
  return static_cast<std::uint32_t>(hosts_.size() - 1);
}

std::uint32_t PinnedHypervisor::add_tenant(std::uint32_t host, const TenantFacts& facts) {
  check(facts);
  require_host(host);
  Place place{host, none, facts.vcpus, cores_for(host, facts.vcpus)};
  place.room = take_room(host, place.cores);
  hosts_[host].free_cores -= place.cores;
  places_.push_back(place);
  return each_.add_tenant(place.room, facts);
}

void PinnedHypervisor::move_tenant(std::uint32_t tenant, std::uint32_t host) {
  require_present(tenant);
  require_host(host);
  Place& place = places_[tenant];
  if (host == place.host) return;
  Place next{host, none, place.vcpus, cores_for(host, place.vcpus)};
  next.room = take_room(host, next.cores);
  each_.move_tenant(tenant, next.room);
  give_room(place);
  hosts_[host].free_cores -= next.cores;
  place = next;
}

void PinnedHypervisor::remove_tenant(std::uint32_t tenant) {
  require_present(tenant);
  each_.remove_tenant(tenant);
  give_room(places_[tenant]);
  places_[tenant].host = none;
}

double PinnedHypervisor::speed(std::uint32_t host) {
  require_host(host);
  double busy = 0.0;
  double done = 0.0;
  for (std::uint32_t tenant = 0; tenant < places_.size(); ++tenant) {
    if (places_[tenant].host != host) continue;
    busy += each_.share(tenant);
    done += each_.rate(tenant);
  }
  return busy == 0.0 ? hosts_[host].facts.speed : done / busy;
}

std::uint32_t PinnedHypervisor::free_cores(std::uint32_t host) const {
  require_host(host);
  return hosts_[host].free_cores;
}

void PinnedHypervisor::require_host(std::uint32_t host) const {
  if (host >= hosts_.size()) throw SpecError("host", "is not there");
}

void PinnedHypervisor::require_present(std::uint32_t tenant) const {
  if (tenant >= places_.size()) throw SpecError("tenant", "is not there");
  if (places_[tenant].host == none) throw SpecError("tenant", "has been removed");
}

std::uint32_t PinnedHypervisor::cores_for(std::uint32_t host, std::uint32_t vcpus) const {
  const std::uint32_t per_core = hosts_[host].facts.threads_per_core;
  const std::uint32_t cores = (vcpus + per_core - 1) / per_core;
  if (cores > hosts_[host].free_cores) {
    throw SpecError("vcpus", "need more cores than are free on the host");
  }
  return cores;
}

std::uint32_t PinnedHypervisor::take_room(std::uint32_t host, std::uint32_t cores) {
  const HostFacts& facts = hosts_[host].facts;
  const auto fits = [&](const Room& room) {
    return room.cores == cores && room.threads_per_core == facts.threads_per_core &&
           room.smt_gain == facts.smt_gain && room.speed == facts.speed;
  };
  const auto found = std::find_if(free_rooms_.begin(), free_rooms_.end(), fits);
  if (found == free_rooms_.end()) {
    return each_.add_host({cores, facts.threads_per_core, facts.smt_gain, facts.speed});
  }
  const std::uint32_t room = found->number;
  free_rooms_.erase(found);
  return room;
}

void PinnedHypervisor::give_room(const Place& place) {
  Host& host = hosts_[place.host];
  host.free_cores += place.cores;
  free_rooms_.push_back({host.facts.smt_gain, host.facts.speed, place.cores,
                         host.facts.threads_per_core, place.room, 0});
}

}  // namespace nephoscope
