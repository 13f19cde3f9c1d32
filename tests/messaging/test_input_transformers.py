"""Input transformers: what a target is sent, by the examples of the provider and at the edges."""

import json

import pytest

from nephoscope import EventError, PatternError, parts

EVENT = {
    "version": "0",
    "detail-type": "State change",
    "source": "aws.ec2",
    "resources": ["arn:one", "arn:two"],
    "detail": {
        "instance-id": "i-0123",
        "state": "RUNNING",
        "count": 3,
        "ok": True,
        "none": None,
        "empty": "",
        "tags": {"a": 1, "b": [1, 2]},
        "items": [{"id": "x"}, {"id": "y"}, {}],
        "quote": 'say "hi"',
    },
}
PATHS = {"instance": "$.detail.instance-id", "state": "$.detail.state", "count": "$.detail.count"}


def sent(template, paths=PATHS, event=EVENT, **predefined):
    return parts.InputTransformer(paths, template).apply(event, **predefined)


def test_a_text_with_values():
    assert sent('"instance <instance> is in <state>"') == '"instance i-0123 is in RUNNING"'


def test_a_text_with_quotes_in_it():
    template = r'"instance \"<instance>\" is in <state>"'
    assert sent(template) == r'"instance \"i-0123\" is in RUNNING"'


def test_an_object_is_sent_without_spaces():
    template = '{\n "instance" : <instance>,\n "state": [9, <state>, true ]\n}'
    assert sent(template) == '{"instance":"i-0123","state":[9,"RUNNING",true]}'
    assert sent('{"a": " x  <state> "}') == '{"a":" x  RUNNING "}'


def test_quotes_are_the_templates_or_put_in():
    assert sent('{"a": <state>, "b": "<state>"}') == '{"a":"RUNNING","b":"RUNNING"}'
    assert sent('{"a": <count>, "b": "<count>"}') == '{"a":3,"b":"3"}'


def test_values_of_every_kind():
    paths = {key: f"$.detail.{key}" for key in ("ok", "none", "tags", "items", "empty")}
    template = '{"a":<ok>,"b":<none>,"c":<tags>,"d":<items>,"e":<empty>}'
    assert json.loads(sent(template, paths)) == {
        "a": True,
        "b": None,
        "c": {"a": 1, "b": [1, 2]},
        "d": [{"id": "x"}, {"id": "y"}, {}],
        "e": "",
    }


def test_numbers_stay_as_they_are_written():
    event = '{"n":9007199254740993,"m":1.50,"k":3E2}'
    paths = {key: f"$.{key}" for key in "nmk"}
    assert sent('{"x":[<n>,<m>,<k>]}', paths, event) == '{"x":[9007199254740993,1.50,3E2]}'


def test_values_are_not_escaped():
    paths = {"quote": "$.detail.quote"}
    assert sent('{"a": "<quote>", "b": <quote>}', paths) == '{"a":"say "hi"","b":"say "hi""}'


def test_a_path_that_leads_nowhere_gives_nothing():
    paths = {"gone": "$.detail.gone", "deep": "$.detail.state.x", "far": "$.resources[2]"}
    assert sent('"a<gone>b<deep>c<far>d"', paths) == '"abcd"'
    assert sent('{"a": <gone>, "b": "<far>"}', paths) == '{"a":"","b":""}'


def test_paths_with_indices_and_stars():
    paths = {"first": "$.resources[0]", "ids": "$.detail.items[*].id", "all": "$.detail.tags.*"}
    assert sent('{"a":<first>,"b":<ids>,"c":<all>}', paths) == (
        '{"a":"arn:one","b":["x","y"],"c":[1,[1,2]]}'
    )
    assert sent('"<none>"', {"none": "$.detail.items[*].name"}) == '""'
    assert json.loads(sent('{"a":<whole>}', {"whole": "$"}))["a"] == EVENT


def test_predefined_values():
    names = ["rule-arn", "rule-name", "event.ingestion-time"]
    template = "{" + ",".join(f'"{it}":<aws.events.{it}>' for it in names) + "}"
    given = {"rule_arn": "arn:r", "rule_name": "r", "ingestion_time": "2026-01-01T00:00:00Z"}
    assert json.loads(sent(template, {}, **given)) == {
        "rule-arn": "arn:r",
        "rule-name": "r",
        "event.ingestion-time": "2026-01-01T00:00:00Z",
    }
    assert sent('"<aws.events.rule-name> triggered"', {}, rule_name="example") == (
        '"example triggered"'
    )


def test_the_event_with_and_without_its_detail():
    found = json.loads(sent('{"a":<aws.events.event>,"b":<aws.events.event.json>}', {}))
    assert found["a"] == {key: it for key, it in EVENT.items() if key != "detail"}
    assert found["b"] == EVENT


def test_what_is_no_placeholder_stays():
    assert sent('"1 < 2 > 0 <> <state>"') == '"1 < 2 > 0 <> RUNNING"'


@pytest.mark.parametrize(
    ("paths", "template", "message"),
    [
        (PATHS, "instance <instance>", "has no quotes around it"),
        (PATHS, "<instance> is here", "has no quotes around it"),
        (PATHS, '{"a": <state>', "not legal JSON"),
        (PATHS, '{"a": <state> b}', "not legal JSON"),
        (PATHS, '"a" "b"', "not legal JSON"),
        (PATHS, "[<state>]", "neither a text nor an object"),
        (PATHS, "{<state>: 1}", "not legal JSON"),
        (PATHS, '{"<state>": 1}', "is a key"),
        (PATHS, '{"a": {"x <state>" : 1}}', "is a key"),
        (PATHS, '"<sttae>"', "<sttae> has no path; did you mean state?"),
        (PATHS, '"<aws.events.rule-nam>"', "did you mean aws.events.rule-name?"),
        (PATHS, "", "a template of 0 letters"),
        (PATHS, '"' + "x" * 8191 + '"', "a template of 8193 letters (allowed: 1 to 8192)"),
        (PATHS, 5, "5 is no template"),
        ({f"k{i}": "$.a" for i in range(101)}, '"x"', "101 paths (allowed: at most 100)"),
        ({"a b": "$.a"}, '"x"', "no name of a path"),
        ({"aws.events.rule-name": "$.a"}, '"x"', "no name of a path"),
        ({"AWSname": "$.a"}, '"x"', "reserved"),
        ({"a": "detail"}, '"x"', "paths.a: 'detail' is no path"),
        ({"a": "$.a["}, '"x"', "no step at letter 4"),
        ({"a": "$.a..b"}, '"x"', "no step at letter 4"),
        ({"a": "$." + "x" * 300}, '"x"', "a path of 302 letters"),
        ({"a": 5}, '"x"', "5 is no path"),
        ("x", '"x"', "are no paths"),
    ],
)
def test_what_is_no_transformer_is_refused(paths, template, message):
    with pytest.raises(PatternError) as caught:
        parts.InputTransformer(paths, template)
    assert message in str(caught.value)


def test_up_to_the_limits():
    paths = {f"k{i}": "$.source" for i in range(100)}
    assert sent('"<k99>"', paths) == '"aws.ec2"'
    assert len(sent('"' + "x" * 8190 + '"')) == 8192


def test_an_event_must_be_an_object():
    with pytest.raises(EventError, match="must be an object"):
        sent('"x"', event="[]")
