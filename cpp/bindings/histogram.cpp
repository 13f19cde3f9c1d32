// Histogram and Series.

#include "kernel/histogram.hpp"

#include "bindings/pybind11.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernel/errors.hpp"
#include "kernel/series.hpp"

namespace nephoscope {
namespace {

using Integers = py::array_t<std::int64_t, py::array::c_style>;  // floats are refused, not rounded

// Archives for pickling: the fields of `serialize` as a list of ints and arrays.
class ListWriter {
 public:
  template <class... Fields>
  void operator()(Fields&... fields) {
    (write(fields), ...);
  }

  py::list take() { return std::move(list_); }

 private:
  template <class Field>
  void write(const Field& field) {
    list_.append(field);
  }

  template <class Element>
  void write(const std::vector<Element>& elements) {
    list_.append(py::array_t<Element>(static_cast<py::ssize_t>(elements.size()), elements.data()));
  }

  py::list list_;
};

class ListReader {
 public:
  explicit ListReader(py::list list) : list_(std::move(list)) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    if (list_.size() != sizeof...(fields)) {
      throw StateError("a pickle of another version");
    }
    (read(fields), ...);
  }

 private:
  template <class Field>
  void read(Field& field) {
    field = list_[next_++].cast<Field>();
  }

  template <class Element>
  void read(std::vector<Element>& elements) {
    const auto array = list_[next_++].cast<py::array_t<Element, py::array::c_style>>();
    elements.assign(array.data(), array.data() + array.size());
  }

  py::list list_;
  std::size_t next_ = 0;
};

template <class Value>
py::list to_list(const Value& value) {
  ListWriter writer;
  Value copy = value;  // serialize works both ways, so it wants an object it may change
  copy.serialize(writer);
  return writer.take();
}

template <class Value>
Value from_list(const py::list& list) {
  ListReader reader(list);
  Value value;
  value.serialize(reader);
  return value;
}

py::object integer(std::uint64_t high, uint128 low) {
  py::object whole = py::int_(high);
  for (const uint128 limb : {low >> 64, low}) {
    whole = (whole << py::int_(64)) | py::int_(static_cast<std::uint64_t>(limb));
  }
  return whole;
}

void require_some(const Histogram& histogram) {
  if (histogram.count() == 0) {
    throw py::value_error("the histogram is empty");
  }
}

std::int64_t quantile(const Histogram& histogram, double p) {
  require_some(histogram);
  if (!(p >= 0.0 && p <= 1.0)) {
    throw py::value_error("p must be between 0 and 1");
  }
  return histogram.quantile(p);
}

void require_no_negative(const std::int64_t* values, py::ssize_t n) {
  if (std::any_of(values, values + n, [](std::int64_t value) { return value < 0; })) {
    throw py::value_error("a histogram holds durations, which are never negative");
  }
}

void record_many(Histogram& histogram, const Integers& values) {
  const std::int64_t* const data = values.data();
  const py::ssize_t n = values.size();
  const py::gil_scoped_release release;
  require_no_negative(data, n);
  for (py::ssize_t i = 0; i < n; ++i) {
    histogram.record(data[i]);
  }
}

py::tuple buckets(const Histogram& histogram) {
  const std::vector<std::uint64_t>& all = histogram.counts();
  const auto n = static_cast<py::ssize_t>(all.size()) - std::count(all.begin(), all.end(), 0U);
  py::array_t<std::int64_t> lower(n);
  py::array_t<std::int64_t> upper(n);
  py::array_t<std::uint64_t> counts(n);
  // By pointers, for an array asks at every element whether it may be written.
  std::int64_t* const lowers = lower.mutable_data();
  std::int64_t* const uppers = upper.mutable_data();
  std::uint64_t* const held = counts.mutable_data();
  std::size_t row = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] != 0) {
      lowers[row] = Histogram::bucket_lower(histogram.first_bucket() + i);
      uppers[row] = Histogram::bucket_upper(histogram.first_bucket() + i);
      held[row] = all[i];
      ++row;
    }
  }
  return py::make_tuple(lower, upper, counts);
}

py::dict summary(const Histogram& histogram) {
  py::dict row;
  row["count"] = histogram.count();
  if (histogram.count() == 0) {
    return row;
  }
  constexpr double second = 1e9;
  const auto seconds = [](std::int64_t ns) { return static_cast<double>(ns) / second; };
  row["mean"] = histogram.mean() / second;
  row["std"] = histogram.stddev() / second;
  row["min"] = seconds(histogram.min());
  row["p50"] = seconds(histogram.quantile(0.5));
  row["p90"] = seconds(histogram.quantile(0.9));
  row["p95"] = seconds(histogram.quantile(0.95));
  row["p99"] = seconds(histogram.quantile(0.99));
  row["p999"] = seconds(histogram.quantile(0.999));
  row["max"] = seconds(histogram.max());
  return row;
}

// A number the histogram has only when something was recorded, else ValueError.
template <class Number>
auto of_some(Number (Histogram::*number)() const) {
  return [number](const Histogram& histogram) {
    require_some(histogram);
    return (histogram.*number)();
  };
}

template <class Value>
void value_methods(py::class_<Value>& cls) {
  cls.def(
         "copy", [](const Value& self) { return self; }, "An independent copy.")
      .def("__copy__", [](const Value& self) { return self; })
      .def("__deepcopy__", [](const Value& self, const py::dict&) { return self; })
      .def(
          "__eq__", [](const Value& self, const Value& other) { return self == other; },
          py::is_operator())
      .def(py::pickle(&to_list<Value>, &from_list<Value>));
  cls.attr("__hash__") = py::none();
}

void packing_methods(py::class_<Histogram>& cls) {
  cls.def(
         "pack", [](const Histogram& self) { return py::bytes(self.pack()); },
         "The content as bytes, the same for equal histograms on any machine.")
      .def_static(
          "unpack", [](const py::bytes& data) { return Histogram::unpack(std::string(data)); },
          py::arg("data"), "What `pack` made bytes of; StateError for others.");
}

void bind_series(py::module_& m) {
  auto cls =
      py::class_<Series>(m, "Series",
                         "int64 columns over a fixed interval: column i is [i, i + 1) * interval.")
          .def(py::init<std::int64_t>(), py::arg("interval_ns"))
          .def("add", &Series::add, py::arg("time_ns"), py::arg("amount") = 1,
               "Adds `amount` to the column of the instant `time_ns` >= 0.")
          .def(
              "add_many",
              [](Series& self, const Integers& times, const Integers& amounts) {
                if (times.size() != amounts.size()) {
                  throw py::value_error("as many amounts as times are needed");
                }
                for (py::ssize_t i = 0; i < times.size(); ++i) {
                  self.add(times.data()[i], amounts.data()[i]);
                }
              },
              py::arg("times_ns"), py::arg("amounts"), "add() for two int64[n].")
          .def("push", &Series::push, py::arg("value"), "Appends a column.")
          .def("extend_to", &Series::extend_to, py::arg("time_ns"),
               "Appends columns of 0 until they cover all instants before `time_ns`.")
          .def("merge", &Series::merge, py::arg("other"), "Adds the columns of another series.")
          .def(
              "values",
              [](const Series& self) {
                return py::array_t<std::int64_t>(static_cast<py::ssize_t>(self.size()),
                                                 self.values().data());
              },
              "The columns: int64[n], a copy.")
          .def_property_readonly("interval_ns", &Series::interval_ns)
          .def("__len__", &Series::size);
  value_methods(cls);
}

}  // namespace

void bind_histogram(py::module_& m) {
  bind_series(m);
  auto cls =
      py::class_<Histogram>(
          m, "Histogram",
          "Durations in ns: every value is within 0.4 % of the mid point of its bucket.\n"
          "\n"
          "Exact below 256 ns, 128 buckets an octave above. Count, sum, sum of squares, min and\n"
          "max are exact at any size. ValueError for statistics of an empty histogram.")
          .def(py::init<>())
          .def(
              "record",
              [](Histogram& self, std::int64_t value) {
                require_no_negative(&value, 1);
                self.record(value);
              },
              py::arg("value"), "Adds one duration, ns >= 0.")
          .def("record_many", &record_many, py::arg("values"), "Adds int64[n] durations, ns >= 0.")
          .def("merge", &Histogram::merge, py::arg("other"),
               "Adds what another histogram holds, exactly.")
          .def(
              "quantile", &quantile, py::arg("p"),
              "The nearest-rank quantile in ns: mid point of the bucket of the ceil(p n)-th value.")
          .def(
              "up_to",
              [](const Histogram& self, std::int64_t value) {
                require_no_negative(&value, 1);
                return self.up_to(value);
              },
              py::arg("value"),
              "How many values are in buckets that begin at `value`, ns, or before.")
          .def("summary", &summary,
               "count, and in seconds mean, std, min, p50, p90, p95, p99, p999, max; only count\n"
               "for an empty histogram.")
          .def("buckets", &buckets,
               "(lower, upper, counts) of the buckets that are not empty, ascending: the least\n"
               "and the greatest value of each, int64[n], and uint64[n].")
          .def_property_readonly("count", &Histogram::count)
          .def_property_readonly(
              "sum", [](const Histogram& h) { return integer(0, h.sum()); }, "Exact sum in ns.")
          .def_property_readonly(
              "sum_of_squares",
              [](const Histogram& h) { return integer(h.squares_high(), h.squares_low()); },
              "Exact sum of squares in ns^2.")
          .def_property_readonly("min", of_some(&Histogram::min), "Exact, ns.")
          .def_property_readonly("max", of_some(&Histogram::max), "Exact, ns.")
          .def_property_readonly("mean", of_some(&Histogram::mean), "Of the exact sum, ns.")
          .def_property_readonly("std", of_some(&Histogram::stddev),
                                 "Of the values as a population, from the exact sums, ns.")
          .def("__len__", &Histogram::count)
          .def("__repr__", [](const Histogram& self) {
            return "Histogram(" + py::repr(summary(self)).cast<std::string>() + ")";
          });
  packing_methods(cls);
  value_methods(cls);
}

}  // namespace nephoscope
