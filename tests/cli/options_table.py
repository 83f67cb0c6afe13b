"""The table of options in docs/operations.md, made from the settings. `scripts/cli-docs` writes it again."""

from __future__ import annotations

from pathlib import Path

from reactor_runtime.cli.settings import SETTINGS
from reactor_runtime.settings import Setting

FILE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- options: written by scripts/cli-docs -->", "<!-- /options -->"
HEAD = "| option | default | unit | environment | what it does |\n|---|---|---|---|---|"


def table() -> str:
    return "\n".join([HEAD, *map(_row, SETTINGS.values())])


def of_the_document() -> str:
    """What stands between the two marks now."""
    return FILE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def document() -> str:
    before, _, rest = FILE.read_text("utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def _row(setting: Setting) -> str:
    variable = f"`{setting.variable}`" if setting.variable else ""
    cells = (f"`{setting.flag}`", _default(setting), setting.unit, variable, _what(setting))
    return f"| {' | '.join(cells)} |"


def _default(setting: Setting) -> str:
    default = setting.default
    if setting.none:
        return setting.none
    if setting.is_flag or not default:
        return ""
    if isinstance(default, tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _what(setting: Setting) -> str:
    choices = ", ".join(f"`{choice}`" for choice in setting.choices)
    repeatable = "Repeatable." if setting.is_list and "repeatable" not in setting.what else ""
    said = (f"{choices}." if choices else "", setting.what, repeatable)
    return " ".join(each for each in said if each)


if __name__ == "__main__":
    FILE.write_text(document(), "utf-8")
