// What became of the vCPU time of instances and hosts, and how long instances ran.

#include <algorithm>

#include "world/world.hpp"

namespace nephoscope {

// Since its launch.
TenantAccount WorldView::used(std::uint32_t instance, HostPools& hosts) const {
  if (hosts.is_hosted(instance)) return hosts.account(instance, now_);
  TenantAccount account;
  account.run_ns = instances_.run_ns(instance, now_);
  return account;
}

TenantAccount WorldView::used_since_warmup(std::uint32_t instance, HostPools& hosts) const {
  if (!warm_) return {};
  TenantAccount account = used(instance, hosts);
  if (hosts.is_hosted(instance)) {
    if (instance < account_at_warmup_.size()) account -= account_at_warmup_[instance];
  } else {
    account.run_ns -= run_at_warmup(instance);
  }
  return account;
}

// Nothing has run before there was a warm-up, or the instance.
std::int64_t WorldView::run_at_warmup(std::uint32_t instance) const {
  return instance < run_at_warmup_.size() ? run_at_warmup_[instance] : 0;
}

// Of all instances of a fleet that there ever were. Hypervisors may not have been told of the
// present: their accounts are read ahead, so that looking changes nothing and costs no copy. Whom
// nobody sends to wants nothing, and nothing is stolen from it.
std::int64_t WorldView::stolen_ns(std::uint32_t fleet) const {
  std::int64_t stolen = 0;
  for (const std::uint32_t instance : worked_.of_fleet[fleet]) {
    if (hosts_.is_hosted(instance)) stolen += hosts_.account_at(instance, now_).steal_ns();
  }
  return stolen;
}

// A hosted instance ran for less time than it computed: what counts is what its host gave it.
void World::note_hosted_at_warmup() {
  HostPools hosts = hosts_;  // so that looking changes nothing
  account_at_warmup_.resize(instances_.size());
  for (std::uint32_t at = 0; at < instances_.size(); ++at) {
    account_at_warmup_[at] = used(at, hosts);
    if (at < run_at_warmup_.size()) run_at_warmup_[at] = account_at_warmup_[at].run_ns;
  }
}

// And of their instances, fleet by fleet.
std::vector<HostPoolAccount> WorldView::host_accounts(HostPools& hosts,
                                                      std::vector<FleetAccount>& fleets) const {
  std::vector<HostPoolAccount> pools(host_names_.size());
  for (std::uint32_t at = 0; at < pools.size(); ++at) {
    HostPoolAccount& pool = pools[at];
    pool.name = host_names_[at];
    pool.threads = hosts.facts(at).host.threads();
    pool.rejected_launches = refused_launches_[at];
    pool.interferes = hosts.interferes(at);
    pool.migrations = migrated_[at];
    pool.used.resize(hosts.facts(at).count);
    pool.instances.resize(hosts.facts(at).count);
  }
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    const std::uint32_t at = hosts.pool_of(instance);
    if (at >= pools.size()) continue;
    const std::uint32_t host = hosts.host_of(instance);
    const TenantAccount used = used_since_warmup(instance, hosts);
    const bool present = phase_[instance] != Phase::gone;
    ++pools[at].placements;
    pools[at].used[host] += used;
    pools[at].instances[host] += present ? 1 : 0;
    FleetAccount& fleet = fleets[fleet_of_[instance]];
    fleet.pool = at;
    fleet.places.resize(launched_[fleet_of_[instance]]);
    InstancePlace& place = fleet.places[index_in_fleet_[instance]];
    place.host = host;
    place.present = present;
    place.used += used;
  }
  split_between_hosts(pools);
  // After a reboot an instance stands where another one was placed.
  for (const Fleet& fleet : fleets_) {
    const std::uint32_t pool = fleet.makes.front().request.pool;
    if (fleet.successions != 0 && pool < pools.size()) {
      pools[pool].placements -= fleet.successions;
    }
  }
  return pools;
}

// What every fleet has to pay for: its machines while their meters ran, each start by itself, and
// the credits of those that are burstable.
void WorldView::bill(std::vector<FleetAccount>& accounts) const {
  for (std::uint32_t machine = 0; machine < machines_.size(); ++machine) {
    const std::uint32_t instance = machines_[machine].instance;
    FleetAccount& account = accounts[fleet_of_[instance]];
    const auto billed_s = static_cast<std::uint64_t>(lives_.billed_until_s(machine, now_));
    account.billed_s += billed_s;
    if (account.counts_lives) account.lived_ns += lived_ns(machine);
    if (account.mixed && lives_.facts(machine).purchase == Purchase::on_demand) {
      account.on_demand_billed_s += billed_s;
      account.makes[make_number(instance)].on_demand_billed_s += billed_s;
    }
    const SpotPrices& prices = fleets_[fleet_of_[instance]].prices;
    if (!prices.all.empty() && lives_.facts(machine).purchase == Purchase::spot)
      prices.split(index_in_fleet_[instance], static_cast<std::int64_t>(billed_s),
                   account.billed_by_price);
    account.makes[make_number(instance)].billed_s += billed_s;
  }
  for (std::uint32_t instance = 0; instance < instances_.size(); ++instance) {
    if (!hosts_.is_burstable(instance)) continue;
    FleetAccount& account = accounts[fleet_of_[instance]];
    const double before = account.credits.charged;
    add_credits(instance, account.credits);
    account.makes[make_number(instance)].charged += account.credits.charged - before;
  }
}

// From the launch of a machine until its end, in whatever state.
std::uint64_t WorldView::lived_ns(std::uint32_t machine) const {
  const bool over = lives_.state(machine) == InstanceState::terminated;
  const std::int64_t until = over ? lives_.state_since(machine) : now_;
  return static_cast<std::uint64_t>(until - machines_[machine].launched_ns);
}

void WorldView::add_credits(std::uint32_t instance, CreditTotals& totals) const {
  const auto whole = [](int128 units) {
    return static_cast<double>(units) / static_cast<double>(CpuCredits::units_per_credit);
  };
  CpuCredits credits = hosts_.credits(instance, now_);
  if (credits.running()) {
    totals.balance += whole(credits.balance() + credits.launch_credits());
    credits.terminate();
  }
  totals.earned += whole(credits.account().earned);
  totals.launch += whole(credits.account().granted);
  totals.spent += whole(credits.account().spent);
  totals.charged += whole(credits.account().billed);
}

}  // namespace nephoscope
