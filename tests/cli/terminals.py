"""Commands in processes of their own, also on a terminal."""

import functools
import os
import pty
import select
import signal
import subprocess
import sys

import pytest


def python(*arguments, **options):
    command = [sys.executable, "-m", "nephoscope", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **(pipes | options))


def watched(*arguments, until):
    """Run on a terminal; interrupt when `until` shows, or wait for the end when it is None."""
    ours, theirs = pty.openpty()
    # What starts the tests in the background may have told them to ignore interrupts.
    heeded = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    environment = {**os.environ, "TERM": "xterm"}
    process = python(*arguments, stderr=theirs, env=environment, preexec_fn=heeded)
    os.close(theirs)
    shown = b""
    while True:
        if not select.select([ours], [], [], 60)[0]:
            process.kill()
            process.communicate()
            pytest.fail(f"nothing shown for a minute after {shown[-200:]!r}")
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        shown += part
        if until is not None and until in shown:
            process.send_signal(signal.SIGINT)
            until = None
        if not part:
            break
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, out, shown
