#include "world/archive.hpp"

#include <utility>

namespace nephoscope {

std::string StateWriter::take() {
  const std::uint64_t sum = checksum(bytes_);
  write(sum);
  return std::move(bytes_);
}

}  // namespace nephoscope
