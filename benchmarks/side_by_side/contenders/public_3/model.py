from pathlib import Path

from studio import Studio

from reactor_runtime import ModelMessage, Output, ReactorApp, Video, event


class Picture(Output):
    main_video: Video


class Configured(ModelMessage):
    tag: int


class Bench(ReactorApp):
    def load(self, config_path: Path | None) -> None:
        self.studio = Studio()

    @event(name="configure")
    def configure(self, fps: float = 0.0, slow: float = 0.0, tag: int = 0) -> Configured:
        return Configured(tag=self.studio.configure(fps, slow, int(tag)))

    def generate(self, input) -> Picture:  # noqa: A002 - its name there
        self.studio.wait()
        return Picture(main_video=self.studio.draw())
