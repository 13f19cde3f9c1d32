"""The search and its scale: every range, start and answer, and quantities a little apart."""

import pytest

from nephoscope import WordError
from nephoscope.experiment.scale import scale_of
from nephoscope.experiment.search import least, trials_max


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9, 16, 17, 40])
def test_every_answer_from_every_start(count):
    for start in range(count):
        for answer in range(count + 1):
            tried = []

            def holds(place, tried=tried, answer=answer):
                tried.append(place)
                return place >= answer

            assert least(holds, count, start) == (answer if answer < count else None)
            assert len(tried) == len(set(tried)) <= trials_max(count)
            assert all(0 <= place < count for place in tried)


def test_a_long_range_takes_few_trials():
    assert trials_max(1024) == 21
    tried = []
    assert least(lambda place: tried.append(place) or place >= 700_000, 2**20, 3) == 700_000
    assert len(tried) <= trials_max(2**20) == 41


def values(scale):
    return [scale.at(place) for place in range(scale.count)]


def test_whole_numbers():
    scale = scale_of((3, 6), 4, 0.05)
    assert values(scale) == [3, 4, 5, 6]
    assert [scale.place_of(it) for it in (1, 3, 5, 9)] == [0, 0, 2, 3]
    assert scale.place_of("5") is None
    assert values(scale.reversed()) == [6, 5, 4, 3]
    assert scale.reversed().place_of(4) == 2
    assert (scale_of(None, 7, 0.05).at(0), scale_of(None, 7, 0.05).count) == (1, 1024)
    assert scale_of(None, None, 0.05).count == 1024
    assert scale_of(None, 5000, 0.05).count == 10_000


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (("100ms", "150ms"), ["100ms", "110ms", "121ms", "133.1ms", "146.41ms", "150ms"]),
        (("10/s", "12.1/s"), ["10/s", "11/s", "12.1/s"]),
        (("1kB", "1.2kB"), ["1kB", "1100B", "1.2kB"]),
        ((1.0, 1.3), [1.0, 1.1, 1.21, 1.3]),
        ((1, 1.21), [1, 1.1, 1.21]),
        (("8Mbps", "9.68Mbps"), ["8Mbps", "8.8Mbps", "9.68Mbps"]),
    ],
)
def test_quantities_are_a_tolerance_apart(between, expected):
    scale = scale_of(between, None, 0.1)
    found = values(scale)
    assert found == expected
    assert (found[0], found[-1]) == between


def test_the_place_of_a_quantity():
    scale = scale_of(("100ms", "200ms"), None, 0.1)
    for place, value in enumerate(values(scale)[:-1]):
        assert scale.place_of(value) == place
    assert [scale.place_of(it) for it in ("1ms", "0s", "115ms", "9s")] == [0, 0, 1, 8]
    assert scale.place_of(5) is None
    assert scale.place_of(None) is None


@pytest.mark.parametrize(
    ("between", "present", "tolerance", "words"),
    [
        ((6, 3), 4, 0.05, "6 to 3 is no range"),
        ((3, 3), 4, 0.05, "3 to 3 is no range"),
        ((-1, 3), 4, 0.05, "is no range"),
        (("0s", "3s"), "1s", 0.05, "above 0"),
        (("3s", "1s"), "1s", 0.05, "the lesser value first"),
        (("1s", "2/s"), "1s", 0.05, "two whole numbers, numbers, durations"),
        (("a", "b"), None, 0.05, "two whole numbers, numbers, durations"),
        ((True, 2), None, 0.05, "is no range"),
        (("1ns", "1h"), None, 0.00001, "at most 100000"),
        (None, "10ms", 0.05, "between two values"),
        (None, 0.5, 0.05, "between two values"),
        ((1, 2), 1, 0.0, "tolerance of 0"),
        ((1, 2), 1, 1.5, "tolerance of 1.5"),
    ],
)
def test_what_is_no_range(between, present, tolerance, words):
    with pytest.raises(WordError) as caught:
        scale_of(between, present, tolerance)
    assert words in str(caught.value)
