"""The manifest for Kubernetes: a linter accepts it, and its arguments are those of our command line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reactor_runtime.cli import serve

MANIFEST = Path(__file__).parents[2] / "examples" / "kuberay.yaml"


def parts() -> dict[str, Any]:
    return {part["kind"]: part for part in yaml.safe_load_all(MANIFEST.read_text())}


def test_a_linter_accepts_it() -> None:
    lint = [sys.executable, "-m", "yamllint", "--strict", str(MANIFEST)]
    said = subprocess.run(lint, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.usefixtures("process_put_back")  # the options of the log set it up
def test_its_arguments_are_those_of_our_command_line() -> None:
    program, name, *arguments = shlex.split(parts()["RayJob"]["spec"]["entrypoint"])
    assert (program, name) == ("reactor", "serve")
    parsed = serve.command.make_context("serve", arguments).params
    assert (parsed["ray"], parsed["workers"], parsed["queue"]) == ("auto", (1, 4), 200)
    assert parsed["token_file"] == Path("/etc/reactor/token")


def test_its_parts_fit_together() -> None:
    found = parts()
    cluster = found["RayJob"]["spec"]["rayClusterSpec"]
    head = cluster["headGroupSpec"]["template"]["spec"]
    (group,) = cluster["workerGroupSpecs"]
    mounted = {mount["name"]: mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]}
    (volume,) = head["volumes"]
    assert mounted[volume["name"]] == "/etc/reactor"
    assert volume["secret"]["secretName"] == found["Secret"]["metadata"]["name"]
    assert "token" in found["Secret"]["stringData"]
    port = found["Service"]["spec"]["ports"][0]
    assert port["port"] == 8080
    assert {"name": port["targetPort"], "containerPort": 8080} in head["containers"][0]["ports"]
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == 1
    assert group["maxReplicas"] == 4
