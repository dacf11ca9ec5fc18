"""The tree stays as small and as plainly named as it was meant: caps, names, places.

Standard library only, so that it runs first and in a second.
"""

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODULE_LINES_MAX = 400
TEST_MODULE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
CONFTEST_LINES_MAX = 60

TOP = {
    "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "requirements.lock", "Makefile",
    ".gitignore", ".ci", "docs", "deploy",
    "portal", "worker", "alembic", "frontend_templates", "tests",
}  # fmt: skip
PORTAL = {
    "__init__.py", "cli.py", "domain", "kit", "contract", "dmz", "application", "egress", "vault",
    "sandbox", "stack",
}  # fmt: skip
WORKER = {
    "__init__.py", "main.py", "main", "settings.py", "supervisor.py", "relay.py", "child.py",
    "queue", "lanes.py", "tasks", "control", "alerting", "payjob",
}  # fmt: skip
TESTS = {"conftest.py", "unit", "zone", "journey", "promise", "ui", "attack", "make"}
PAGES = {"page", "dashboard", "console", "mail", "sms", "voice", "parts", "static", "locale"}

MODULE_NAMES_BANNED = re.compile(r"(utils?|helpers?|common|base|managers?|misc|shared|core|lib)")
FUNCTION_NAMES_BANNED = re.compile(r"_?(process|handle|manage|do|perform)_\w+")
CLASS_NAMES_BANNED = re.compile(r"\w*(Manager|Helper|Util|Utils|Processor|Handler|Base)")
NAMES_OF_OTHERS = {"handle_starttag", "handle_endtag", "handle_data"}
"""Overridden methods whose names the standard library chose."""

REGISTRY_HOSTS = re.compile(
    r"pypi\.(org|python\.org)|files\.python" + r"hosted|registry\.npm" + r"js|deb\.deb" + "ian|"
    r"proxy\.go" + r"lang|index\.crates|crates" + r"\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(work|root|home|Users)/[\w.-]+")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


@cache
def tracked() -> tuple[Path, ...]:
    """Files that git tracks or would track, below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever git there is
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return tuple(Path(line) for line in listed.splitlines() if (ROOT / line).is_file())


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def source(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Definition:
    name: str
    line: int
    lines: int
    is_class: bool


@dataclass(frozen=True)
class Outline:
    """What of a module is looked at here. Parsed once: its tree is read and let go."""

    says_what: bool
    definitions: tuple[Definition, ...]


@cache
def outline(path: Path) -> Outline:
    tree = ast.parse(source(path))
    found = tuple(
        Definition(
            name=node.name,
            line=node.lineno,
            lines=(node.end_lineno or 0) - node.lineno + 1,
            is_class=isinstance(node, ast.ClassDef),
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )
    return Outline(says_what=bool(ast.get_docstring(tree)), definitions=found)


def test_modules_stay_short() -> None:
    long = {
        str(path): lines
        for path in python_files()
        if (lines := source(path).count("\n"))
        > (TEST_MODULE_LINES_MAX if path.parts[0] == "tests" else MODULE_LINES_MAX)
    }

    assert not long


def test_functions_stay_short() -> None:
    long = {
        f"{path}:{one.line} {one.name}": one.lines
        for path in python_files()
        for one in outline(path).definitions
        if not one.is_class
        and path.parts[:2] != ("alembic", "versions")  # their SQL is one text
        and one.lines > FUNCTION_LINES_MAX
    }

    assert not long


def test_conftests_stay_short() -> None:
    long = [
        str(path)
        for path in python_files()
        if path == Path("tests/conftest.py") and source(path).count("\n") > CONFTEST_LINES_MAX
    ]

    assert not long


def test_every_module_says_what_lives_there() -> None:
    silent = [
        str(path)
        for path in python_files()
        if path.parts[0] in {"portal", "worker", "alembic"} and not outline(path).says_what
    ]

    assert not silent


def test_no_module_is_named_after_nothing() -> None:
    vague = [
        str(path)
        for path in python_files()
        for part in (*path.parts[:-1], path.stem)
        if MODULE_NAMES_BANNED.fullmatch(part)
    ]

    assert not vague


def test_functions_and_classes_are_named_in_words_of_the_field() -> None:
    vague = [
        f"{path}:{one.line} {one.name}"
        for path in python_files()
        if path.parts[0] in {"portal", "worker"}
        for one in outline(path).definitions
        if (
            CLASS_NAMES_BANNED.fullmatch(one.name)
            if one.is_class
            else FUNCTION_NAMES_BANNED.fullmatch(one.name) and one.name not in NAMES_OF_OTHERS
        )
    ]

    assert not vague


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        (Path(), TOP),
        (Path("portal"), PORTAL),
        (Path("worker"), WORKER),
        (Path("tests"), TESTS),
        (Path("frontend_templates"), PAGES),
    ],
    ids=lambda value: str(value) if isinstance(value, Path) else "",
)
def test_nothing_lies_beyond_the_tree(folder: Path, allowed: set[str]) -> None:
    depth = len(folder.parts)
    found = {path.parts[depth] for path in tracked() if path.parts[:depth] == folder.parts}

    assert found - allowed == set()


def test_alembic_never_becomes_a_package_that_shadows_the_library() -> None:
    assert Path("alembic/__init__.py") not in tracked()


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    told = []
    for path in tracked():
        try:
            text = source(path)
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(text.splitlines(), 1):
            if REGISTRY_HOSTS.search(line) or MACHINE_PATHS.search(line):
                told.append(f"{path}:{number}: {line.strip()[:80]}")

    assert not told


def test_nothing_is_left_for_later_in_the_code() -> None:
    later = [
        f"{path}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".js", ".css", ".html", ".toml"}
        for number, line in enumerate(source(path).splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert not later


def test_silenced_findings_name_the_finding_and_the_reason() -> None:
    bare = re.compile(r"#\s*(type:\s*ignore(?!\[)|noqa(?!:)|pyright:\s*ignore(?!\[))")
    unexplained = re.compile(r"#\s*noqa:\s*[A-Z0-9, ]+$")
    silenced = [
        f"{path}:{number}: {line.strip()[-60:]}"
        for path in python_files()
        if path.parts[0] in {"portal", "worker"}
        for number, line in enumerate(source(path).splitlines(), 1)
        if bare.search(line) or unexplained.search(line)
    ]

    assert not silenced


def test_large_files_stay_out() -> None:
    heavy = {
        str(path): size for path in tracked() if (size := (ROOT / path).stat().st_size) > 2 * 2**20
    }

    assert not heavy
