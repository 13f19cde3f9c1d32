// Runs a libFuzzer target without libFuzzer, which only clang has: random inputs from a fixed seed
// up to a number or for a bounded time, or given files. Input k of a seed is always the same, so a
// failure is repeated by its number.
//
//   core_fuzz [--inputs N] [--seed N]      inputs 0 to N - 1
//   core_fuzz [--seconds S] [--seed N]     inputs 0, 1, 2, ... until the time is up
//   core_fuzz [--seed N] --only K          input K alone
//   core_fuzz FILE...                      what these files hold

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// A finding of UBSan ends in SIGABRT too, so that the input is named.
extern "C" __attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}

namespace {

constexpr unsigned hang_seconds = 30;
constexpr std::size_t length_max = 2048;

struct Options {
  double seconds = 10.0;
  std::uint64_t inputs = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t seed = 1;
  long long only = -1;
  std::vector<std::string> files;
};

// What runs now, for whoever reports its end: a signal handler can be given nothing.
char current[160] = "nothing yet";

void report() {
  std::fputs("while running: ", stderr);
  std::fputs(current, stderr);
  std::fputs("\n", stderr);
}

[[noreturn]] void on_signal(int signal) {
  std::fputs(signal == SIGALRM ? "hang\n" : "aborted\n", stderr);
  report();
  _exit(1);
}

void run(const std::vector<std::uint8_t>& input) {
  alarm(hang_seconds);
  try {
    LLVMFuzzerTestOneInput(input.data(), input.size());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
    report();
    _exit(1);
  }
  alarm(0);
}

std::vector<std::uint8_t> input_of(std::uint64_t seed, std::uint64_t number) {
  std::seed_seq sequence{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                         static_cast<std::uint32_t>(number)};
  std::mt19937_64 random(sequence);
  std::vector<std::uint8_t> input(random() % length_max);
  for (auto& byte : input) byte = static_cast<std::uint8_t>(random() >> 56);
  return input;
}

void run_numbered(std::uint64_t seed, std::uint64_t number) {
  std::snprintf(current, sizeof current, "--seed %llu --only %llu",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(number));
  run(input_of(seed, number));
}

void run_file(const std::string& name) {
  std::snprintf(current, sizeof current, "%s", name.c_str());
  std::ifstream file(name, std::ios::binary);
  run({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word.starts_with("--") && i + 1 == count) {
      std::fprintf(stderr, "%s needs a value\n", word.c_str());
      std::exit(2);
    }
    if (word == "--seconds") {
      options.seconds = std::stod(words[++i]);
    } else if (word == "--inputs") {
      options.inputs = std::stoull(words[++i]);
      options.seconds = std::numeric_limits<double>::infinity();
    } else if (word == "--seed") {
      options.seed = std::stoull(words[++i]);
    } else if (word == "--only") {
      options.only = std::stoll(words[++i]);
    } else {
      options.files.push_back(word);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  std::signal(SIGALRM, on_signal);
  std::signal(SIGABRT, on_signal);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(report);
#endif
  for (const auto& file : options.files) run_file(file);
  if (!options.files.empty()) return 0;
  if (options.only >= 0) {
    run_numbered(options.seed, static_cast<std::uint64_t>(options.only));
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t number = 0;
  while (number < options.inputs &&
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
             options.seconds) {
    run_numbered(options.seed, number++);
  }
  std::printf("%llu inputs of seed %llu, none failed\n", static_cast<unsigned long long>(number),
              static_cast<unsigned long long>(options.seed));
  return 0;
}
