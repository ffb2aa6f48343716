"""The pages about the library: a page for each package, a section for each of its modules, in the order of imports."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import seminar_lib
from seminar_lib import recipes
from slides.site.docstrings import as_rest

NAMED = 4  # names in a heading
RECIPES = sorted({recipe.__module__ for recipe in vars(recipes).values() if inspect.isfunction(recipe)})


@dataclass(frozen=True)
class Group:
    """A page.

    Attributes:
        name: of its file, and of the package where there is one.
        title: its heading.
        modules: what it is made of, below ``seminar_lib``: packages with ``__all__``, and modules that list nothing.
    """

    name: str
    title: str
    modules: tuple[str, ...]


GROUPS = (
    Group("threats", "Threats", ("threat",)),
    # A goal has a loss as its attribute; losses come first, or the links back from their code would lead to it.
    Group("goals", "Losses and goals", ("losses", "goals", "adaptive")),
    Group("attacks", "Attacks", ("attacks",)),
    Group("objectives", "Objectives", ("objectives", "contrastive", "correlation")),
    Group("train", "Training", ("train", "schedules")),
    Group("recipes", "Recipes", ("recipes", *(name.removeprefix("seminar_lib.") for name in RECIPES))),
    Group("smoothing", "Smoothing", ("smoothing",)),
    Group("purification", "Purification", ("purification",)),
    Group("diffusion", "Diffusion", ("diffusion",)),
    Group("detection", "Detection", ("detection",)),
    Group("masking", "Masked gradients", ("masking",)),
    Group("diagnosis", "Diagnosis", ("diagnosis",)),
    Group("evaluation", "Evaluation", ("evaluation",)),
    Group("embeddings", "Embeddings", ("embeddings",)),
    Group("plots", "Plots", ("plots",)),
    Group("widgets", "Demos", ("widgets",)),
    Group("data", "Data", ("data", "data.dataset", "data.augment", "data.simclr")),
    Group("models", "Networks and weights", ("models", "checkpoints")),
    Group("course", "Words, questions and checks", ("glossary", "quiz")),
)


def pages() -> dict[str, str]:
    """The text of each page by its path."""
    return {"api/index.rst": index(), **{f"api/{group.name}.rst": page(group) for group in GROUPS}}


def page(group: Group) -> str:
    """A page in reStructuredText."""
    parts = [_heading(group.title, "=")]
    for name in group.modules:
        parts += _module(name, alone=len(group.modules) == 1)
    return "\n".join(parts)


def index() -> str:
    """The first page: what there is, and where ``import seminar_lib as sl`` has it."""
    modules = [import_module(f"seminar_lib.{name}") for group in GROUPS for name in group.modules]
    homes = {name: module for module in modules for names in _homes(module).values() for name in names}
    parts = [
        _heading("The library", "="),
        "Three nouns that know nothing of each other: a *threat* says where an image may go, a *goal* what the "
        "adversary wants there, a *search* how it looks. Each page below shows a part of the library as its docstrings "
        "have it. The names in the last table are also at hand after ``import seminar_lib as sl``.\n",
        _heading("Its parts", "-"),
        _table(("Page", "What is there"), [(f":doc:`{group.name}`", _summary(group)) for group in GROUPS]),
        _heading("Names in ``sl``", "-"),
        _table(("Name", "What it is"), [_row(name, homes[name]) for name in vars(seminar_lib)["__all__"]]),
        ".. toctree::\n   :hidden:\n",
        *(f"   {group.name}" for group in GROUPS),
        "",
    ]
    return "\n".join(parts)


def _module(name: str, alone: bool) -> list[str]:
    """The sections about a module or a package, which is told apart into the modules that its names come from."""
    module = import_module(f"seminar_lib.{name}")
    parts = [] if alone else [_heading(_topic(_first(module)), "-")]
    parts += [f".. automodule:: {module.__name__}\n"]
    for home, names in _homes(module).items():
        if home != module.__name__:
            parts += [_heading(_list(names), "-" if alone else "~"), f".. automodule:: {home}\n   :no-index:\n"]
        parts += [f".. py:currentmodule:: {module.__name__}\n"]
        parts += [_entry(module, one) for one in names]
    return parts


def _homes(module: ModuleType) -> dict[str, list[str]]:
    """The public names of a module by the module that defines them: what others build on, then by the files' names."""
    public = getattr(module, "__all__", None) or _defined(module)
    imported = _imported(module)
    homes: dict[str, list[str]] = {}
    for name in public:
        homes.setdefault(imported.get(name, module.__name__), []).append(name)
    own = {module.__name__: homes.pop(module.__name__)} if module.__name__ in homes else {}
    return own | dict(sorted(homes.items(), key=lambda item: (not item[0].endswith(".base"), item[0])))


def _defined(module: ModuleType) -> list[str]:
    """The classes and functions with a docstring that a module defines, in the order of the file."""
    tree = ast.parse(inspect.getsource(module))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_" and ast.get_docstring(node)
    ]


def _imported(module: ModuleType) -> dict[str, str]:
    """The module that each name was imported from, as the import statements say."""
    tree = ast.parse(inspect.getsource(module))
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _entry(module: ModuleType, name: str) -> str:
    """The directive that documents a name."""
    thing = getattr(module, name)
    if inspect.isclass(thing):
        return f".. autoclass:: {name}\n   :members:\n   :show-inheritance:\n"
    if callable(thing):
        return f".. autofunction:: {name}\n"
    return f".. autodata:: {name}\n"


def _summary(group: Group) -> str:
    return _first(import_module(f"seminar_lib.{group.modules[0]}"))


def _row(name: str, module: ModuleType) -> tuple[str, str]:
    thing = getattr(module, name)
    words = _first(thing) if callable(thing) else f"``{thing!r}``"
    return f":py:obj:`~{module.__name__}.{name}`", words


def _first(thing: object) -> str:
    """The first line of a docstring."""
    return as_rest([(inspect.getdoc(thing) or "").split("\n")[0].rstrip(".")])[0]


def _topic(words: str) -> str:
    """What a first line is about: its words up to a colon, or else to a comma; the section itself begins with all."""
    for mark in (":", ",", ";"):
        words = words.split(f"{mark} ")[0]
    return words


def _list(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" and more" if len(names) > NAMED else "")


def _heading(text: str, mark: str) -> str:
    return f"{text}\n{mark * len(text)}\n"


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 70", ""]
    for first, second in [head, *rows]:
        lines += [f"   * - {first}", f"     - {second}"]
    return "\n".join([*lines, ""])
