// A reader of JSON (RFC 8259) that keeps numbers as they are written.
//
// A document is a list of nodes in the order of the text; the node after a value and all within it
// is `end`, so a value is skipped in one step. Of members of an object with the same key the last
// counts; the others are there, and `live` is false. Nothing is nested over 1,000 deep, as the
// event buses of the provider have it. Strings are unescaped; half of a surrogate pair is refused.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nephoscope {

enum class JsonKind : std::uint8_t { literal, number, text, array, object };

struct JsonNode {
  JsonKind kind = JsonKind::literal;
  bool live = true;
  std::uint32_t end = 0;
  std::uint32_t key = 0;  // where the texts begin, and their sizes
  std::uint32_t key_size = 0;
  std::uint32_t text = 0;
  std::uint32_t text_size = 0;
};

class JsonDocument {
 public:
  static constexpr int depth_max = 1000;

  // Throws SpecError, with the place, where the text is not one value of JSON.
  explicit JsonDocument(std::string_view text);

  const std::vector<JsonNode>& nodes() const { return nodes_; }

  // Of a member of an object.
  std::string_view key(const JsonNode& node) const {
    return std::string_view(letters_).substr(node.key, node.key_size);
  }

  // Of a text, unescaped, of a number as it is written, of true, false and null.
  std::string_view text(const JsonNode& node) const {
    return std::string_view(letters_).substr(node.text, node.text_size);
  }

 private:
  friend class JsonReader;

  std::vector<JsonNode> nodes_;
  std::string letters_;  // of all keys, texts and numbers
};

}  // namespace nephoscope
