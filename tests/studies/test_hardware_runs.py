"""Hardware in runs: as tables of a file, in the key, after a kill, and not in an estimator."""

from __future__ import annotations

import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware import Device, Levels, Published, Readout

SEVERAL = [
    {"kind": "pulses", "size": 0.002, "noise": 0.3, "spread": 0.1},
    {"kind": "drift", "exponent": 0.05},
    {"kind": "readout", "bits": 6, "noise": 0.01},
]


def test_devices_are_written_as_tables_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[hardware]]\nkind = "levels"\nlevels = 33\n[[hardware]]\nkind = "readout"\nbits = 4\n'
    )
    several = RunConfig.from_toml(path)
    assert several.training.hardware.devices == (Levels(33), Readout(4))
    assert several.flat()["devices"] == [
        {"kind": "levels", "levels": 33},
        {"kind": "readout", "bits": 4},
    ]
    path.write_text('[hardware]\nkind = "published"\npreset = "ecram-tang-2018"\n')
    one = RunConfig.from_toml(path)
    assert one.training.hardware == Published("ecram-tang-2018")
    assert one == several.changed(hardware="published", preset="ecram-tang-2018")
    path.write_text('[hardware]\nkind = "smallworld_eqprop.hardware:Levels"\nlevels = 1\n')
    with pytest.raises(InputError, match=r"mine.toml: hardware.levels: 1, must be a whole number"):
        RunConfig.from_toml(path)
    path.write_text('[hardware]\nkind = "smallworld_eqprop.learning:SGD"\n')
    with pytest.raises(InputError, match="is no Device"):
        RunConfig.from_toml(path)


def test_no_hardware_is_no_part_of_a_key():
    assert RunConfig().key == RunConfig().changed(hardware=[]).key == "9f14360d7f518ea1"
    assert "hardware" not in RunConfig().to_dict()
    runs = [RunConfig().changed(hardware=part) for part in ([], SEVERAL, SEVERAL[::-1], "devices")]
    assert len({run.key for run in runs}) == 3
    for run in runs:
        assert RunConfig.from_dict(run.to_dict()) == run
        assert isinstance(run.training.hardware, Device)


def test_a_file_of_levels_counts_by_what_is_in_it(tmp_path):
    file = tmp_path / "levels.txt"
    keys = []
    for text in ("-1 0 1", "-1, 0\n1", "-1 0.5 1"):
        file.write_text(text)
        hardware = {"kind": "levels", "file": str(file)}
        run = RunConfig().changed(hardware=hardware)
        keys.append(run.key)
        file.unlink()
        assert RunConfig.from_dict(run.to_dict()) == run
    assert keys[0] == keys[1] != keys[2]


def test_a_killed_run_with_hardware_ends_with_the_same_bits(tiny, tmp_path, same_outcome):
    config = tiny.changed(hardware=SEVERAL)
    whole = train(config, tmp_path / "whole", epochs=2)
    for after in (3, 13):
        folder, asked = tmp_path / str(after), iter(range(100))
        with pytest.raises(KeyboardInterrupt):
            train(config, folder, epochs=2, stop=lambda: next(asked) >= after)  # noqa: B023
        resumed = train(config, folder, epochs=2, existing="resume")
        same_outcome(whole.folder, resumed.folder)
    with pytest.raises(InputError, match="hardware: an estimator has no devices"):
        whole.estimator()
    assert whole.network().weights.shape == (whole.graph.n_edges,)
