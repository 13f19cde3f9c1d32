// Random streams, distributions and the arithmetic under them.

#include "bindings/pybind11.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel/distributions.hpp"
#include "kernel/math.hpp"
#include "kernel/random.hpp"

namespace nephoscope {

void bind_histogram(py::module_&);

namespace {

using Reals = py::array_t<double, py::array::c_style | py::array::forcecast>;

py::ssize_t length(std::size_t n) {
  return static_cast<py::ssize_t>(n);
}

py::array_t<std::uint64_t> random_words(std::uint64_t seed, std::uint64_t replication,
                                        const std::string& name, std::size_t n,
                                        std::uint64_t start) {
  py::array_t<std::uint64_t> words(length(n));
  std::uint64_t* const out = words.mutable_data();
  const py::gil_scoped_release release;
  philox_words(stream_key(seed, replication, name), start, out, n);
  return words;
}

py::array_t<std::uint32_t> random_below(std::uint32_t bound, std::uint64_t seed,
                                        std::uint64_t replication, const std::string& name,
                                        std::size_t n) {
  if (bound == 0) {
    throw py::value_error("bound must be at least 1");
  }
  py::array_t<std::uint32_t> numbers(length(n));
  std::uint32_t* const out = numbers.mutable_data();
  const py::gil_scoped_release release;
  WordStream words(stream_key(seed, replication, name));
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::uint32_t>(words.below(bound));
  }
  return numbers;
}

py::array_t<double> sample(const Distribution& distribution, std::uint64_t seed,
                           std::uint64_t replication, const std::string& name, std::size_t n,
                           std::uint64_t start, std::uint32_t visit) {
  Sampler sampler(distribution, stream_key(seed, replication, name));
  py::array_t<double> draws(length(n));
  double* const out = draws.mutable_data();
  const py::gil_scoped_release release;
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = visit == 0 ? sampler.next_in_order(start + i) : sampler.at(start + i, visit);
  }
  return draws;
}

py::array_t<double> sample_at(const Distribution& distribution, std::uint64_t seed,
                              std::uint64_t replication, const std::string& name,
                              const py::array_t<std::uint64_t, py::array::c_style>& serials,
                              std::uint32_t visit, bool in_blocks) {
  if (in_blocks && visit != 0) {
    throw py::value_error("only the draws of visit 0 are made in blocks");
  }
  Sampler sampler(distribution, stream_key(seed, replication, name));
  py::array_t<double> draws(serials.size());
  double* const out = draws.mutable_data();
  const std::uint64_t* const serial = serials.data();
  const auto n = static_cast<std::size_t>(serials.size());
  const py::gil_scoped_release release;
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = in_blocks ? sampler.next_in_order(serial[i]) : sampler.at(serial[i], visit);
  }
  return draws;
}

void bind_streams(py::module_& m) {
  m.def(
      "stream_key",
      [](std::uint64_t seed, std::uint64_t replication, const std::string& name) {
        const StreamKey key = stream_key(seed, replication, name);
        return std::pair(key.k0, key.k1);
      },
      py::arg("seed"), py::arg("replication"), py::arg("name"),
      "The Philox key of a named stream as (k0, k1).");
  m.def(
      "random_words", &random_words, py::arg("seed"), py::arg("replication"), py::arg("name"),
      py::arg("n"), py::arg("start") = 0,
      "Words start, start + 1, ... of a stream: uint64[n], equal to\n"
      "numpy.random.Philox(key=stream_key(seed, replication, name)).random_raw() from `start` on.");
  m.def("random_below", &random_below, py::arg("bound"), py::arg("seed"), py::arg("replication"),
        py::arg("name"), py::arg("n"),
        "Uniform integers in [0, bound), bound < 2^32: uint32[n] (Lemire 2019).");
}

// Vectors take lists and arrays and come back as arrays.
void numbers(py::class_<Distribution>& cls, const char* name,
             std::vector<double> Distribution::* member) {
  cls.def_property(
      name,
      [member](const Distribution& self) {
        const std::vector<double>& values = self.*member;
        return py::array_t<double>(length(values.size()), values.data());
      },
      [member, name](Distribution& self, const Reals& values) {
        if (values.ndim() != 1) {
          throw py::type_error(std::string(name) + " takes a flat list or array of numbers");
        }
        (self.*member).assign(values.data(), values.data() + values.size());
      });
}

void bind_distribution(py::module_& m) {
  py::native_enum<DistributionKind>(m, "DistributionKind", "enum.Enum")
      .value("constant", DistributionKind::constant)
      .value("exponential", DistributionKind::exponential)
      .value("lognormal", DistributionKind::lognormal)
      .value("gamma", DistributionKind::gamma)
      .value("erlang", DistributionKind::erlang)
      .value("weibull", DistributionKind::weibull)
      .value("pareto", DistributionKind::pareto)
      .value("uniform", DistributionKind::uniform)
      .value("normal", DistributionKind::normal)
      .value("hyperexponential", DistributionKind::hyperexponential)
      .value("empirical", DistributionKind::empirical)
      .value("replay", DistributionKind::replay)
      .finalize();
  auto cls =
      py::class_<Distribution>(
          m, "Distribution",
          "What is drawn, in the unit of `mean` and `values` (ns in a world).\n"
          "\n"
          "`shape` is the coefficient of variation (lognormal, gamma, normal), the number of\n"
          "phases (erlang), the shape (weibull) or the tail index (pareto). `values` are (min,\n"
          "max) of uniform, the means of the phases of hyperexponential with probabilities in\n"
          "`weights`, and the values of empirical and replay.")
          .def(py::init<>())
          .def_readwrite("kind", &Distribution::kind)
          .def_readwrite("mean", &Distribution::mean)
          .def_readwrite("shape", &Distribution::shape)
          .def(
              "__eq__",
              [](const Distribution& self, const Distribution& other) { return self == other; },
              py::is_operator());
  numbers(cls, "values", &Distribution::values);
  numbers(cls, "weights", &Distribution::weights);
  cls.attr("__hash__") = py::none();

  m.def(
      "sample", &sample, py::arg("distribution"), py::arg("seed"), py::arg("replication"),
      py::arg("name"), py::arg("n"), py::arg("start") = 0, py::arg("visit") = 0,
      "Draws start, start + 1, ... on a stream: float64[n]. SpecError for a parameter that is not\n"
      "legal.");
  m.def("sample_at", &sample_at, py::arg("distribution"), py::arg("seed"), py::arg("replication"),
        py::arg("name"), py::arg("serials"), py::arg("visit") = 0, py::arg("in_blocks") = false,
        "The draws of given serials, uint64[n]: float64[n]. Each by itself, or by the way of\n"
        "`sample`, which makes a block of draws where serials are close; the values are the same.");
  m.def(
      "drawn_mean",
      [](const Distribution& distribution) { return Sampler(distribution, StreamKey{}).mean(); },
      py::arg("distribution"),
      "The mean of what is drawn: above `mean` for normal, where values below 0 are drawn again.");
}

// A loop over an array as a function of Python, on a vector path by choice.
template <class Loop>
auto on_array(Loop loop) {
  return [loop](const Reals& x, VectorPath path) {
    if (!has_vector_path(path)) {
      throw py::value_error("this machine or build does not have that vector path");
    }
    py::array_t<double> out(x.size());
    loop(x.data(), out.mutable_data(), static_cast<std::size_t>(x.size()), path);
    return out;
  };
}

template <class Function>
auto each(Function function) {
  return on_array([function](const double* x, double* out, std::size_t n, VectorPath) {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = function(x[i]);
    }
  });
}

void bind_math(py::module_& m) {
  auto math = m.def_submodule("math",
                              "The arithmetic of the draws: the same bits on every machine. Each\n"
                              "function takes and returns float64[n]; `path` chooses among the\n"
                              "vector widths, for the tests.");
  py::native_enum<VectorPath>(math, "VectorPath", "enum.Enum")
      .value("automatic", VectorPath::automatic)
      .value("baseline", VectorPath::baseline)
      .value("avx2", VectorPath::avx2)
      .value("avx512", VectorPath::avx512)
      .finalize();
  math.def("has_vector_path", &has_vector_path, py::arg("path"));
  const auto define = [&math](const char* name, auto function, const char* text) {
    math.def(name, function, py::arg("x"), py::arg("path") = VectorPath::automatic, text);
  };
  define("nlog", on_array(nlog_many), "-log(x) for normal x > 0.");
  define("exp", on_array(exp_many), "exp(x), |x| < 1e15.");
  define("normal_quantile", on_array(normal_quantile_many),
         "Inverse of the normal distribution function, 0 < x < 1 (AS 241).");
  define("nlog_one_by_one", each([](double x) { return nlog(x); }), "nlog, not as a loop.");
  define("exp_one_by_one", each([](double x) { return exp_(x); }), "exp, not as a loop.");
  define("normal_quantile_one_by_one", each([](double x) { return normal_quantile(x); }),
         "normal_quantile, not as a loop.");
  define("log", each(log_), "log(x), any x.");
  define("gamma", each(gamma_), "Gamma(x), x > 0.");
  define("normal_above", each(normal_above), "P(Z > x) for x >= 0.");
  math.def(
      "pow",
      [](const Reals& x, double y, VectorPath path) {
        return on_array([y](const double* in, double* out, std::size_t n, VectorPath on) {
          pow_many(in, y, out, n, on);
        })(x, path);
      },
      py::arg("x"), py::arg("y"), py::arg("path") = VectorPath::automatic,
      "x^y for normal x > 0, |y| < 1e12.");
  math.def("to_ns", &to_ns, py::arg("x"),
           "Rounded to nearest, halves away from 0, saturating at 2^62.");
}

}  // namespace

void bind_kernel(py::module_& m) {
  bind_streams(m);
  bind_distribution(m);
  bind_histogram(m);
  bind_math(m);
}

}  // namespace nephoscope
