"""A hands-on seminar on adversarial machine-learning defences.

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so ``import seminar_lib`` is
instant and ``python -m seminar_lib lab`` runs before any package is installed.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

from seminar_lib.allocator import keep_freed_memory

keep_freed_memory()

_listing = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_home = {
    alias.name: line.module
    for line in _listing.body
    if isinstance(line, ast.ImportFrom) and line.module is not None
    for alias in line.names
}
__all__ = sorted(_home)


def __getattr__(name: str) -> object:
    if name not in _home:
        raise AttributeError(f"seminar_lib has no public name {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_home[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
