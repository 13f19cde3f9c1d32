#include "messaging/decimal.hpp"

#include <algorithm>
#include <cstddef>

namespace nephoscope {

namespace {

constexpr std::int64_t exponent_max = 1'000'000'000'000'000;

std::int64_t exponent_of(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  for (const char letter : text) {
    value = std::min(value * 10 + (letter - '0'), exponent_max);
  }
  return negative ? -value : value;
}

// Zeros at the ends go; what is left is the one form of its value.
void normalise(Decimal& it) {
  const std::size_t first = it.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    it = Decimal{};
    return;
  }
  it.digits.erase(0, first);
  it.point -= static_cast<std::int64_t>(first);
  it.digits.resize(it.digits.find_last_not_of('0') + 1);
}

// One more in the last digit.
void increment(Decimal& it) {
  std::size_t at = it.digits.size();
  while (at > 0 && it.digits[at - 1] == '9') it.digits[--at] = '0';
  if (at > 0) {
    ++it.digits[at - 1];
  } else {
    it.digits.insert(it.digits.begin(), '1');
    ++it.point;
  }
}

std::strong_ordering magnitude(const Decimal& left, const Decimal& right) {
  if (left.point != right.point) return left.point <=> right.point;
  return left.digits.compare(right.digits) <=> 0;
}

}  // namespace

Decimal Decimal::parse(std::string_view text) {
  Decimal it;
  if (!text.empty() && text.front() == '-') {
    it.negative = true;
    text.remove_prefix(1);
  }
  bool fraction = false;
  std::size_t at = 0;
  for (; at < text.size() && (is_digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    it.digits.push_back(text[at]);
    if (!fraction) ++it.point;
  }
  if (at < text.size()) it.point += exponent_of(text.substr(at + 1));
  normalise(it);
  return it;
}

Decimal Decimal::floor(std::int64_t places) const {
  const std::int64_t kept = point + places;
  if (kept >= static_cast<std::int64_t>(digits.size())) return *this;
  if (kept <= 0) return negative ? Decimal{true, 1 - places, "1"} : Decimal{};
  Decimal it = *this;
  it.digits.resize(static_cast<std::size_t>(kept));
  if (negative) increment(it);
  normalise(it);
  return it;
}

std::string Decimal::key() const {
  return (negative ? "-" : "") + digits + "e" + std::to_string(point);
}

std::strong_ordering operator<=>(const Decimal& left, const Decimal& right) {
  // -1, 0 or 1: what is apart in sign is not compared further.
  const int signs[] = {left.digits.empty() ? 0 : (left.negative ? -1 : 1),
                       right.digits.empty() ? 0 : (right.negative ? -1 : 1)};
  if (signs[0] != signs[1]) return signs[0] <=> signs[1];
  return left.negative ? magnitude(right, left) : magnitude(left, right);
}

}  // namespace nephoscope
