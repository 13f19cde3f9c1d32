"""The quotas of an account, as the core takes them."""

from collections.abc import Mapping

from nephoscope import _core, catalog
from nephoscope.scenario.language.provider import Provider
from nephoscope.scenario.language.topic import Topic

_SECOND = 10**9


def message_quotas(provider: Provider) -> _core.topics.MessageQuotas:
    """What all standard topics and all buses take in a second; without a figure no limit."""
    spec = _core.topics.MessageQuotas()
    if provider.enforced:
        quotas = catalog.quotas(provider.region)
        spec.publishes_per_second = quotas.get("publishes_per_second", 0)
        spec.puts_per_second = quotas.get("puts_per_second", 0)
        spec.invocations_per_second = quotas.get("invocations_per_second", 0)
    return spec


def limit_topic(spec: _core.topics.TopicSpec, topic: Topic, provider: Provider) -> None:
    """Give a FIFO topic the quotas of one, where it says none: messages, and bytes by its size."""
    if topic.type != "fifo" or not provider.enforced:
        return
    quotas = catalog.quotas(provider.region)
    if topic.publish_limit is None:
        most = quotas["fifo_publishes_per_second"]
        size = int(topic.message_size)
        by_bytes = quotas["fifo_bytes_per_second"] // size if size else most
        spec.publishes_per_second = min(most, by_bytes)
    if topic.group_publish_limit is None:
        spec.group_publishes_per_second = quotas["fifo_group_publishes_per_second"]


def subscribed_since(topics: Mapping[str, Topic], provider: Provider) -> dict[tuple[str, int], int]:
    """When each subscription is made, ns, by its topic and number.

    Of the calls that come after the start so many get through in a second of the clock as the quota
    says; who is throttled waits for the next second that has room.
    """
    asked = {
        (name, number): int(each.subscribed_at)
        for name, topic in topics.items()
        for number, each in enumerate(topic.subscriptions)
    }
    if not provider.enforced:
        return asked
    most = catalog.quotas(provider.region)["subscribes_per_second"]
    second, room = 0, most
    for key in sorted((key for key, at in asked.items() if at), key=asked.__getitem__):
        at = asked[key]
        if at // _SECOND > second:
            second, room = at // _SECOND, most
        elif not room:
            second, room = second + 1, most
        room -= 1
        asked[key] = max(at, second * _SECOND)
    return asked


def fifo_queue_calls(provider: Provider) -> int:
    """Calls of one action that a FIFO queue of high throughput takes in a second."""
    return catalog.quotas(provider.region)["fifo_queue_calls_per_second"]
