"""Modules that cannot be imported without the extra `gpu` are not searched for examples."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["smallworld_eqprop/*/torch_*.py"]
