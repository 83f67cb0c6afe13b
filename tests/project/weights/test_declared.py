"""Sources in reactor.toml and pyproject.toml, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_runtime.errors import ConfigError, WeightsError
from reactor_runtime.project.weights.asked import asked_names
from reactor_runtime.project.weights.declared import declared_sources
from reactor_runtime.project.weights.masking import masked, scrubbed
from reactor_runtime.project.weights.source import Repository, parse_source

GOOD = """
# where they come from
[weights]
longlive = "hf://org/repo@v1.0"
bucket = "s3://models/a/b"
google = "gs://models/a"
azure = "az://container/a"
"web-1.2" = "https://example.org/w.tar.gz?version=3"
here = "file:../disk"
"""


def test_reactor_toml(tmp_path: Path) -> None:
    (tmp_path / "reactor.toml").write_text(GOOD)
    (tmp_path / "pyproject.toml").write_text('[tool.reactor.weights]\nother = "s3://x"\n')
    declared = declared_sources(tmp_path)
    assert list(declared.sources) == ["longlive", "bucket", "google", "azure", "web-1.2", "here"]
    assert declared.sources["bucket"].bucket == ("models", "a/b")
    assert declared.sources["here"].folder == tmp_path.parent / "disk"
    assert declared.sources["web-1.2"].shown == "https://example.org/w.tar.gz?version=3"


def test_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.reactor.weights]\nvae = "s3://models/vae"\n')
    assert declared_sources(tmp_path).sources["vae"].text == "s3://models/vae"
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert declared_sources(tmp_path).sources == {}
    assert declared_sources(tmp_path / "none").sources == {}


def test_a_package_has_the_file_of_its_project(tmp_path: Path) -> None:
    (tmp_path / "reactor.toml").write_text(GOOD)
    package = tmp_path / "src" / "paint"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert "longlive" in declared_sources(package).sources


def test_a_neighbour_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "reactor.toml").write_text(GOOD)
    (tmp_path / "project").mkdir()
    assert declared_sources(tmp_path / "project").sources == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[weights]\nvae = "no"\n', r"reactor\.toml:2 \(`vae = \"no\"`\): 'no' is no source"),
        ('[weights]\nvae = ""\n', r"reactor\.toml:2 .*is no source of weights; write hf://"),
        ("[weights]\nvae = 3\n", r"reactor\.toml:2 .*a source is text"),
        ('[weights]\n"../x" = "s3://a"\n', r"reactor\.toml:2 .*is no name for a weights folder"),
        ('[weights]\nvae = "hf://a b"\n', r"reactor\.toml:2 .*spaces"),
        ('[weights]\nvae = "hf://a/b/@c"\n', r"reactor\.toml:2 .*is no repository"),
        ('[weights]\nvae = "https:///x"\n', r"reactor\.toml:2 .*names no server"),
        ('[weights]\nvae = "https://h:port/x"\n', r"reactor\.toml:2 .*is no address"),
        ('[weights]\nvae = "ftp://h/x"\n', r"reactor\.toml:2 .*is no source"),
        ('[weights]\nvae = "file:"\n', r"reactor\.toml:2 .*names no folder"),
        ('[wieghts]\nvae = "s3://a"\n', r"reactor\.toml:1 .*there is no table wieghts; write \[weights\]"),
        ('weights = "s3://a"\n', r"reactor\.toml:1 .*must be a table"),
        ("[weights\n", r"reactor\.toml:1 is no TOML: .*`\[weights`"),
        ('[weights]\nvae = "a"\nvae = "b"\n', r"reactor\.toml:3 is no TOML"),
    ],
)
def test_mistakes_are_sentences_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reactor.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        declared_sources(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        'vae = "https://me:opensesame@h:x/"',
        'vae = "ftp://me:opensesame@h/"',
        'vae = "https://h:x/?sig=opensesame"',
    ],
)
def test_mistakes_show_no_secret(tmp_path: Path, line: str) -> None:
    (tmp_path / "reactor.toml").write_text(f"[weights]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        declared_sources(tmp_path)
    assert "opensesame" not in caught.value.message
    (tmp_path / "reactor.toml").write_text(f"[weights]\n{line} broken\n")
    with pytest.raises(ConfigError) as caught:
        declared_sources(tmp_path)
    assert "opensesame" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf://org/repo", Repository("model", "org/repo", "main", "")),
        ("hf://org/repo@v1", Repository("model", "org/repo", "v1", "")),
        ("hf://gpt2@abc", Repository("model", "gpt2", "abc", "")),
        ("hf://datasets/org/repo@refs/pr/3/a/b", Repository("dataset", "org/repo", "refs/pr/3", "a/b")),
        ("hf://org/repo@feature%2Fx", Repository("model", "org/repo", "feature/x", "")),
        ("hf://org/repo/sub/", Repository("model", "org/repo", "main", "sub")),
    ],
)
def test_repositories(text: str, expected: Repository) -> None:
    assert parse_source(text, Path()).repository == expected


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://h/a?version=1", "https://h/a?version=1"),
        ("https://u:p@h:8/a", "https://u:***@h:8/a"),
        ("https://token@h/a", "https://***@h/a"),
        ("https://h/a?X-Amz-Signature=abc&version=1", "https://h/a?X-Amz-Signature=***&version=1"),
        ("https://h/a?abcdefghijk", "https://h/a?***"),
        ("https://h/a#secret", "https://h/a"),
        ("hf://org/repo@main", "hf://org/repo@main"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
    ],
)
def test_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecretkey")
    said = scrubbed("at https://u:p@h/x?sig=abc: Bearer abcdefgh, verysecretkey, token=12345")
    for secret in (":p@", "abc:", "abcdefgh", "verysecretkey", "12345"):
        assert secret not in said


def test_names_are_read_from_decorators_without_executing(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "raise SystemExit\nNAMES = ['three']\n"
        "@model(name='x', weights=['one', 'two'])\nclass Painter: pass\n"
        "@model(name='y', weights=NAMES)\nclass Other: pass\n"
        "@model(name='z', weights=computed())\nclass Third: pass\n"
    )
    (tmp_path / "broken.py").write_text("@model(\n")
    assert asked_names(tmp_path) == {
        "one": ["Painter (model.py)"],
        "two": ["Painter (model.py)"],
        "three": ["Other (model.py)"],
    }


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    from reactor_runtime.project.weights.opening import open_remote

    for module, source, extra in (("obstore", "s3://a/b", "s3"), ("huggingface_hub", "hf://a/b", "hf")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(WeightsError, match=rf"pip install 'reactor-runtime\[{extra}\]'"):
            open_remote(parse_source(source, tmp_path))
