from __future__ import annotations

import itertools
import sys

import pytest

from reactor_runtime.errors import ModelNotFoundError, ProjectError, SeveralModelsError
from reactor_runtime.project.discovery import find_model

MENTION = '"""\n@model\n"""\n'
"""Makes a file look as if it could hold the class, so that it is executed."""
TRAP = "raise RuntimeError('this file must not be executed')\n"


def test_finds_the_class(folder, model_source):
    assert find_model(folder({"model.py": model_source()})).__name__ == "Painter"


def test_finds_the_same_class_twice(folder, model_source):
    root = folder({"model.py": model_source()})
    assert find_model(root) is find_model(root)


def test_does_not_execute_files_that_cannot_hold_it(folder, model_source):
    files = {"a_train.py": TRAP, "zz.py": TRAP, "_private.py": TRAP, "setup.py": TRAP, "conftest.py": TRAP}
    files["test_model.py"] = f"@model\n{TRAP}"
    assert find_model(folder({"model.py": model_source(), **files})).__name__ == "Painter"


def test_does_not_execute_files_that_use_the_runtime_when_a_model_is_decorated_elsewhere(
    folder, model_source
):
    root = folder({"bench.py": f"import reactor_runtime\n{TRAP}", "model.py": model_source()})
    assert find_model(root).__name__ == "Painter"


@pytest.mark.parametrize("names", list(itertools.permutations(("alpha", "middle", "zulu"))))
def test_files_may_import_each_other_in_any_order(folder, model_source, names):
    """A helper that imports the model file first was a failure in 3 of 6 layouts of the 1.7 generation."""
    model, helper, entry = names
    root = folder(
        {
            f"{model}.py": f"from {helper} import VALUE\n" + model_source(),
            f"{helper}.py": f"{MENTION}VALUE = 1\n",
            f"{entry}.py": f"{MENTION}from {model} import Painter\n",
        }
    )
    assert find_model(root).__name__ == "Painter"


def test_a_helper_that_imports_the_model_back(folder, model_source):
    root = folder(
        {
            "a_helper.py": f"{MENTION}import model\ndef size():\n    return model.SIZE\n",
            "model.py": "SIZE = 3\nimport a_helper\n" + model_source(),
        }
    )
    assert find_model(root).__name__ == "Painter"


def test_executes_each_file_once(folder, model_source):
    counted = "import sys\nsys.executed = getattr(sys, 'executed', 0) + 1\n"
    importer = f"{MENTION}from model import Painter\n"
    root = folder({"model.py": counted + model_source(), "a.py": importer, "z.py": importer})
    try:
        assert find_model(root).__name__ == "Painter"
        assert sys.executed == 1
    finally:
        del sys.executed


def test_a_reexported_class_is_one_class(folder, model_source):
    app = f"{MENTION}from model import Painter\nAgain = Painter\n"
    assert find_model(folder({"model.py": model_source(), "app.py": app})).__name__ == "Painter"


def test_a_class_decorated_in_a_package_of_the_project(folder, model_source):
    root = folder(
        {
            "paint/core.py": model_source(),
            "paint/__init__.py": "",
            "main.py": "from paint.core import Painter",
        }
    )
    assert find_model(root).__name__ == "Painter"


def test_the_decorator_may_have_another_spelling(folder):
    source = "import reactor_runtime as rr\n@rr.model(name='x')\nclass X(rr.VideoModel):\n  pass\n"
    assert find_model(folder({"x.py": source})).__name__ == "X"
    source = (
        "from reactor_runtime import model as m, VideoModel\n@m(name='y')\nclass Y(VideoModel):\n  pass\n"
    )
    assert find_model(folder({"y.py": source}, "other")).__name__ == "Y"


def test_an_undecorated_subclass_is_no_second_model(folder, model_source):
    root = folder({"model.py": model_source() + "\nclass Other(Painter): pass\n"})
    assert find_model(root).__name__ == "Painter"


@pytest.mark.parametrize(
    "stem", ["types", "logging", "queue", "random", "numpy", "click", "my-model", "a.b", "antigravity"]
)
def test_a_file_name_that_means_something_else(folder, model_source, stem):
    helper = "import queue, types, logging, random, numpy, click\nqueue.Queue, numpy.zeros, click.group\n"
    source = "import queue, helper\nassert queue.Queue\n"
    root = folder({f"{stem}.py": source + model_source(), "helper.py": helper})
    before = sys.modules.get(stem)
    assert find_model(root).__name__ == "Painter"
    assert sys.modules.get(stem) is before or stem in ("queue", "random", "my-model")


def test_a_helper_that_clashes_with_the_standard_library_does_not_shadow_it(folder, model_source):
    root = folder(
        {"colorsys.py": TRAP, "model.py": "import colorsys\ncolorsys.rgb_to_hsv\n" + model_source()}
    )
    sys.modules.pop("colorsys", None)
    assert find_model(root).__name__ == "Painter"


def test_a_file_named_after_the_package_it_wraps(folder, model_source, tmp_path):
    (tmp_path / "site" / "wan").mkdir(parents=True)
    (tmp_path / "site" / "wan" / "__init__.py").write_text("WEIGHTS = 1")
    sys.path.append(str(tmp_path / "site"))
    root = folder({"wan.py": "import wan\nassert wan.WEIGHTS\n" + model_source()})
    assert find_model(root).__name__ == "Painter"


def test_the_projects_helpers_come_before_installed_ones(folder, model_source, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "palette_tools.py").write_text(TRAP)
    sys.path.insert(0, str(tmp_path / "site"))
    root = folder({"palette_tools.py": "OURS = 1", "model.py": "import palette_tools\n" + model_source()})
    assert find_model(root).__name__ == "Painter"


def test_two_projects_in_one_process(folder, model_source):
    first = find_model(folder({"model.py": model_source("First")}, "one"))
    second = find_model(folder({"model.py": model_source("Second")}, "two"))
    assert (first.__name__, second.__name__) == ("First", "Second")


def test_no_file_at_all(folder):
    with pytest.raises(ModelNotFoundError, match=r"^No @model decorated class found in project\.") as caught:
        find_model(folder({}))
    assert "There is no Python file in" in str(caught.value)


def test_no_decorated_class(folder):
    with pytest.raises(ModelNotFoundError, match=r"^No @model decorated class found in project\."):
        find_model(
            folder({"model.py": "from reactor_runtime import VideoModel\nclass A(VideoModel): pass\n"})
        )


def test_names_every_file_that_failed_with_the_authors_lines(folder, model_source):
    root = folder(
        {
            "first.py": "import no_such_package_here\n" + model_source(),
            "second.py": "@model\ndef (:\n",
            "third.py": "from helper import load\nload()\n" + model_source(),
            "helper.py": "def load():\n    raise OSError('no disk\\nat all')\n",
            "fourth.py": "import sys\nsys.exit(3)\n" + model_source(),
            "requirements.txt": "numpy\n",
        }
    )
    with pytest.raises(ModelNotFoundError) as caught:
        find_model(root)
    text = str(caught.value)
    assert text.startswith("No @model decorated class found in project.")
    for line in (
        "first.py: ModuleNotFoundError: No module named 'no_such_package_here'",
        "first.py:1: import no_such_package_here",
        "second.py: SyntaxError: ",
        "second.py:2: def (:",
        "third.py: OSError: no disk",
        "third.py:2: load()",
        "helper.py:2: raise OSError('no disk\\nat all')",
        "    at all",
        "fourth.py: the file ended the program: SystemExit(3)",
        "pip install -r",
    ):
        assert line in text
    assert "importlib" not in text
    assert "discovery.py" not in text


def test_a_wrong_decorator_shows_the_authors_line(folder):
    root = folder(
        {"model.py": "from reactor_runtime import model\n@model(name='Bad Name!')\nclass A: pass\n"}
    )
    with pytest.raises(ModelNotFoundError, match=r"model\.py:2: @model\(name='Bad Name!'\)") as caught:
        find_model(root)
    assert "bad-name" in str(caught.value)
    assert "decorator.py" not in str(caught.value)


def test_a_failing_neighbour_is_a_warning(folder, model_source, caplog):
    root = folder(
        {"model.py": model_source(), "other.py": "import no_such_package_here\n@model\nclass X: pass\n"}
    )
    assert find_model(root).__name__ == "Painter"
    assert "other.py could not be imported" in caplog.text


def test_ctrl_c_during_an_import_is_not_swallowed(folder, model_source):
    with pytest.raises(KeyboardInterrupt):
        find_model(folder({"model.py": "raise KeyboardInterrupt\n" + model_source()}))


def test_several_models_are_listed_with_their_places(folder, model_source):
    root = folder({"one.py": model_source("One"), "two.py": "\n\n" + model_source("Two")})
    with pytest.raises(SeveralModelsError) as caught:
        find_model(root)
    assert "One at one.py:4" in str(caught.value)
    assert "Two at two.py:6" in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere", "file.txt"])
def test_a_path_that_is_no_folder(tmp_path, path):
    (tmp_path / "file.txt").touch()
    with pytest.raises(ProjectError, match=r"--path"):
        find_model(tmp_path / path)


def test_a_source_file_in_another_encoding(folder, model_source):
    root = folder({})
    (root / "model.py").write_bytes(
        "# -*- coding: latin-1 -*-\n# é\n".encode("latin-1") + model_source().encode()
    )
    assert find_model(root).__name__ == "Painter"
