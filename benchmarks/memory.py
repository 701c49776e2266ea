"""Peak memory of an MNIST run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from smallworld_eqprop import RunConfig, Trainer

TITLE = "Peak memory of an MNIST run"
NOTE = """\
Largest resident set of a process that trains some batches, evaluates and writes a checkpoint.
"""


def bench() -> list[dict[str, object]]:
    """Peak memory of MNIST runs."""
    rows: list[dict[str, object]] = [
        {"network": name, "peak memory (MiB)": round(alone(__file__, name)[0])}
        for name in ("rewired-3x500", "rewired-3x500-no-intralayer")
    ]
    print(*rows, sep="\n", flush=True)
    return rows


def memory_job(preset: str) -> float:
    """Peak mebibytes of a run of the preset: data, some batches, evaluation and checkpoint."""
    config = RunConfig.preset(preset)
    data = config.data.load()
    trainer = Trainer(config.topology.build(config.training.seed), data, config.training)
    for _, _ in zip(range(50), trainer.run_epoch(), strict=False):
        pass
    # A run touches every particle sooner or later.
    trainer.engine.train_particles[:] = 0.5
    trainer.evaluate()
    with tempfile.TemporaryFile() as file:
        np.savez(file, **trainer.state()[0])
    return peak_memory()


def peak_memory() -> float:
    """Largest resident set of this process so far, in mebibytes; Linux only.

    Unlike ru_maxrss it does not begin with that of the process that started this one.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def alone(script: str, argument: object) -> list[float]:
    """The numbers a script prints in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, script, str(argument)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


if __name__ == "__main__":
    # A process of its own, started by `alone`.
    print(json.dumps([memory_job(sys.argv[1])]))
