#include "messaging/json.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernel/errors.hpp"
#include "messaging/decimal.hpp"

namespace nephoscope {

namespace {

// Texts are found by 32-bit indices.
constexpr std::size_t length_max = std::size_t{1} << 30;

// Objects of more members have their keys sorted to find the same ones.
constexpr std::size_t few_members = 8;

bool is_space(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

void append_utf8(std::string& to, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

}  // namespace

// One pass over the text; recursion is as deep as the nesting, which is bounded.
class JsonReader {
 public:
  JsonReader(std::string_view text, JsonDocument& document) : text_(text), to_(document) {}

  void read() {
    if (text_.size() > length_max) fail("it is longer than a GiB");
    skip();
    value(add(), 0);
    skip();
    if (at_ != text_.size()) fail("something follows the value");
  }

 private:
  std::uint32_t add() {
    to_.nodes_.emplace_back();
    return static_cast<std::uint32_t>(to_.nodes_.size() - 1);
  }

  void value(std::uint32_t node, int depth) {
    if (depth > JsonDocument::depth_max) fail("it is nested over 1000 deep");
    const char first = peek();
    if (first == '{') {
      object(node, depth);
    } else if (first == '[') {
      array(node, depth);
    } else if (first == '"') {
      const auto [start, size] = string();
      set(node, JsonKind::text, start, size);
    } else if (first == '-' || is_digit(first)) {
      number(node);
    } else {
      literal(node);
    }
    to_.nodes_[node].end = static_cast<std::uint32_t>(to_.nodes_.size());
  }

  void object(std::uint32_t node, int depth) {
    to_.nodes_[node].kind = JsonKind::object;
    std::size_t members = 0;
    for (bool more = open('}'); more; more = separate('}')) {
      if (peek() != '"') fail("a key in double quotes is missing");
      const auto [start, size] = string();
      skip();
      if (peek() != ':') fail("a colon is missing");
      ++at_;
      skip();
      const std::uint32_t member = add();
      to_.nodes_[member].key = start;
      to_.nodes_[member].key_size = size;
      value(member, depth + 1);
      ++members;
    }
    if (members > few_members) {
      retire_sorted(node);
    } else if (members > 1) {
      retire(node);
    }
  }

  void array(std::uint32_t node, int depth) {
    to_.nodes_[node].kind = JsonKind::array;
    for (bool more = open(']'); more; more = separate(']')) value(add(), depth + 1);
  }

  // Of members with the same key the last is live.
  void retire(std::uint32_t node) {
    auto& nodes = to_.nodes_;
    for (std::uint32_t one = node + 1; one < nodes.size(); one = nodes[one].end) {
      for (std::uint32_t other = nodes[one].end; other < nodes.size(); other = nodes[other].end) {
        if (to_.key(nodes[one]) == to_.key(nodes[other])) nodes[one].live = false;
      }
    }
  }

  void retire_sorted(std::uint32_t node) {
    auto& nodes = to_.nodes_;
    std::vector<std::pair<std::string_view, std::uint32_t>> keys;
    for (std::uint32_t one = node + 1; one < nodes.size(); one = nodes[one].end) {
      keys.emplace_back(to_.key(nodes[one]), one);
    }
    std::sort(keys.begin(), keys.end());
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i - 1].first == keys[i].first) nodes[keys[i - 1].second].live = false;
    }
  }

  // Past the opening bracket; whether there is anything before the closing one.
  bool open(char closing) {
    ++at_;
    skip();
    if (peek() != closing) return true;
    ++at_;
    return false;
  }

  // Past an element; whether another one follows.
  bool separate(char closing) {
    skip();
    const char letter = peek();
    if (letter != closing && letter != ',') fail("a comma or a closing bracket is missing");
    ++at_;
    skip();
    return letter == ',';
  }

  std::pair<std::uint32_t, std::uint32_t> string() {
    const auto start = static_cast<std::uint32_t>(to_.letters_.size());
    ++at_;
    while (peek() != '"') {
      const char letter = peek();
      if (static_cast<unsigned char>(letter) < 0x20) {
        fail(at_ < text_.size() ? "a control character in a text" : "a text has no end");
      }
      ++at_;
      if (letter == '\\') {
        escape();
      } else {
        to_.letters_.push_back(letter);
      }
    }
    ++at_;
    return {start, static_cast<std::uint32_t>(to_.letters_.size()) - start};
  }

  void escape() {
    const char letter = peek();
    ++at_;
    const std::string_view letters = "\"\\/bfnrt";
    const std::size_t which = letters.find(letter);
    if (letter == 'u') {
      append_utf8(to_.letters_, code_point());
    } else if (letter == '\0' || which == std::string_view::npos) {
      fail("an unknown escape");
    } else {
      to_.letters_.push_back("\"\\/\b\f\n\r\t"[which]);
    }
  }

  std::uint32_t code_point() {
    const std::uint32_t first = code_unit();
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first <= 0xdbff && peek() == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == 'u') {
      at_ += 2;
      const std::uint32_t second = code_unit();
      if (second >= 0xdc00 && second <= 0xdfff) {
        return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
      }
    }
    fail("half of a surrogate pair");
  }

  std::uint32_t code_unit() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char letter = peek();
      value *= 16;
      if (is_digit(letter)) {
        value += static_cast<std::uint32_t>(letter - '0');
      } else if (letter >= 'a' && letter <= 'f') {
        value += static_cast<std::uint32_t>(letter - 'a' + 10);
      } else if (letter >= 'A' && letter <= 'F') {
        value += static_cast<std::uint32_t>(letter - 'A' + 10);
      } else {
        fail("four hexadecimal digits are missing");
      }
      ++at_;
    }
    return value;
  }

  void number(std::uint32_t node) {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '-' || peek() == '+') ++at_;
      digits();
    }
    keep(node, JsonKind::number, text_.substr(start, at_ - start));
  }

  void digits() {
    if (!is_digit(peek())) fail("a digit is missing");
    while (is_digit(peek())) ++at_;
  }

  void literal(std::uint32_t node) {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return keep(node, JsonKind::literal, word);
      }
    }
    fail(at_ < text_.size() ? "a value is missing" : "it ends too early");
  }

  void keep(std::uint32_t node, JsonKind kind, std::string_view text) {
    const auto start = static_cast<std::uint32_t>(to_.letters_.size());
    to_.letters_ += text;
    set(node, kind, start, static_cast<std::uint32_t>(text.size()));
  }

  void set(std::uint32_t node, JsonKind kind, std::uint32_t start, std::uint32_t size) {
    to_.nodes_[node].kind = kind;
    to_.nodes_[node].text = start;
    to_.nodes_[node].text_size = size;
  }

  // 0 at the end, which is no letter that anything begins with.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw SpecError("event", "not legal JSON: " + why + " (byte " + std::to_string(at_) + ")");
  }

  std::string_view text_;
  JsonDocument& to_;
  std::size_t at_ = 0;
};

JsonDocument::JsonDocument(std::string_view text) {
  JsonReader(text, *this).read();
}

}  // namespace nephoscope
