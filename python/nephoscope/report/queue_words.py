"""Queues, topics and buses, what is sent to them and who lives on them, in words."""

from collections.abc import Iterator

from nephoscope.scenario import Scenario
from nephoscope.scenario.language.bus import Bus, BusTarget, Put, Replay, RuleVersion
from nephoscope.scenario.language.event import alternatives, is_choice
from nephoscope.scenario.language.queue import IN_FLIGHT, Change, NamedQueue, Send
from nephoscope.scenario.language.service import Service
from nephoscope.scenario.language.topic import DeliveryRetry, Publish, Subscription, Topic
from nephoscope.scenario.language.traffic import Traffic
from nephoscope.scenario.units import Duration


def queue_words(scenario: Scenario) -> Iterator[str]:
    """A line for each queue."""
    for name, queue in scenario.queues.items():
        yield f"{name}: {', '.join(_rules(queue))}"


def _rules(queue: NamedQueue) -> Iterator[str]:
    yield f"{queue.type}, hidden for {queue.visibility_timeout}, kept for {queue.retention}"
    if queue.delay:
        yield f"delayed by {queue.delay}"
    if (letters := queue.dead_letter) is not None:
        yield f"to {letters.queue} after {letters.max_receives:,} receives"
    if queue.encryption is not None:
        yield f"encrypted, a data key for {queue.encryption.key_reuse}"
    if queue.in_flight != IN_FLIGHT:
        yield f"at most {queue.in_flight:,} in flight"
    if queue.duplicates:
        yield f"duplicates with probability {queue.duplicates:g}"
    if queue.disorder:
        yield f"out of order with probability {queue.disorder:g}"
    if queue.short_poll != 1.0:
        yield f"a short poll sees {queue.short_poll:g} of it"
    if queue.type == "fifo":
        if queue.throughput != "standard":
            yield f"{queue.throughput} throughput"
        if queue.deduplication is not None:
            yield f"deduplication by {queue.deduplication.by} in a {queue.deduplication.scope}"


def change_words(change: Change) -> str:
    """A change of a queue's attributes."""
    what = ", ".join(f"{key} {value}" for key, value in change.attributes.items())
    takes = "" if change.takes is None else f", in {change.takes.form} time"
    return f"change {change.queue}: {what}{takes}"


def send_words(send: Send) -> str:
    """A step that sends."""
    group = "" if send.group is None else f" in the group {send.group}"
    delay = "" if send.delay is None else f", delayed by {send.delay}"
    return f"send{_batch(send)} to {send.to}{group}{delay}{event_words(send)}"


def publish_words(publish: Publish) -> str:
    """A step that publishes."""
    group = "" if publish.group is None else f" in the group {publish.group}"
    return f"publish{_batch(publish)} to {publish.to}{group}{event_words(publish)}"


def put_words(put: Put) -> str:
    """A step that puts."""
    return f"put{_batch(put)} to {put.to}{event_words(put)}"


def _batch(part: Send | Publish | Put) -> str:
    return f" {part.batch} in one call" if part.batch > 1 else ""


def event_words(part: Send | Publish | Put | Traffic) -> str:
    """What is said, if anything is."""
    if isinstance(part, Traffic) and part.arrivals.trace is not None and part.arrivals.trace.says:
        return ", saying what its trace does"
    if is_choice(part.event):
        return f", one of {len(alternatives(part.event))} events"
    said = [key for key in ("event", "attributes") if getattr(part, key, None) is not None]
    return f", with {'its own ' if 'event' in said else ''}{' and '.join(said)}" if said else ""


def topic_words(scenario: Scenario) -> Iterator[str]:
    """A line for each topic."""
    for name, topic in scenario.topics.items():
        subscribers = (_subscription(each, topic, scenario) for each in topic.subscriptions)
        scope = f", deduplication in a {topic.deduplication}" if topic.deduplication else ""
        if topic.publish_limit is not None:
            scope += f", at most {topic.publish_limit} messages"
        if topic.group_publish_limit is not None:
            scope += f", at most {topic.group_publish_limit} of a group"
        if topic.latency is not None:
            scope += f", {topic.latency.form} latency"
        scope += _twice(topic.duplicates)
        yield f"{name}: {topic.type}{scope}, to {'; '.join(subscribers) or 'nobody'}"


def _subscription(each: Subscription, topic: Topic, scenario: Scenario) -> str:
    words = [each.name]
    if each.usd_per_message is not None:
        words.append(f"${each.usd_per_message:g} a message")
    if each.filter is not None:
        words.append(f"filtered by {each.filter_scope}")
    words += [
        f"from {it.at} {'unfiltered' if it.filter is None else f'filtered by {each.filter_scope}'}"
        for it in each.changes
    ]
    if each.subscribed_at:
        words.append(f"subscribed at {each.subscribed_at}")
    if each.confirmed_after != Duration(0):
        words.append(f"confirmed {_after(each.confirmed_after)}")
    if not each.raw_delivery:
        words.append("in an envelope")
    words += _errors(each)
    if each.to is not None and each.to not in scenario.queues:
        policy = each.retry or topic.retry or DeliveryRetry()
        words.append(f"{policy.retries} retries")
        most = each.max_receives_per_second or topic.max_receives_per_second
        if most is not None:
            words.append(f"at most {most} in a second")
    if each.dead_letter is not None:
        words.append(f"else to {each.dead_letter}")
    return ", ".join(words)


def _after(time: Duration | str) -> str:
    return time if isinstance(time, str) else f"after {time}"


def _errors(each: Subscription | BusTarget) -> list[str]:
    named = (("refused for good", each.client_errors), ("in vain", each.server_errors))
    return [f"{share:.3g} of attempts {what}" for what, share in named if share]


def _twice(share: float) -> str:
    return f", {share:.3g} of deliveries twice" if share else ""


def consumes_words(service: Service) -> str:
    """Where a service has its work from, if that is a queue."""
    consumes = service.consumes
    if consumes is None:
        return ""
    batch = f", {consumes.batch} at once" if consumes.batch > 1 else ""
    wait = "" if consumes.wait is None else f", waiting for {consumes.wait}"
    beat = "" if consumes.heartbeat is None else f", a heartbeat every {consumes.heartbeat}"
    ends = ", abandoned when their timeout ends" if consumes.on_timeout == "abandon" else ""
    return f", messages of {consumes.queue}{batch}{wait}{beat}{ends}"


def bus_words(scenario: Scenario) -> Iterator[str]:
    """A line for each rule of each bus."""
    for name, bus in scenario.buses.items():
        latency = f", {bus.latency.form} latency" if bus.latency is not None else ""
        limit = f", at most {bus.put_limit} puts" if bus.put_limit is not None else ""
        if bus.invocation_limit is not None:
            limit += f", at most {bus.invocation_limit} invocations"
        if bus.entries == "checked":
            limit += ", entries checked"
        if bus.schema_discovery:
            limit += ", schemas discovered"
        limit += _twice(bus.duplicates)
        yield f"{name}: {len(bus.rules)} rules{latency}{limit}{_archived(bus)}"
        yield from (f"{name}.{rule}: {words}" for rule, words in _rules_of(bus))


def pipe_words(scenario: Scenario) -> Iterator[str]:
    """A line for each pipe."""
    for name, pipe in scenario.pipes.items():
        words = [f"{name}: {pipe.source} to {pipe.to}"]
        if pipe.group is not None:
            words.append(f"group {pipe.group}")
        if pipe.filter is not None:
            words.append("filtered")
        if pipe.input is not None:
            words.append(f"sent a {pipe.input.form}")
        words.append(f"{pipe.batch} at once by {pipe.pollers}")
        yield ", ".join(words)


def _archived(bus: Bus) -> str:
    if bus.archive is None:
        return ""
    by = "" if bus.archive.pattern is None else " by a pattern"
    lag = f", {bus.archive.lag} late" if bus.archive.lag else ""
    return f", archived{by} for {bus.archive.retention or 'ever'}{lag}"


def replay_words(replay: Replay, at: Duration) -> str:
    """A replay at an instant."""
    span = f"from {replay.since} to {replay.until or at}"
    rules = "" if replay.rules is None else f", to {', '.join(replay.rules)}"
    name = "" if replay.name is None else f", as {replay.name}"
    return f"replay what {replay.bus} got {span}{rules}{name}"


def _rules_of(bus: Bus) -> Iterator[tuple[str, str]]:
    for name, rule in bus.rules.items():
        targets = "; ".join(_target(target) for target in rule.targets)
        changed = "".join(f"from {it.at} {_what(it)}, " for it in rule.changes)
        disabled = "" if rule.enabled else "disabled, "
        yield name, f"{disabled}{_when(rule)}{changed}to {targets}"


def _what(rule: RuleVersion) -> str:
    """What a change makes of a rule."""
    if not rule.enabled:
        return "disabled"
    return (_when(rule) or "another pattern").removesuffix(", ")


def _when(rule: RuleVersion) -> str:
    """When a rule comes by itself, if it does."""
    if rule.schedule is None:
        return ""
    zone = "" if rule.schedule.zone == "UTC" else f" of {rule.schedule.zone}"
    beside = "" if rule.pattern is None else "by its pattern and "
    window = "" if rule.schedule.window is None else f" within {rule.schedule.window}"
    return f"{beside}at {rule.schedule.expression}{zone}{window}, "


def _target(target: BusTarget) -> str:
    words = [target.to]
    if target.group is not None:
        words.append(f"group {target.group}")
    if target.other_account:
        words.append("in another account")
    if target.input is not None:
        words.append(f"sent a {target.input.form}")
    if target.invocation_limit is not None:
        words.append(f"at most {target.invocation_limit} in a second")
    words += _errors(target)
    words.append(f"{target.retry.attempts} retries within {target.retry.age}")
    if target.dead_letter is not None:
        words.append(f"else to {target.dead_letter}")
    return ", ".join(words)
