// What the world keeps of an instance that has gone from one host to another (migration.cpp).

#pragma once

#include <cstdint>

#include "compute/hypervisor/hypervisor_facts.hpp"

namespace nephoscope {

struct Migration {
  TenantAccount before;    // of its vCPU time until then
  std::uint32_t pool = 0;  // of the host that it left
  std::uint32_t host = 0;
  std::uint32_t instance = 0;
  std::uint32_t unused = 0;  // no padding
};

}  // namespace nephoscope
