// The one table from the core's errors to the Python classes of nephoscope.errors.

#include "kernel/errors.hpp"

#include "bindings/pybind11.hpp"

#include <exception>
#include <string>

namespace nephoscope {
namespace {

// The classes live in Python, where their tree is drawn; they are looked up once, at import. Owned
// by the interpreter for good: a module is never unloaded.
struct Classes {
  py::object spec;
  py::object invariant;
  py::object state;
  py::object policy;
  py::object base;
};

Classes& classes() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Classes> storage;
  return storage
      .call_once_and_store_result([] {
        const auto errors = py::module_::import("nephoscope.errors");
        return Classes{errors.attr("SpecError"), errors.attr("InvariantError"),
                       errors.attr("StateError"), errors.attr("PolicyError"),
                       errors.attr("NephoscopeError")};
      })
      .get_stored();
}

void raise(const py::object& cls, const Error& error) {
  PyErr_SetString(cls.ptr(), error.what());
}

void raise_spec(const SpecError& error) {
  const py::object instance = classes().spec(error.what());
  instance.attr("path") = error.path;
  PyErr_SetObject(classes().spec.ptr(), instance.ptr());
}

void translate(std::exception_ptr caught) {
  try {
    if (caught) std::rethrow_exception(caught);
  } catch (const SpecError& error) {
    raise_spec(error);
  } catch (const InvariantError& error) {
    raise(classes().invariant, error);
  } catch (const StateError& error) {
    raise(classes().state, error);
  } catch (const PolicyError& error) {
    raise(classes().policy, error);
  } catch (const Error& error) {
    raise(classes().base, error);
  }
}

}  // namespace

void bind_errors(py::module_&) {
  classes();
  py::register_local_exception_translator(translate);
}

}  // namespace nephoscope
