"""moto as a peer: the same calls at the same times give the same deliveries, counts and dead
letters, but for what is listed in DEPARTURES. There the documentation is followed."""

import datetime as dt
import random

import pytest

from nephoscope import parts

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
moto = pytest.importorskip("moto", reason="moto is not installed")
freezegun = pytest.importorskip("freezegun", reason="freezegun is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")

SECOND = 10**9
START = 1_800_000_000

# What moto does otherwise, each with a test below or the way the random calls keep clear of it.
DEPARTURES = {
    "timeout": "a message is hidden at the very end of its timeout still: timeouts are odd numbers "
    "of seconds, calls are made at even ones",
    "old receipt": "deletes, and changes visibility, by any receipt a message ever had",
    "late": "a FIFO delete after the timeout works",
    "group": "a FIFO receive of many goes by the order of all messages, not group by group: FIFO "
    "receives are of one message",
    "window": "forgets the deduplication id with the message: repetitions follow at once",
    "first": "a duplicate send returns an id of its own",
    "dead letter": "keeps the receives of a dead letter, and the order in which they came: sets of "
    "bodies are compared",
    "retention": "does not expire; counts a receive of what is too old: nothing gets so old",
    "twelve hours": "counts from the send, not the receive: timeouts are short",
    "limits": "has none on what is in flight, nor on the calls of FIFO queues",
}


class Peer:
    """A queue of moto and its dead-letter queue, at times given by hand."""

    def __init__(self, clock, *, fifo: bool, visibility: int, delay: int, receives: int) -> None:
        self.clock = clock
        self.fifo = fifo
        self.client = boto3.client(
            "sqs",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        ending = ".fifo" if fifo else ""
        kind = {"FifoQueue": "true"} if fifo else {}
        create = self.client.create_queue
        self.lost = create(QueueName="lost" + ending, Attributes=kind)["QueueUrl"]
        policy = (
            f'{{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:lost{ending}",'
            f' "maxReceiveCount": {receives}}}'
        )
        attributes = {
            **kind,
            "VisibilityTimeout": str(visibility),
            "DelaySeconds": str(delay),
            "RedrivePolicy": policy,
        }
        self.queue = create(QueueName="queue" + ending, Attributes=attributes)["QueueUrl"]
        self.receipts: dict[int, str] = {}  # the latest, by body

    def at(self, second: int) -> None:
        self.clock.move_to(_moment(second))

    def send(self, body: int, group: int, delay: int | None) -> None:
        words = {"DelaySeconds": delay} if delay is not None else {}
        if self.fifo:
            words = {"MessageGroupId": str(group), "MessageDeduplicationId": str(body)}
        self.client.send_message(QueueUrl=self.queue, MessageBody=str(body), **words)

    def receive(self, most: int, visibility: int | None, url: str | None = None):
        words = {} if visibility is None else {"VisibilityTimeout": visibility}
        answer = self.client.receive_message(
            QueueUrl=url or self.queue,
            MaxNumberOfMessages=most,
            AttributeNames=["ApproximateReceiveCount"],
            WaitTimeSeconds=0,
            **words,
        )
        found = []
        for it in answer.get("Messages", []):
            self.receipts[int(it["Body"])] = it["ReceiptHandle"]
            found.append((int(it["Body"]), int(it["Attributes"]["ApproximateReceiveCount"])))
        return found

    def delete(self, body: int) -> None:
        self.client.delete_message(QueueUrl=self.queue, ReceiptHandle=self.receipts[body])

    def change(self, body: int, timeout: int) -> None:
        self.client.change_message_visibility(
            QueueUrl=self.queue, ReceiptHandle=self.receipts[body], VisibilityTimeout=timeout
        )

    def counts(self, url: str | None = None) -> tuple[int, int, int]:
        names = ("", "Delayed", "NotVisible")
        wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
        answer = self.client.get_queue_attributes(
            QueueUrl=url or self.queue, AttributeNames=wanted
        )["Attributes"]
        visible, delayed, hidden = (int(answer[name]) for name in wanted)
        return visible, delayed, hidden


class Calls:
    """Random calls, made at both."""

    def __init__(self, peer: Peer, seed: int, *, visibility: int, delay: int, receives: int):
        kind = {"type": "fifo", "throughput": "unlimited"} if peer.fifo else {}
        self.peer = peer
        self.rng = random.Random(seed)
        self.lost = parts.Queue(**kind)
        self.queue = parts.Queue(
            **kind,
            visibility_timeout=f"{visibility}s",
            delay=f"{delay}s",
            dead_letter={"queue": self.lost, "max_receives": receives},
        )
        self.second = 0
        self.made = 0
        self.held: dict[int, tuple[int, int]] = {}  # by body: receipt, and hidden until
        self.visibility = visibility
        self.delivered = 0

    @property
    def now(self) -> int:
        return self.second * SECOND

    def step(self) -> None:
        call = self.rng.choice(["wait", "send", "send", "receive", "receive", "delete", "change"])
        getattr(self, call)()

    def wait(self) -> None:
        self.second += 2 * self.rng.choice([1, 2, 5])
        self.peer.at(self.second)
        self.queue.advance(self.now)
        self.lost.advance(self.now)

    def send(self) -> None:
        body = self.made
        self.made += 1
        group = self.rng.randrange(3)
        for _ in range(1 + (self.peer.fifo and self.rng.random() < 0.3)):
            delay = None if self.peer.fifo else self.rng.choice([None, None, 0, 2, 4, 8])
            self.peer.send(body, group, delay)
            if self.peer.fifo:
                self.queue.send(body, at=self.now, group=group, deduplication_id=body)
            else:
                self.queue.send(body, at=self.now, delay=None if delay is None else f"{delay}s")

    def receive(self) -> None:
        most = 1 if self.peer.fifo else self.rng.choice([1, 2, 10])
        visibility = self.rng.choice([None, None, 1, 5, 9])
        theirs = self.peer.receive(most, visibility)
        ours = self.queue.receive(
            at=self.now,
            most=most,
            visibility_timeout=None if visibility is None else f"{visibility}s",
        ).messages
        assert list(zip(ours.bodies.tolist(), ours.receives.tolist(), strict=True)) == theirs
        until = self.second + (self.visibility if visibility is None else visibility)
        for body, receipt in zip(ours.bodies.tolist(), ours.receipts.tolist(), strict=True):
            self.held[body] = (receipt, until)
            self.delivered += 1

    def _in_flight(self) -> list[int]:
        return [body for body, (_, until) in self.held.items() if until > self.second]

    def delete(self) -> None:
        if bodies := self._in_flight():
            body = self.rng.choice(bodies)
            receipt, _ = self.held.pop(body)
            self.peer.delete(body)
            assert self.queue.delete([receipt], at=self.now) == ["done"]

    def change(self) -> None:
        if bodies := self._in_flight():
            body, timeout = self.rng.choice(bodies), self.rng.choice([1, 3, 21])
            receipt, _ = self.held[body]
            self.peer.change(body, timeout)
            assert self.queue.change_visibility(receipt, f"{timeout}s", at=self.now) == "done"
            self.held[body] = (receipt, self.second + timeout)

    def same_counts(self) -> None:
        for queue, url in ((self.queue, self.peer.queue), (self.lost, self.peer.lost)):
            ours = queue.counts()
            kept = (ours["visible"], ours["delayed"], ours["in_flight"])
            assert kept == self.peer.counts(url)


def _moment(second: int):
    return dt.datetime.fromtimestamp(START + second, dt.UTC).replace(tzinfo=None)


@pytest.fixture
def clock():
    with moto.mock_aws(), freezegun.freeze_time(_moment(0)) as frozen:
        yield frozen


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_calls_give_the_same(clock, fifo, seed):
    settings = {"visibility": 7, "delay": 2 if seed == 2 else 0, "receives": 2}
    calls = Calls(Peer(clock, fifo=fifo, **settings), seed, **settings)
    for step in range(200):
        calls.step()
        if step % 10 == 9:
            calls.same_counts()
    assert calls.delivered > 15
    assert calls.queue.counts()["dead_lettered"] > 0
    calls.queue.check()
    ours = calls.lost.receive_many(1000, at=calls.now).bodies.tolist()
    theirs = []
    while found := calls.peer.receive(10, 43_199, calls.peer.lost):
        theirs += [body for body, _ in found]
    assert sorted(ours) == sorted(theirs)


def test_departure_old_receipt(clock):
    peer = Peer(clock, fifo=False, visibility=3, delay=0, receives=9)
    peer.send(1, 0, None)
    peer.receive(1, None)
    old = peer.receipts[1]
    peer.at(4)
    peer.receive(1, None)
    peer.receipts[1] = old
    peer.delete(1)
    assert peer.counts() == (0, 0, 0)


def test_departure_late(clock):
    peer = Peer(clock, fifo=True, visibility=3, delay=0, receives=9)
    peer.send(1, 0, None)
    peer.receive(1, None)
    peer.at(4)
    peer.delete(1)
    assert peer.counts() == (0, 0, 0)


def test_departure_group_and_window(clock):
    peer = Peer(clock, fifo=True, visibility=3, delay=0, receives=9)
    for body, group in [(1, 7), (2, 8), (3, 7)]:
        peer.send(body, group, None)
    assert [body for body, _ in peer.receive(10, None)] == [1, 2, 3]
    peer.delete(1)
    peer.send(1, 7, None)
    assert peer.counts() == (1, 0, 2)


def test_departure_timeout(clock):
    peer = Peer(clock, fifo=False, visibility=2, delay=0, receives=9)
    peer.send(1, 0, None)
    peer.receive(1, None)
    peer.at(2)
    assert peer.counts() == (0, 0, 1)
