#include "balancing/own_answers.hpp"

#include <algorithm>

#include "kernel/errors.hpp"

namespace nephoscope {

OwnAnswers::OwnAnswers(const std::vector<OwnAnswerSpec>& specs, StreamKey key) : draws_(key) {
  double sum = 0.0;
  for (const OwnAnswerSpec& spec : specs) {
    require(spec.share > 0.0 && spec.share <= 1.0, "errors",
            "need shares above 0 and of 1 at most");
    sum += spec.share;
    codes_.push_back(spec.code);
    until_.push_back(sum);
  }
  require(sum <= 1.0 + 1e-12, "errors", "have shares of more than all");
  counts_.resize(codes_.size());
}

bool OwnAnswers::may_wait() const {
  return std::find(codes_.begin(), codes_.end(), client_idle) != codes_.end();
}

}  // namespace nephoscope
