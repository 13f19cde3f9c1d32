// What can go wrong, as types. The bindings hold the one table from these to the Python classes.

#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nephoscope {

// Base of all errors the core throws on purpose.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A specification that cannot be simulated: `path` names the field, the message says why.
struct SpecError : Error {
  SpecError(std::string field, const std::string& message)
      : Error(field + ": " + message), path(std::move(field)) {}

  std::string path;
};

// Of a field that has to be so.
inline void require(bool condition, const char* field, const char* message) {
  if (!condition) throw SpecError(field, message);
}

// A routing policy of the user's own said that it could not choose, or chose what is not there.
struct PolicyError : Error {
  using Error::Error;
};

// A conservation law does not hold: a defect of the program, never of the scenario.
struct InvariantError : Error {
  using Error::Error;
};

// Saved bytes that are damaged or belong to another specification or version.
struct StateError : Error {
  using Error::Error;
};

}  // namespace nephoscope
