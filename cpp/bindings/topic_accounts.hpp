// Topics as dicts.

#pragma once

#include "bindings/pybind11.hpp"

#include "world/results/results.hpp"

namespace nephoscope {

py::dict topic_dict(const TopicAccount& account);

}  // namespace nephoscope
