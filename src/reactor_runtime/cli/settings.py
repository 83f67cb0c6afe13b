"""Options of the command line that come from the settings of `HttpOptions`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reactor_runtime.runtimes.http.options import HttpOptions
from reactor_runtime.settings import Setting, is_path, settings_of

from .options import F

SETTINGS = settings_of(HttpOptions)


class WholeText(click.types.StringParamType):
    """Text that may hold spaces; click would cut a variable of the environment at them."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv]


def setting_options(*names: str, what: str | None = None) -> Callable[[F], F]:
    """Options for these settings, in this order. `what` says it for a command that means it otherwise."""

    def add(function: F) -> F:
        for name in reversed(names):
            function = _option(SETTINGS[name], what)(function)
        return function

    return add


def options_of(given: dict[str, Any]) -> HttpOptions:
    """What the command line says of settings, as one object; everything else is left in `given`."""
    chosen = {name: given.pop(name) for name in list(given) if name in SETTINGS}
    return HttpOptions(**chosen)


def _option(setting: Setting, what: str | None) -> Callable[[F], F]:
    return click.option(
        setting.flag,
        setting.name,
        **_shape(setting),
        callback=_reading(setting),
        envvar=setting.variable or None,
        show_envvar=bool(setting.variable),
        metavar=setting.form or ("SECONDS" if setting.unit == "s" else None),
        help=(setting.what if what is None else what) or None,
    )


def _shape(setting: Setting) -> dict[str, Any]:
    default = setting.default
    if setting.is_flag:
        return {"flag_value": False, "default": True} if default else {"is_flag": True}
    return {
        "type": _type(setting),
        "multiple": setting.is_list,
        "default": None if default == "" and setting.choices else default,
        "show_default": setting.none or bool(default),
    }


def _type(setting: Setting) -> click.ParamType[Any]:
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.kind in (int, int | None):
        return click.IntRange(setting.least, setting.most)
    if setting.kind is float:
        return click.FloatRange(min=setting.least)
    if is_path(setting.kind):
        return click.Path(path_type=Path)
    return WholeText() if setting.spaces else click.STRING


def _reading(setting: Setting) -> Callable[[click.Context, click.Parameter, Any], object]:
    def read(ctx: click.Context, param: click.Parameter, value: Any) -> object:
        try:
            return setting.value(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return read
