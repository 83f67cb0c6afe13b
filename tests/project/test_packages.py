"""Projects as people lay them out: packages, `src/`, relative imports, one file, one module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reactor_runtime.errors import ModelNotFoundError, ProjectError
from reactor_runtime.project.discovery import find_model
from reactor_runtime.project.loading import load_project

Folder = Callable[..., Path]
Source = Callable[..., str]
UTIL = "X = 1\n"


@pytest.mark.parametrize("name", ["studio", "case-1", "a.b", "numpy", "random", "model"])
@pytest.mark.parametrize("init", [True, False])
def test_a_folder_that_is_a_package(folder: Folder, model_source: Source, name: str, init: bool) -> None:
    files = {"model.py": "from .util import X\nimport numpy, random\nnumpy.zeros(1), random.random()\n"}
    files["model.py"] += model_source()
    root = folder({**files, "util.py": UTIL, **({"__init__.py": ""} if init else {})}, name)
    assert find_model(root).__name__ == "Painter"


def test_a_package_that_is_imported_by_its_own_name(folder: Folder, model_source: Source) -> None:
    root = folder(
        {"__init__.py": "", "model.py": "from atelier.util import X\n" + model_source(), "util.py": UTIL},
        "atelier",
    )
    assert find_model(root).__name__ == "Painter"


@pytest.mark.parametrize("init", ["from .model import Painter\n", "from model import Painter\n"])
def test_an_init_that_imports_the_model_executes_it_once(
    folder: Folder, model_source: Source, init: str
) -> None:
    counted = "import sys\nsys.executed = getattr(sys, 'executed', 0) + 1\n"
    root = folder({"__init__.py": init, "model.py": counted + model_source()})
    try:
        assert find_model(root).__name__ == "Painter"
        assert sys.executed == 1  # type: ignore[attr-defined]  # made by the project above
    finally:
        del sys.executed  # type: ignore[attr-defined]  # the same


def test_a_model_in_init(folder: Folder, model_source: Source) -> None:
    root = folder({"__init__.py": "from .util import X\n" + model_source(), "util.py": UTIL})
    assert find_model(root).__name__ == "Painter"


def test_an_init_that_fails_is_no_matter_where_the_model_can_do_without(
    folder: Folder, model_source: Source
) -> None:
    root = folder({"__init__.py": "import no_such_host_program\n", "model.py": model_source()})
    assert find_model(root).__name__ == "Painter"


def test_an_init_that_fails_is_named_where_the_model_needs_it(folder: Folder, model_source: Source) -> None:
    files = {"__init__.py": "raise OSError('no disk')\n", "util.py": UTIL}
    root = folder({**files, "model.py": "from .util import X\n" + model_source()})
    with pytest.raises(ModelNotFoundError, match=r"__init__\.py:1: raise OSError"):
        find_model(root)


@pytest.mark.parametrize(
    "files",
    [
        {"src/paint/__init__.py": "", "src/paint/model.py": "MODEL", "src/paint/util.py": UTIL},
        {"src/paint/model.py": "MODEL", "src/paint/util.py": UTIL},
        {"src/model.py": "MODEL", "src/util.py": UTIL},
        {"src/paint/__init__.py": "", "src/paint/core.py": "MODEL", "src/paint/util.py": UTIL}
        | {"main.py": "from paint.core import Painter\n"},
        {"paint/__init__.py": "", "paint/model.py": "MODEL", "paint/util.py": UTIL},
        {"paint/__init__.py": "", "paint/deep/__init__.py": "", "paint/deep/model.py": "MODEL"}
        | {"paint/deep/util.py": UTIL},
    ],
)
def test_packages_below_the_folder(folder: Folder, model_source: Source, files: dict[str, str]) -> None:
    source = "from .util import X\n" + model_source()
    trap = {"tests/test_it.py": "@model\nVideoModel\nraise SystemExit\n", "setup.py": "raise SystemExit\n"}
    root = folder({name: source if text == "MODEL" else text for name, text in (files | trap).items()})
    assert find_model(root).__name__ == "Painter"


@pytest.mark.parametrize(
    "name",
    [
        "paint.model:Painter",
        "paint.model",
        "paint/model.py",
        "paint/model.py:Painter",
        "paint",
        "./paint",
        "ABS",
    ],
)
def test_what_a_person_names(
    folder: Folder, model_source: Source, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = "from .util import X\n" + model_source("Painter") + "\n"
    root = folder({"paint/__init__.py": "", "paint/model.py": source, "paint/util.py": UTIL})
    name = str(root / "paint" / "model.py") if name == "ABS" else name
    assert find_model(root, name).__name__ == "Painter"
    monkeypatch.chdir(root)
    assert find_model(Path(), name).__name__ == "Painter"


def test_one_of_two_models(folder: Folder, model_source: Source) -> None:
    root = folder({"one.py": model_source("One"), "two.py": model_source("Two")})
    assert find_model(root, "two.py").__name__ == "Two"
    assert find_model(root / "one.py").__name__ == "One"
    assert find_model(root, "two:Two").__name__ == "Two"
    assert find_model(root, ".:One").__name__ == "One"


def test_the_weights_and_the_configuration_of_a_named_file(folder: Folder, model_source: Source) -> None:
    root = folder({"paint/model.py": model_source(config="c.yml"), "paint/c.yml": "steps: 3\n"})
    (root / "paint" / "weights" / "vae").mkdir(parents=True)
    (root / "paint" / "weights" / "vae" / "file").touch()
    project = load_project(root, name="paint/model.py")
    assert project.config == {"steps": 3}
    assert project.weights.path("vae") == root / "paint" / "weights" / "vae"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("paint.nowhere:Painter", r"There is no module paint\.nowhere in .*, nor is one installed"),
        ("paint.model:Paintr", r"There is no class Paintr in paint\.model; did you mean Painter\?"),
        ("paint.model:Plain", r"Plain in paint\.model is not decorated with @model"),
        ("paint/model.py:Paintr", r"did you mean Painter\?"),
        ("nowhere/model.py", r"is no folder and no file in"),
        ("paint/notes.txt", r"is a file, and no Python file"),
        ("paint.empty", r"^No @model decorated class found in project\.\n\nModule paint\.empty has none"),
        (
            "paint.broken:X",
            r"(?s)^No @model decorated class found.*broken\.py:1: import no_such_package_here",
        ),
    ],
)
def test_what_cannot_be_found_says_why(folder: Folder, model_source: Source, name: str, said: str) -> None:
    files = {"paint/__init__.py": "", "paint/model.py": model_source() + "\nclass Plain: pass\n"}
    files |= {"paint/notes.txt": "", "paint/empty.py": "", "paint/broken.py": "import no_such_package_here\n"}
    with pytest.raises(ProjectError, match=said):
        find_model(folder(files), name)


@pytest.mark.parametrize(
    ("files", "said", "unsaid"),
    [
        ({"model.py": "import cv3_not_there\nMODEL"}, "pip install cv3_not_there", "requirements"),
        ({"model.py": "import no_such\nMODEL", "pyproject.toml": ""}, "pip install -e", "requirements"),
        ({"model.py": "from util import Y\nMODEL", "util.py": UTIL}, "not that name in it", "pip"),
        ({"model.py": "from .util import Y\nMODEL", "util.py": UTIL}, "not that name in it", "pip"),
        ({"model.py": "from .nowhere import Y\nMODEL", "__init__.py": ""}, "has no nowhere", "pip"),
        ({"model.py": "import util.deep\nMODEL", "util.py": UTIL}, "has no deep inside", "pip"),
        (
            {"model.py": "from b import Y\nX = 1\nMODEL", "b.py": "from model import X\nY = 1\n"},
            "each other",
            "pip",
        ),
        ({"model.py": "from ...a import Y\nMODEL", "__init__.py": ""}, "__init__.py", "pip"),
        (
            {"model.py": "raise ImportError('libGL.so.1: cannot open shared object file: No')\nMODEL"},
            "libGL.so.1 is a library of the system",
            "pip install",
        ),
        ({"model.py": "1 / 0\nMODEL"}, "Correct them and try again.", "pip"),
    ],
)
def test_the_advice_names_the_real_cause(
    folder: Folder, model_source: Source, files: dict[str, str], said: str, unsaid: str
) -> None:
    root = folder({name: text.replace("MODEL", model_source()) for name, text in files.items()})
    with pytest.raises(ModelNotFoundError) as caught:
        find_model(root)
    advice = str(caught.value).split("\n\n")[-1]
    assert said in advice
    assert unsaid not in advice


def test_a_neighbour_of_the_folder_is_named(folder: Folder, model_source: Source) -> None:
    folder({"next_door.py": UTIL}, ".")
    with pytest.raises(ModelNotFoundError, match=r"next_door lies in .*, which is not searched"):
        find_model(folder({"model.py": "import next_door\n" + model_source()}))


def test_models_further_down_are_named(
    folder: Folder, model_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder({"examples/a/model.py": model_source(), "train.py": ""})
    monkeypatch.chdir(root)
    with pytest.raises(ModelNotFoundError, match=r"reactor run examples/a/model\.py"):
        find_model(Path())


def test_a_child_process_can_import_the_model(folder: Folder, model_source: Source, tmp_path: Path) -> None:
    work = "from .util import X\nimport multiprocessing\ndef square(x): return x * x\n"
    pool = "\ndef total():\n    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
    pool += "        return sum(pool.map(square, [1, 2, 3]))\n"
    root = folder({"__init__.py": "", "util.py": UTIL, "model.py": work + model_source() + pool})
    script = (
        "import sys\nfrom pathlib import Path\nfrom reactor_runtime.project.discovery import find_model\n"
        "if __name__ == '__main__':\n    cls = find_model(Path(sys.argv[1]))\n"
        "    print(sys.modules[cls.__module__].total())\n"
    )
    (tmp_path / "go.py").write_text(script)
    command = [sys.executable, str(tmp_path / "go.py"), str(root)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == "14\n", result.stderr
