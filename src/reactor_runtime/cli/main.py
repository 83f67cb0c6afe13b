"""`reactor`: the command line. Each command has a file of its own, imported only when it is used."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from collections.abc import Sequence

import click

from reactor_runtime._version import __version__
from reactor_runtime.errors import ReactorError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

COMMANDS = {
    "run": "Run the model of a folder and serve it.",
    "serve": "Serve the model to many users: a waiting line, and a worker for each session.",
    "fleet": "Show and control what `reactor serve` runs.",
    "bench": "Measure the model with everything behind it, without a browser.",
    "test": "Test the model of a folder, without a server and without waiting.",
    "doctor": "Find out whether people will be able to connect, before they try.",
    "init": "Make a folder with a model that runs.",
    "capabilities": "Print what the model can do, as JSON.",
    "download": "Fetch the weights of a project, whole and verified.",
    "weights": "Say which weights are on this machine, and who asks for them.",
    "upload": "Put a folder of weights into a bucket, with a manifest.",
    "token": "Make a token that lets somebody in for a while.",
    "schema": "Print the model's commands as an OpenAPI document.",
    "completion": "Print what makes a shell complete reactor's commands and options.",
}


class LazyGroup(click.Group):
    """Knows its commands by name and sentence; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"reactor_runtime.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="reactor %(version)s")
def reactor() -> None:
    """Turn a video model into something people can play with."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The `reactor` program; never returns. Status: 0, 1 a failure, 2 bad usage, 130 interrupted."""
    status = _status(arguments, whole_process=True)
    leaving = sys.modules.get("reactor_runtime.process.leaving")
    if leaving is not None:
        leaving.go_if_begun()
    sys.exit(status)


def _status(arguments: Sequence[str] | None, whole_process: bool = False) -> int:
    """`whole_process` says that nothing else is in it: a command may set up descriptors and handlers."""
    try:
        result = reactor.main(arguments, prog_name="reactor", standalone_mode=False, obj=whole_process)
    except click.UsageError as error:
        return _fail(MISUSED, f"{error.format_message()}{_where_to_read(error)}")
    except click.ClickException as error:
        return _fail(FAILED, error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except ReactorError as error:
        return _fail(FAILED, error.message)
    except Exception as error:  # noqa: BLE001  # the last place that can turn a bug into a sentence
        return _fail(
            FAILED,
            f"{type(error).__name__}: {error}\nThis is a fault of reactor; run with -v for the traceback.",
        )
    return result if isinstance(result, int) else 0


def _fail(status: int, message: str) -> int:
    click.echo(f"Error: {message}", err=True)
    if logging.getLogger("reactor_runtime").isEnabledFor(logging.DEBUG):
        traceback.print_exc()
    return status


def _where_to_read(error: click.UsageError) -> str:
    return "" if error.ctx is None else f"\nSee `{error.ctx.command_path} --help`."
