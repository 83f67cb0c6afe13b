"""`reactor completion`"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .options import examples, verbose_option

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_REACTOR_COMPLETE"
"""Set by the script when it asks this program what may come next; click reads it."""


@click.command(
    "completion",
    epilog=examples("reactor completion bash", "reactor completion zsh", "reactor completion fish"),
)
@click.argument("shell", type=click.Choice(SHELLS))
@verbose_option
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete reactor's commands and options.

    Into ~/.bashrc: eval "$(reactor completion bash)". Into ~/.zshrc: eval "$(reactor completion zsh)". For
    fish: reactor completion fish > ~/.config/fish/completions/reactor.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root().command
    # Not `.source()`: it runs the shell to see its version, and another machine's may be meant.
    complete = kind(root, {}, "reactor", VARIABLE)
    click.echo(complete.source_template % complete.source_vars())
