"""What `--help` shows beside the options: examples, exit statuses; and what TAB offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["STATUSES", "choices", "examples", "preset_choices"]

STATUSES = (
    "**Exit status** 0 done; 1 the disk is full or not writable, or a run of a study "
    "failed; 2 bad input, such as a file that is not there; 130 stopped by Ctrl-C. Every error is "
    "one line on stderr; SMALLWORLD_EQPROP_DEBUG=1 shows the traceback."
)


def examples(*commands: str) -> str:
    """Markdown that stands below the options."""
    return "**Examples**\n\n" + "\n".join(f"- smallworld-eqprop {line}" for line in commands)


def choices(*names: str) -> Callable[[str], Sequence[str]]:
    """What TAB offers for an option with fixed values."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def preset_choices(incomplete: str) -> Sequence[str]:
    """What TAB offers where a preset may be named; files are the shell's."""
    from smallworld_eqprop.presets import preset_names

    return [name for name in preset_names() if name.startswith(incomplete)]
