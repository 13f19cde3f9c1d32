"""A message sent, received and deleted, by how many others wait: against bare rings, and peers."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from kernels import Kernels
from nephoscope import _core, parts
from pairs import Pairs
from sizes import Size

BATCH = 100
GAP_NS = 1_000
LIMIT = 2.0  # times the bare rings
GROWTH = 1.5  # times what a message costs where few wait
DEPTHS = (1_000, 100_000, 10_000_000)

pytestmark = pytest.mark.benchmark(group="queues", timer=time.thread_time, warmup=False)


def filled(waiting: int) -> _core.queues.MessageQueue:
    queue = _core.queues.MessageQueue(_core.queues.QueueSpec(), 1, 0, "queue")
    none = np.zeros(0, dtype=np.int64)
    for start in range(0, waiting, 1_000_000):
        count = min(1_000_000, waiting - start)
        queue.send(0, np.arange(start, start + count, dtype=np.uint64), none, none, none)
    return queue


@pytest.mark.parametrize("waiting", DEPTHS)
def test_messages(
    benchmark: BenchmarkFixture, size: Size, limit_kernels: Kernels, waiting: int
) -> None:
    """The work that a message costs does not grow with the queue."""
    waiting = waiting if size.full else waiting // 100
    rounds = size.of(1_000_000) // BATCH
    queue = filled(waiting)
    pairs = Pairs("queue")
    bare: list[float] = []
    now = 0

    def bare_first() -> None:
        seconds, deleted = limit_kernels.queue(waiting, BATCH, rounds)
        assert deleted == BATCH * rounds
        bare.append(seconds)

    def churn() -> None:
        nonlocal now
        start = time.thread_time()
        deleted = queue.churn(now, GAP_NS, BATCH, rounds)
        count = BATCH * rounds
        pairs.add((time.thread_time() - start) / count * 1e9, bare[-1] / count * 1e9)
        now += GAP_NS * rounds
        assert deleted == count

    benchmark.pedantic(churn, setup=bare_first, rounds=min(size.rounds, 5), iterations=1)
    benchmark.extra_info.update(pairs.summary(), limit=LIMIT)
    queue.check()
    assert queue.counts()["visible"] == waiting
    if size.full:
        assert pairs.ratio <= LIMIT


@pytest.mark.parametrize("waiting", DEPTHS[1:])
def test_growth(benchmark: BenchmarkFixture, size: Size, waiting: int) -> None:
    """The same among many and among few, turn by turn."""
    waiting = waiting if size.full else waiting // 100
    rounds = size.of(1_000_000) // BATCH
    few, many = filled(DEPTHS[0]), filled(waiting)
    pairs = Pairs("queue")
    now = 0

    def seconds(queue: _core.queues.MessageQueue) -> float:
        start = time.thread_time()
        assert queue.churn(now, GAP_NS, BATCH, rounds) == BATCH * rounds
        return time.thread_time() - start

    def both() -> None:
        nonlocal now
        reference = seconds(few)
        pairs.add(seconds(many) / BATCH / rounds * 1e9, reference / BATCH / rounds * 1e9)
        now += GAP_NS * rounds

    benchmark.pedantic(both, rounds=min(size.rounds, 5), iterations=1)
    benchmark.extra_info.update(pairs.summary(), limit=GROWTH)
    if size.full:
        assert pairs.ratio <= GROWTH


def by_array(count: int) -> None:
    queue = parts.Queue()
    queue.send(np.arange(count), at=0)
    messages = queue.receive_many(count, at=0)
    assert not queue.delete_many(messages.receipts, at=0).any()


def by_store(count: int) -> None:
    """Out of a store is gone: there is no timeout and nothing to delete."""
    simpy = pytest.importorskip("simpy", reason="simpy is not installed")
    environment = simpy.Environment()
    store = simpy.Store(environment)

    def work():  # type: ignore[no-untyped-def]
        for body in range(count):
            yield store.put(body)
            yield store.get()

    environment.process(work())
    environment.run()


def by_moto(count: int) -> None:
    """Batches of ten, as the service takes them."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    moto = pytest.importorskip("moto", reason="moto is not installed")
    with moto.mock_aws():
        client = boto3.client(
            "sqs",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        url = client.create_queue(QueueName="queue")["QueueUrl"]
        for _ in range(count // 10):
            entries = [{"Id": str(at), "MessageBody": str(at)} for at in range(10)]
            client.send_message_batch(QueueUrl=url, Entries=entries)
            received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            gone = [
                {"Id": str(at), "ReceiptHandle": it["ReceiptHandle"]}
                for at, it in enumerate(received)
            ]
            client.delete_message_batch(QueueUrl=url, Entries=gone)


PEERS: dict[str, tuple[Callable[[int], None], int]] = {
    "simpy": (by_store, 20_000),
    "moto": (by_moto, 200),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("peer", PEERS)
def test_peers(benchmark: BenchmarkFixture, size: Size, peer: str) -> None:
    """In an empty queue, by what each gives its users: arrays, processes, calls."""
    run, most = PEERS[peer]
    count = most if size.full else most // 10
    pairs = Pairs("queue")
    theirs: list[float] = []

    def peer_first() -> None:
        start = time.thread_time()
        run(count)
        theirs.append((time.thread_time() - start) / count * 1e9)

    def ours() -> None:
        start = time.thread_time()
        by_array(100_000)
        pairs.add((time.thread_time() - start) / 100_000 * 1e9, theirs[-1])

    benchmark.pedantic(ours, setup=peer_first, rounds=3, iterations=1)
    benchmark.extra_info.update(pairs.summary())
