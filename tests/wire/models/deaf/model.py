"""A model that does not hear that it shall stop."""

import time

import numpy as np

from reactor_runtime import UploadedFile, VideoModel, VideoOut, command, get_ctx, model


@model(name="deaf")
class Deaf(VideoModel):
    main_video = VideoOut()

    @command("where")
    def where(self, file: UploadedFile):
        return str(file.path)

    def start_session(self):
        get_ctx().get_track().emit(np.zeros((48, 64, 3), np.uint8))
        while True:
            time.sleep(0.05)
