"""The limits of style, on every file of the project and on samples that break each of them."""

from pathlib import Path

import pytest

from house import style

ROOT = Path(__file__).parents[2]
FILES = {path.relative_to(ROOT).as_posix(): path for path in style.files(ROOT)}


@pytest.mark.parametrize("name", FILES)
def test_file(name):
    assert style.complaints(name, FILES[name].read_text(encoding="utf-8")) == []


def test_sees_the_project():
    folders = {name.split("/")[0] for name in FILES}
    assert {"cpp", "python", "tests", "CMakeLists.txt", "pyproject.toml"} <= folders


HEADER = "// What it is for.\n\n#pragma once\n"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("python/a.py", "#\n" * 401, "401 lines"),
        ("tests/a.py", "#\n" * 601, "601 lines"),
        ("cpp/a.hpp", HEADER + "// " + "x" * 98 + "\n", "101 columns"),
        ("cpp/a.hpp", "// What it is for.\n", "#pragma once"),
        ("cpp/a.hpp", "#pragma once\n", "no comment"),
        ("docs/a.md", "later: TO" + "DO\n", "do it"),
        ("docs/a.md", "see /wo" + "rk/main\n", "one machine"),
        ("python/a.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
        ("cpp/a.cpp", "int f(int x) {\n" + "  ++x;\n" * 60 + "}\n", "f(int x) has 62 lines"),
    ],
)
def test_breach_is_caught(name, text, complaint):
    (found,) = style.complaints(name, text)
    assert complaint in found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/a.py", "#\n" * 600),
        ("python/a.py", "def f():\n" + "    x = 1\n" * 59),
        ("docs/a.md", "x" * 300 + " and https://example.org/home/page\n"),
        ("cpp/a.hpp", HEADER + "int f();\n"),
    ],
)
def test_what_is_allowed_passes(name, text):
    assert style.complaints(name, text) == []


CPP = """\
namespace a {
struct S {
  S(int x) : a{x}, b{x} {
    f("}");  // }
  }
  int get() const { return a; }
  int a = 0, b{0};
};
enum class E { one, two };
template <class T>
int f(T t) {
  if (t) {
    return '{';
  }
  auto g = [&](int x) {
    return x;
  };
  return g(1);
}
constexpr int table[] = {1, 2};
}  // namespace a
"""


def test_cpp_functions():
    assert style.cpp_functions(CPP) == [
        ("S(int x) : a", 3, 3),
        ("int get() const", 6, 1),
        ("template <class T> int f(T t)", 10, 10),
    ]
