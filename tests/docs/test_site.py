from __future__ import annotations

import re
from pathlib import Path

import smallworld_eqprop

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_has_its_place_in_the_reference():
    pages = (ROOT / "docs" / "api").glob("*.md")
    listed = re.findall(
        r"^::: smallworld_eqprop\.(\w+)$", "".join(map(Path.read_text, pages)), re.M
    )
    assert sorted(listed) == sorted(set(smallworld_eqprop.__all__) - {"__version__"})
