"""`reactor upload`"""

from __future__ import annotations

from pathlib import Path

import click

from .options import examples, verbose_option


@click.command("upload", epilog=examples("reactor upload my-weights . s3://bucket/my-weights --dry-run"))
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("target", metavar="s3://BUCKET/PREFIX")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@verbose_option
def command(name: str, folder: Path, target: str, dry_run: bool) -> None:
    """Put a folder of weights into a bucket, with a manifest.

    gs://… and az://… are buckets too. What is there already is skipped, also after a run that was stopped.
    Endpoint and credentials come from the usual environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …).
    """
    from reactor_runtime.project.weights.disk import count_text, size_text
    from reactor_runtime.project.weights.source import parse_source
    from reactor_runtime.project.weights.upload import check_target, files_to_upload, upload

    source = parse_source(target, Path.cwd())
    check_target(source)
    if dry_run:
        sizes = files_to_upload(name, folder)
        for path, size in sizes.items():
            click.echo(f"{path}  {size_text(size)}")
        click.echo(f"{count_text(len(sizes))}, {size_text(sum(sizes.values()))}, would go to {source.shown}.")
        return
    from .bars import Bars

    done = upload(name, folder, source, Bars("sent"))
    click.echo(
        f"{name} is in {source.shown}: {count_text(done.sent)} sent ({size_text(done.size)}), {done.skipped} "
        f'there already. In reactor.toml:\n\n  [weights]\n  {name} = "{source.shown}"\n'
    )
