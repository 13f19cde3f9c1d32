#include "messaging/flat_event.hpp"

#include <cstddef>

#include "kernel/errors.hpp"

namespace nephoscope {

std::uint32_t PathTable::add(const std::string& path) {
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    beginnings_.insert(path.substr(0, dot));
  }
  return numbers_.try_emplace(path, size()).first->second;
}

FlatEvent::FlatEvent(const JsonDocument& document, const PathTable& paths, NumberRule rule)
    : document_(document), paths_(paths), rule_(rule) {
  const JsonNode& root = document.nodes().front();
  require(root.kind == JsonKind::object, "event", "must be an object of JSON");
  object(0, 0);
}

void FlatEvent::add_unmatchable(const std::string& path) {
  const std::uint32_t number = paths_.find(path);
  if (number != PathTable::none) fields_.push_back({number, 0, {}});
}

void FlatEvent::object(std::uint32_t node, int depth) {
  const std::vector<JsonNode>& nodes = document_.nodes();
  const std::size_t length = path_.size();
  for (std::uint32_t at = node + 1; at < nodes[node].end; at = nodes[at].end) {
    if (!nodes[at].live) continue;
    if (depth > 0) path_ += '.';
    path_ += document_.key(nodes[at]);
    if (nodes[at].kind == JsonKind::array) {
      array(at, depth + 1);
    } else if (nodes[at].kind != JsonKind::object) {
      scalar(nodes[at]);
    } else if (paths_.leads_on(path_)) {
      object(at, depth + 1);
    }
    path_.resize(length);
  }
}

// Values of the array itself are in no element of it: any of them will do.
void FlatEvent::array(std::uint32_t node, int depth) {
  const std::vector<JsonNode>& nodes = document_.nodes();
  const std::uint32_t number = arrays_++;
  std::uint32_t element = 0;
  for (std::uint32_t at = node + 1; at < nodes[node].end; at = nodes[at].end, ++element) {
    if (nodes[at].kind != JsonKind::array && nodes[at].kind != JsonKind::object) {
      scalar(nodes[at]);
      continue;
    }
    const std::uint32_t before = current_;
    around_.emplace_back(number, element);
    current_ = PathTable::none;
    if (nodes[at].kind == JsonKind::array) {
      array(at, depth);
    } else if (paths_.leads_on(path_)) {
      object(at, depth);
    }
    around_.pop_back();
    current_ = before;
  }
}

void FlatEvent::scalar(const JsonNode& node) {
  const std::uint32_t path = paths_.find(path_);
  if (path == PathTable::none) return;
  if (current_ == PathTable::none) {
    current_ = static_cast<std::uint32_t>(memberships_.size());
    memberships_.push_back(around_);
  }
  const std::string_view text = document_.text(node);
  FieldValue value = node.kind == JsonKind::text     ? FieldValue::of_text(text)
                     : node.kind == JsonKind::number ? FieldValue::of_number(text, rule_)
                                                     : FieldValue::of_literal(text);
  fields_.push_back({path, current_, std::move(value)});
}

}  // namespace nephoscope
