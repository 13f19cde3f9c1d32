#include "messaging/ip_address.hpp"

#include <cstddef>

namespace nephoscope {

namespace {

constexpr std::size_t ipv4_length_max = 15;
constexpr int groups_max = 8;

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

std::optional<IpAddress> parse_ipv4(std::string_view text) {
  if (text.size() > ipv4_length_max) return std::nullopt;
  IpAddress address{4, {}};
  std::size_t at = 0;
  for (std::size_t number = 0; number < 4; ++number) {
    if (number > 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
    const std::size_t start = at;
    int value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + (text[at++] - '0');
      if (value > 255) return std::nullopt;
    }
    if (at == start) return std::nullopt;
    address.bytes[number] = static_cast<std::uint8_t>(value);
  }
  return at == text.size() ? std::optional(address) : std::nullopt;
}

// Groups of one side of `::`, or of an address without; -1 where they are none.
int parse_groups(std::string_view text, std::array<std::uint16_t, groups_max>& groups) {
  int count = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    if (count == groups_max) return -1;
    if (count > 0 && text[at++] != ':') return -1;
    const std::size_t start = at;
    int value = 0;
    while (at < text.size() && hex_digit(text[at]) >= 0) {
      value = value * 16 + hex_digit(text[at++]);
      if (at - start > 4) return -1;
    }
    if (at == start) return -1;
    groups[static_cast<std::size_t>(count++)] = static_cast<std::uint16_t>(value);
  }
  return count;
}

bool is_mapped(const IpAddress& address) {
  for (std::size_t i = 0; i < 10; ++i) {
    if (address.bytes[i] != 0) return false;
  }
  return address.bytes[10] == 0xff && address.bytes[11] == 0xff;
}

IpAddress ipv4_of(const IpAddress& mapped) {
  IpAddress address{4, {}};
  for (std::size_t i = 0; i < 4; ++i) address.bytes[i] = mapped.bytes[12 + i];
  return address;
}

std::optional<IpAddress> parse_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  std::array<std::uint16_t, groups_max> left{};
  std::array<std::uint16_t, groups_max> right{};
  const bool whole = gap == std::string_view::npos;
  const int before = parse_groups(text.substr(0, gap), left);
  const int after = whole ? 0 : parse_groups(text.substr(gap + 2), right);
  if (before < 0 || after < 0) return std::nullopt;
  if (whole ? before != groups_max : before + after >= groups_max) return std::nullopt;
  IpAddress address{16, {}};
  const auto put = [&](int group, std::uint16_t value) {
    address.bytes[static_cast<std::size_t>(2 * group)] = static_cast<std::uint8_t>(value >> 8);
    address.bytes[static_cast<std::size_t>(2 * group + 1)] = static_cast<std::uint8_t>(value);
  };
  for (int i = 0; i < before; ++i) put(i, left[static_cast<std::size_t>(i)]);
  for (int i = 0; i < after; ++i) put(groups_max - after + i, right[static_cast<std::size_t>(i)]);
  return is_mapped(address) ? ipv4_of(address) : address;
}

}  // namespace

std::string IpAddress::key() const {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.empty() || (hex_digit(text.front()) < 0 && text.front() != ':')) return std::nullopt;
  if (text.find(':') != std::string_view::npos) return parse_ipv6(text);
  return parse_ipv4(text);
}

bool IpBlock::contains(const IpAddress& address) const {
  if (address.size != base.size) return false;
  for (std::uint32_t i = 0; 8 * i < bits; ++i) {
    const std::uint32_t left = bits - 8 * i;
    const auto mask = static_cast<std::uint8_t>(left >= 8 ? 0xff : 0xff << (8 - left));
    if (((address.bytes[i] ^ base.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace nephoscope
