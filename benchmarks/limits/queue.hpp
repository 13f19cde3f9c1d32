// A queue as bare rings: messages in the order of sending, and in flight in the order of receiving,
// which is that of the ends of their timeouts. A receipt is a place in the second ring.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace limits {

class BareQueue {
 public:
  BareQueue(std::uint64_t waiting, std::uint64_t in_flight, std::int64_t visibility)
      : row_(std::bit_ceil(waiting)), flights_(std::bit_ceil(in_flight)), visibility_(visibility) {}

  void send(std::int64_t now, std::uint64_t body) {
    row_[row_end_++ & (row_.size() - 1)] = {now, number_++, body, 0};
  }

  struct Message {
    std::int64_t sent;
    std::uint64_t number;
    std::uint64_t body;
    std::uint64_t receives;
  };

  struct Delivery {
    Message message;
    std::uint64_t receipt;
  };

  // Precondition: there is a message.
  Delivery receive(std::int64_t now) {
    Message message = row_[row_begin_++ & (row_.size() - 1)];
    ++message.receives;
    flights_[flight_end_ & (flights_.size() - 1)] = {message, now + visibility_};
    return {message, flight_end_++};
  }

  bool erase(std::uint64_t receipt) {
    Flight& flight = flights_[receipt & (flights_.size() - 1)];
    if (receipt - flight_begin_ >= flight_end_ - flight_begin_ || flight.due == deleted) {
      return false;
    }
    flight.due = deleted;
    return true;
  }

  // What was deleted leaves, and what was not by the end of its timeout is sent to the end.
  void advance(std::int64_t now) {
    while (flight_begin_ != flight_end_) {
      const Flight& first = flights_[flight_begin_ & (flights_.size() - 1)];
      if (first.due != deleted && first.due > now) return;
      if (first.due != deleted) row_[row_end_++ & (row_.size() - 1)] = first.message;
      ++flight_begin_;
    }
  }

 private:
  static constexpr std::int64_t deleted = -1;

  struct Flight {
    Message message;
    std::int64_t due;
  };

  std::vector<Message> row_;
  std::vector<Flight> flights_;
  std::int64_t visibility_;
  std::uint64_t row_begin_ = 0;
  std::uint64_t row_end_ = 0;
  std::uint64_t flight_begin_ = 0;
  std::uint64_t flight_end_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace limits
