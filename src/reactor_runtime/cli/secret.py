"""Where the operator's secret comes from: a file, the environment, or the command line, which others see."""

from __future__ import annotations

import logging
from pathlib import Path

import click
from click.core import ParameterSource

from reactor_runtime.project import environment
from reactor_runtime.runtimes.access.credentials import SecretError, secrets_in

from .options import F
from .settings import setting_options

log = logging.getLogger(__name__)

FILE_LIMIT = 64 * 1024
"""Bytes of a file of secrets; a larger one is some other file."""


def secret_options(function: F) -> F:
    """`--token` and `--token-file`; what they say is for `chosen_secret`."""
    file = click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file that holds the token. A second line may hold the one before it, which still opens.",
    )
    return setting_options("token")(file(function))


def chosen_secret(ctx: click.Context, token: str, token_file: Path | None) -> str:
    """One or two lines. Raises `click.UsageError` for what cannot be used."""
    typed = ctx.get_parameter_source("token") is ParameterSource.COMMANDLINE
    if typed and token_file is not None:
        raise click.UsageError("Give --token or --token-file, not both.")
    if typed:
        log.warning(
            "--token can be read by everybody on this machine who lists its processes; put the token into "
            "%s in the environment, or into a file for --token-file.",
            environment.TOKEN,
        )
    text = token if token_file is None else _read(token_file)
    try:
        secrets_in(text)
    except SecretError as error:
        raise click.UsageError(error.message) from None
    return text


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise click.UsageError(f"--token-file {path}: {error.strerror or error}.") from None
    if len(data) > FILE_LIMIT:
        raise click.UsageError(
            f"--token-file {path} is larger than {FILE_LIMIT // 1024} KiB; it holds no token."
        )
    text = data.decode("utf-8-sig", "surrogateescape")
    if not text.strip():
        raise click.UsageError(f"--token-file {path} is empty; write the token into its first line.")
    return text
