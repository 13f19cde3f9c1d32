// Addresses of the internet protocol as text, and blocks of them.
//
// IPv4 is four decimal numbers; zeros before a number do not matter. IPv6 is groups of hexadecimal
// digits, `::` once for groups of 0; a form that ends in an IPv4 address is not taken. The
// addresses of IPv6 that stand for one of IPv4 (::ffff:a00:1) are that one, so that one address has
// one value.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nephoscope {

struct IpAddress {
  std::uint8_t size = 0;  // bytes: 4 or 16
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const IpAddress&) const = default;

  std::string key() const;
};

std::optional<IpAddress> parse_ip(std::string_view text);

// The addresses that share their first bits; the others of the base do not matter.
struct IpBlock {
  IpAddress base;
  std::uint32_t bits = 0;

  bool contains(const IpAddress& address) const;
};

}  // namespace nephoscope
