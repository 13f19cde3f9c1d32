// Numbers of JSON text by value: 300, 300.0 and 3.0e2 are one number, and 9007199254740993 is not
// 9007199254740992, as it would be in binary floating point.
//
// A value is 0.DIGITS x 10^point. DIGITS has no zero at either end, and 0 has no digits and the
// point at 0, so equal values have equal fields. An exponent beyond +-10^15 counts as that.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace nephoscope {

inline bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

struct Decimal {
  bool negative = false;
  std::int64_t point = 0;
  std::string digits;

  // The text must be a number as JSON writes it.
  static Decimal parse(std::string_view text);

  // The largest value with so many digits after the point that is not above this one.
  Decimal floor(std::int64_t places) const;

  // The same for equal values, and for no others.
  std::string key() const;

  bool operator==(const Decimal&) const = default;
};

std::strong_ordering operator<=>(const Decimal& left, const Decimal& right);

}  // namespace nephoscope
