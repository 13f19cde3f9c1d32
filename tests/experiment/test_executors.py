"""Executors by name: the same table whoever makes the runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nephoscope as nph
from experiment.small import COUNT, small
from nephoscope.errors import ExperimentError, ExtraError, WordError
from nephoscope.experiment.executors import executor_of

GRID = {COUNT: [2, 3]}
PATH = os.environ.get("PATH", "")
FOUND = nph.sweep(small(), GRID, 3)


def swept(name, **options):
    with executor_of(name, **options) as executor:
        return nph.sweep(small(), GRID, 3, executor=executor)


def test_loky():
    pytest.importorskip("loky", reason="needs loky (the extra `loky`)")
    assert swept("loky", workers=1).to_dict() == FOUND.to_dict()


@pytest.mark.filterwarnings("ignore")  # of the cluster's own
def test_dask():
    distributed = pytest.importorskip("distributed", reason="needs Dask (the extra `dask`)")
    local = {"processes": False, "dashboard_address": None, "protocol": "tcp"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **local) as cluster:
        assert swept(f"dask:{cluster.scheduler_address}").to_dict() == FOUND.to_dict()


@pytest.mark.filterwarnings("ignore")
def test_no_dask_scheduler(monkeypatch):
    pytest.importorskip("distributed", reason="needs Dask (the extra `dask`)")
    monkeypatch.setattr("nephoscope.experiment.executors._CONNECT_S", 0.2)
    with pytest.raises(ExperimentError, match="no Dask scheduler at"):
        swept("dask:tcp://127.0.0.1:1")


@pytest.mark.slow
def test_mpi(tmp_path):
    """Started by MPI as its users start it: one that sweeps, and those who make the runs."""
    pytest.importorskip("mpi4py", reason="needs mpi4py (the extra `mpi`)")
    launcher = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{PATH}")
    if launcher is None:
        pytest.skip("there is no mpiexec")
    file = tmp_path / "small.json"
    file.write_text(json.dumps(small().to_dict()))
    command = [launcher, "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "nephoscope"]
    command += ["sweep", str(file), "--grid", f"{COUNT}=2,3", "--replications", "3"]
    command += ["--executor", "mpi", "--json", "-"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout) == json.loads(json.dumps(FOUND.to_dict()))


def has_ended(process):
    """Whether it is gone, or only waits for somebody who asks for its exit code."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{process}/stat")
    return status.exists() and ") Z " in status.read_text()


def test_workers_end_with_the_process_that_started_them(tmp_path):
    code = (
        "import time\n"
        "from nephoscope.experiment.executors import executor_of\n"
        "if __name__ == '__main__':\n"
        "    with executor_of('processes', 1) as executor:\n"
        "        import os\n"
        "        print(executor.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    os.kill(worker, 0)  # it is there
    parent.kill()
    parent.communicate()
    for _ in range(500):
        if has_ended(worker):
            return
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("a worker goes on when its sweep has been killed")


@pytest.mark.slow
def test_ray(tmp_path):
    """In a process of its own, for Ray leaves its mark on the one it runs in."""
    pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
    file = tmp_path / "small.json"
    file.write_text(json.dumps(small().to_dict()))
    command = [sys.executable, "-m", "nephoscope", "sweep", str(file), "--grid", f"{COUNT}=2,3"]
    command += ["--replications", "3", "--executor", "ray", "--json", "-"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout) == json.loads(json.dumps(FOUND.to_dict()))


def test_what_is_missing_is_named(monkeypatch):
    for name, module, extra in (
        ("dask:a:1", "distributed", "dask"),
        ("ray", "ray", "ray"),
        ("loky", "loky", "loky"),
        ("mpi", "mpi4py.futures", "mpi"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ExtraError, match=rf"nephoscope\[{extra}\]"):
            swept(name)


@pytest.mark.parametrize("name", ["threads", "dask", "dask:", "ray:", "processes:2", "", "mpi:2"])
def test_names_that_are_none(name):
    with pytest.raises(WordError, match="allowed: processes, loky, mpi, dask:ADDRESS, ray"):
        swept(name)
