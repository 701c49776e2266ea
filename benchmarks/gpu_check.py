"""All of torch on one graphics card, in less than eight minutes: tests, epochs, a stack.

    python benchmarks/gpu_check.py                      generated data of the size of MNIST
    python benchmarks/gpu_check.py --data mnist         MNIST, fetched where it is not kept yet
    python benchmarks/gpu_check.py --data FOLDER        MNIST from the files in a folder
    python benchmarks/gpu_check.py --quick --device cpu whether the script runs, on any machine

Every section is a process of its own with a time limit, so that one failure does not lose the
others. The table is printed; with `--out`, or where the environment variable OUT names a folder, it
is kept there as ``gpu_check.md`` and ``gpu_check.json``, which are written after every section.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stand_in import stand_in

from smallworld_eqprop import Dataset, InputError, RunConfig, Trainer, layered, load, rewire
from smallworld_eqprop.dynamics import threads
from smallworld_eqprop.dynamics.devices import require_device
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.learning import Ensemble

ROOT = Path(__file__).resolve().parents[1]
PRESETS = ("weak-feedback-3x500", "layered-3x500")
MEMBERS = 150
#: Seconds for all sections together, and for loading and compiling in each.
TOTAL, START = 470, 40
#: Batches before the clock starts, and those whose training errors are compared.
WARM, COMPARED = 10, 200

Row = dict[str, Any]


def sections(found: argparse.Namespace) -> dict[str, tuple[float, Callable[[float], Row]]]:
    """Every section by its name: seconds that it may measure, and what it does."""
    card, reference = found.device, ["numpy"]
    if card != "cpu":
        reference.append("cpu")
    made: dict[str, tuple[float, Callable[[float], Row]]] = {
        "tests": (130, partial(run_tests, found))
    }
    for name in PRESETS:
        made[f"{name} on {card}"] = (45, partial(run_epoch, found, name, card))
    made[f"stack on {card}"] = (30, partial(run_stack, found, card))
    for device in reference:
        for name in PRESETS:
            made[f"{name} on {device}"] = (25, partial(run_epoch, found, name, device))
    made["stack on numpy"] = (15, partial(run_stack, found, "numpy"))
    return made


def run_tests(found: argparse.Namespace, limit: float) -> Row:
    """The tests of the torch engine, on the device."""
    if missing := [name for name in ("pytest", "hypothesis") if not find_spec(name)]:
        return {"skipped": f"{' and '.join(missing)} not installed"}
    chosen = ["tests/dynamics", "tests/learning"]
    if found.quick:
        chosen = ["tests/dynamics/test_torch_sweeps.py", "-k", "single_precision"]
    # Warnings of another release of torch are no failures here.
    options = ["-q", "-rfE", "--tb=line", "-m", "torch", "-W", "default", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *chosen],
        cwd=ROOT,
        env=os.environ | {"SMALLWORLD_TORCH_DEVICE": found.device, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    late = False
    try:
        told, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        late = True
        process.send_signal(signal.SIGINT)  # pytest then tells what it has done so far
        try:
            told, _ = process.communicate(timeout=START / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            told, _ = process.communicate()
    print(told)
    failures = [line for line in told.splitlines() if line.startswith(("FAILED", "ERROR"))]
    counts = [line for line in told.splitlines() if " passed" in line or " failed" in line]
    result = counts[-1].strip("= ") if counts else f"no summary, exit status {process.returncode}"
    return {"result": result + (", then out of time" if late else ""), "failures": failures}


def run_epoch(found: argparse.Namespace, preset: str, device: str, limit: float) -> Row:
    """An epoch of a preset, or as much of it as fits the limit, scaled to a whole one."""
    config = RunConfig.preset(preset, device=device)
    trainer = Trainer(config.topology.build(0), data_of(found), config.training)
    with threads(trainer.network, found.threads):
        seconds, done, error = paced(trainer, trainer.run_epoch(), limit)
        test_error, _ = trainer.evaluate()
    return {
        "seconds per epoch": seconds * trainer.n_batches,
        "batches": f"{done} of {trainer.n_batches}",
        "training error at first": error,
        "test error": test_error,
    }


def run_stack(found: argparse.Namespace, device: str, limit: float) -> Row:
    """Many small networks, 784-5x50-10 rewired from p = 0 to 1: time of a batch of all of them.

    On torch they are one stack. NumPy trains one of them on one thread, and the time is that of all
    of them on all cores, as if these did not disturb each other.
    """
    members = 4 if found.quick else MEMBERS
    alone = device == "numpy"
    data, config = data_of(found), RunConfig.preset("rewired-5x100", device=device).training
    sizes = (784, 50, 50, 50, 50, 50, 10)
    trainers = [
        Trainer(rewire(layered(sizes), k / (members - 1), seed=k), data, config.changed(seed=k))
        for k in ([members // 2] if alone else range(members))
    ]
    runner: Any = trainers[0] if alone else Ensemble(trainers)
    with threads(trainers[0].network, 1 if alone else found.threads):
        seconds, done, _ = paced(trainers[0], runner.run_epoch(), limit)
    if alone:
        seconds *= members / min(found.threads, members)
    return {"milliseconds per batch of all": 1000 * seconds, "networks": members, "batches": done}


def paced(trainer: Trainer, batches: Iterator[Any], limit: float) -> tuple[float, int, float]:
    """Seconds per batch, batches done, and the online training error of the first of them.

    The first batches, which compile and allocate, are not timed. Every batch ends with numbers that
    are fetched from the device, so nothing is still under way when the clock is read.
    """
    done, warm, error, start = 0, 0, float("nan"), time.perf_counter()
    begin = start
    while done < trainer.n_batches and (done < warm + 2 or time.perf_counter() - start < limit):
        next(batches)
        done += 1
        if done <= COMPARED:
            error = trainer.running_error
        if done <= WARM and time.perf_counter() - start < limit / 3:
            warm, begin = done, time.perf_counter()
    return (time.perf_counter() - begin) / (done - warm), done, error


def data_of(found: argparse.Namespace) -> Dataset:
    """MNIST from where the options say, or generated data; few test examples."""
    n = 1000 if found.quick else 60_000
    if found.data is None:
        return stand_in(n, 1000)
    folder = None if found.data == "mnist" else found.data
    data = load("mnist", n_train=n, folder=folder)
    kept = {name: getattr(data, name)[:1000] for name in ("x_test", "y_test")}
    return Dataset(data.name, data.task, data.x_train, data.y_train, **kept, sha256=data.sha256)


def machine(found: argparse.Namespace) -> Row:
    """What the numbers are measured on."""
    import torch

    told = {"torch": torch.__version__, "cores": os.cpu_count(), "processor": platform.machine()}
    if found.device.startswith("cuda"):
        card = torch.cuda.get_device_properties(found.device)
        told |= {"card": card.name, "memory (GiB)": round(card.total_memory / 2**30, 1)}
    return told


def run_apart(name: str, limit: float, room: float) -> Row:
    """Run a section in a process of its own, which is ended `room` seconds after its limit."""
    command = [sys.executable, __file__, *sys.argv[1:], "--section", name, "--limit", str(limit)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit + room, check=False
        )
    except subprocess.TimeoutExpired:
        return {"skipped": f"not done after {limit + room:.0f} s"}
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        return {"failed": last[0] if last else f"exit status {done.returncode}"}
    return json.loads(lines[-1])


def with_ratios(results: dict[str, Row]) -> None:
    """Say of every result how many times as fast it is as the same work on the processor."""
    for name, row in results.items():
        work, _, device = name.rpartition(" on ")
        for column in ("seconds per epoch", "milliseconds per batch of all"):
            for slow, what in (("numpy", "NumPy"), ("cpu", "torch on the processor")):
                reference = results.get(f"{work} on {slow}", {}).get(column)
                if reference and column in row and device not in (slow, "numpy"):
                    row[f"times as fast as {what}"] = round(reference / row[column], 2)


def report(results: dict[str, Row]) -> str:
    """All results as Markdown."""
    lines = ["# Check on a card", ""]
    for name, row in results.items():
        lines.append(f"- **{name}**: " + ", ".join(told(key, row[key]) for key in row))
    return "\n".join(lines) + "\n"


def told(key: str, value: Any) -> str:
    if isinstance(value, float):
        value = f"{value:.3g}"
    if isinstance(value, list):
        value = "; ".join(value) or "none"
    return f"{key} {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu")
    parser.add_argument("--data", metavar="mnist|FOLDER", help="generated when left out")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the processor")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does the script run?")
    parser.add_argument("--out", type=Path, default=os.environ.get("OUT"), help="folder to keep it")
    parser.add_argument("--section", help=argparse.SUPPRESS)
    parser.add_argument("--limit", type=float, help=argparse.SUPPRESS)
    found = parser.parse_args()
    chosen = sections(found)
    if found.section:
        row = chosen[found.section][1](found.limit)
        print(json.dumps(row))
        return
    try:
        require_device(found.device)
    except InputError as error:
        parser.error(str(error))
    begin = time.monotonic()
    what = found.data or "generated, of the size and sparsity of MNIST"
    results: dict[str, Row] = {"machine": machine(found) | {"data": what}}
    for name, (limit, _) in chosen.items():
        left = TOTAL - (time.monotonic() - begin)
        if left < START + 5:
            results[name] = {"skipped": "no time left"}
        else:
            limit = 3 if found.quick and name != "tests" else min(limit, left - START)
            results[name] = run_apart(name, limit, START)
        with_ratios(results)
        print(report({name: results[name]}).splitlines()[-1], flush=True)
        if found.out:
            Path(found.out).mkdir(parents=True, exist_ok=True)
            for ending, text in (("md", report(results)), ("json", json.dumps(results, indent=1))):
                with atomic_writer(Path(found.out) / f"gpu_check.{ending}") as file:
                    file.write(text.encode())
    print("\n" + report(results))


if __name__ == "__main__":
    main()
