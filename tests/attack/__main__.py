"""Attack runs, sweeps, configurations, files and command lines, and count how each case ends.

python tests/attack                              all four attacks (`make attack` sets PYTHONPATH)
python tests/attack configs --cases 500          one of them, with another number of cases
python tests/attack configs --seed 3 --case 17   one case again

Every case has to end in one line that says what is refused, or in the right result.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path

from cases import Tally
from commands import attack_commands
from configs import attack_configs
from files import attack_files
from kills import attack_kills

#: Attacks, and their numbers of cases.
ATTACKS = {
    "kills": (attack_kills, 118),
    "configs": (attack_configs, 6000),
    "files": (attack_files, 3000),
    "commands": (attack_commands, 481),
}
HEAD = (
    "attack", "cases", "refused in one line", "accepted and right", "tracebacks", "silent wrong",
    "time",
)  # fmt: skip


def main() -> int:
    """Run the attacks that are named; 1 if a case ended in a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--cases", type=int, help="number of cases, in place of the usual ones")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other cases")
    parser.add_argument("--case", type=int, help="only the case of this number")
    parser.add_argument("--seconds", type=float, default=math.inf, help="end each attack after it")
    arguments = parser.parse_args()
    if unknown := set(arguments.attacks) - set(ATTACKS):
        parser.error(f"{', '.join(unknown)}: unknown; give some of: {', '.join(ATTACKS)}")
    os.environ["SMALLWORLD_EQPROP_DATA"] = "/nowhere"  # so that nothing is fetched
    rows, faults = [], 0
    for name in arguments.attacks or ATTACKS:
        attack, usual = ATTACKS[name]
        one = arguments.case
        numbers = range(arguments.cases or usual) if one is None else range(one, one + 1)
        began = time.monotonic()
        tally = Tally(name, arguments.seed, began + arguments.seconds)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            attack(tally, numbers, Path(folder))
            os.chdir("/")
        seconds = f"{time.monotonic() - began:.0f} s"
        rows.append((name, sum(tally.counts.values()), *tally.counts.values(), seconds))
        faults += len(tally.faults)
    sys.stdout.write(f"seed {arguments.seed}\n")
    for row in (HEAD, *rows):
        cells = (f"{cell!s:>{max(len(head), 8)}}" for cell, head in zip(row, HEAD, strict=True))
        sys.stdout.write(f"{'  '.join(cells)}\n")
    return int(faults > 0)


if __name__ == "__main__":
    raise SystemExit(main())
