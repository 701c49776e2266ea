"""What docs/dependencies.md says of the libraries."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import smallworld_eqprop

ROOT = Path(smallworld_eqprop.__file__).parents[1]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = {re.split(r"[>=\[]", each)[0] for each in PROJECT["dependencies"]}
IMPORTED = {"scikit-learn": "sklearn"}

# Measures graphs from two kinds of file in a Python in which the libraries that are given as
# arguments seem not to be installed.
MEASURE = """
import sys
missing = set(sys.argv[1:])
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import smallworld_eqprop as sw
from smallworld_eqprop.cli import main
graph = sw.rewire(sw.layered((12, 8, 4)), 0.2, seed=0)
sw.save_graph(graph, "graph.npz")
sw.save_graph(graph, "graph.graphml")
sw.graphs.measure.small_world_propensity(graph, clustering="bipartite", seed=0)
for line in ("graph.npz --null degree_preserving --n-null 1", "graph.graphml --costs"):
    assert main(["metrics", *line.split()]) == 0
"""


def test_every_library_is_explained():
    table = PAGE.partition("## Size")[0]
    explained = {
        name
        for row in re.findall(r"^\| ([\w, -]+) \|", table, re.MULTILINE)
        for name in row.split(", ")
    }
    assert explained - {"library", "---"} == DIRECT


def test_measuring_needs_no_more_than_the_page_says(tmp_path):
    (needed,) = re.findall(r"^pip install (igraph .*)$", PAGE, re.MULTILINE)
    missing = DIRECT - set(needed.split())
    assert {"pandas", "matplotlib", "scikit-learn"} < missing
    command = [sys.executable, "-c", MEASURE, *(IMPORTED.get(name, name) for name in missing)]
    environment = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
