from __future__ import annotations

import pytest

from reactor_runtime import VideoModel
from reactor_runtime.errors import ModelDefinitionError


def define(**body):
    return type("Some", (VideoModel,), body)


def test_every_hook_may_be_left_out():
    model = define()()
    model.warmup()
    model.reset()
    model.on_media(None)
    with pytest.raises(NotImplementedError, match="Some has no start_session"):
        model.start_session()


async def _async_hook(self): ...


def _yields(self):
    yield


def test_hooks_may_be_async_where_they_have_a_loop():
    define(start_session=_async_hook, warmup=_async_hook, reset=_async_hook)


async def _async_media(self, bundle): ...


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"start_session": _yields}, "contains `yield`"),
        ({"on_media": _async_media}, "is `async def`"),
        ({"start_session": lambda: None}, r"must be `def start_session\(self\)`"),
        ({"start_session": lambda self, config: None}, r"must be `def start_session\(self\)`"),
        ({"on_media": lambda self: None}, r"must be `def on_media\(self, bundle\)`"),
        ({"reset": 3}, "not a method"),
        ({"reset": staticmethod(lambda: None)}, "not a method"),
    ],
)
def test_hooks_that_could_not_be_called(body, said):
    with pytest.raises(ModelDefinitionError, match=said):
        define(**body)


def test_hooks_may_have_further_optional_parameters():
    define(start_session=lambda self, steps=3: None, on_media=lambda self, media, *rest: None)


def test_class_keywords_still_reach_the_authors_bases():
    class Base:
        def __init_subclass__(cls, flavour, **kwargs):
            super().__init_subclass__(**kwargs)
            cls.flavour = flavour

    class Some(VideoModel, Base, flavour="sweet"):
        pass

    assert Some.flavour == "sweet"
