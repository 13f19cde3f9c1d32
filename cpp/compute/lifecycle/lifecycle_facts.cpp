#include "compute/lifecycle/lifecycle_facts.hpp"

#include "kernel/errors.hpp"

namespace nephoscope {

namespace {

constexpr AssetMask all_of(std::initializer_list<Asset> assets) {
  AssetMask mask = 0;
  for (const Asset asset : assets) mask = static_cast<AssetMask>(mask | mask_of(asset));
  return mask;
}

constexpr std::int64_t longest_encryption_ns = 366 * 86'400 * std::int64_t{1'000'000'000};
constexpr AssetMask volumes = all_of({Asset::root_volume, Asset::other_volumes});
constexpr AssetMask optional = all_of(
    {Asset::public_address, Asset::elastic_address, Asset::instance_store, Asset::other_volumes});

// By transition. Recovery is a reboot on another host.
constexpr std::array<AssetMask, 5> kept = {
    all_of({Asset::host, Asset::private_address, Asset::public_address, Asset::elastic_address,
            Asset::instance_store, Asset::root_volume, Asset::other_volumes}),
    all_of(
        {Asset::private_address, Asset::elastic_address, Asset::root_volume, Asset::other_volumes}),
    all_of({Asset::private_address, Asset::elastic_address, Asset::root_volume,
            Asset::other_volumes, Asset::memory}),
    all_of({Asset::other_volumes}),
    all_of({Asset::private_address, Asset::public_address, Asset::elastic_address,
            Asset::root_volume, Asset::other_volumes}),
};

}  // namespace

bool keeps(Transition transition, Asset asset) {
  return (kept[static_cast<std::size_t>(transition)] & mask_of(asset)) != 0;
}

void check(const SystemFacts& facts) {
  if (facts.stop_limit_ns < 1) throw SpecError("stop_limit_ns", "must be above 0");
  check(facts.billing);
  if (facts.encryption_ns < 0 || facts.encryption_ns > longest_encryption_ns) {
    throw SpecError("encryption_ns", "must be from 0 to a year");
  }
}

void check(const LaunchFacts& facts) {
  const bool on_volume = facts.root == RootDevice::ebs;
  const bool spot = facts.purchase == Purchase::spot;
  if ((facts.assets & ~optional) != 0) {
    throw SpecError("assets", "may name addresses, instance_store and other_volumes only");
  }
  if ((facts.deleted & ~volumes) != 0) throw SpecError("deleted", "may name volumes only");
  if (facts.hibernation && !on_volume) {
    throw SpecError("hibernation", "needs a root volume to save the memory on");
  }
  if (facts.interruption != Interruption::terminate && !(spot && on_volume)) {
    throw SpecError("interruption", "other than terminate needs spot and a root volume");
  }
  if (facts.interruption == Interruption::hibernate && !facts.hibernation) {
    throw SpecError("interruption", "hibernate needs hibernation");
  }
}

}  // namespace nephoscope
