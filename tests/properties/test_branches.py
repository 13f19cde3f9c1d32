"""Random systems go on with other random numbers from any instant, and nothing is lost by it."""

from hypothesis import given

from nephoscope import _core
from properties.engine import Session, compiled, same
from properties.liveliness import derandomised
from properties.systems import systems
from properties.test_properties import COUNTS


def branch(session, system, replication):
    """The session's world as it is, and the rest of it by the streams of another replication."""
    twin = session.fork()
    twin.spec = compiled(system)
    twin.spec.replication = replication
    twin.world = _core.World.restore(twin.spec, session.world.save())
    return twin


def test_what_was_begun_is_ended_whatever_is_drawn_later():
    differs = []

    @derandomised(25)
    @given(systems())
    def look(system):
        session = Session(system)
        session.to(system.duration_ns // 2)
        own = branch(session, system, session.spec.replication)
        other = branch(session, system, 7)
        assert same(other.world.results(), session.world.results())
        other.to(system.duration_ns, checked=True)
        for account in other.world.results()["traffic"]:
            assert account["offered"] == sum(account[key] for key in COUNTS)
        session.to(system.duration_ns)
        own.to(system.duration_ns)
        assert same(own.world.results(), session.world.results())
        differs.append(not same(other.world.results(), own.world.results()))

    look()
    assert sum(differs) > len(differs) / 2
