"""FastRTC has no commands; as its documentation says, a route beside the stream takes them."""

import os

import uvicorn
from fastapi import FastAPI
from fastrtc import Stream
from pydantic import BaseModel
from studio import Studio

studios: list[Studio] = []


def generate():
    studio = Studio()
    studios[:] = [studio]
    while True:
        studio.wait()
        yield studio.draw()


class Configuration(BaseModel):
    fps: float = 0.0
    slow: float = 0.0
    tag: int = 0


class Viewer(BaseModel):
    webrtc_id: str


app = FastAPI()
stream = Stream(handler=generate, modality="video", mode="receive", concurrency_limit=8)
stream.mount(app)


@app.post("/input_hook")
def input_hook(viewer: Viewer) -> None:
    stream.set_input(viewer.webrtc_id, viewer.webrtc_id)


@app.post("/configure")
def configure(configuration: Configuration) -> dict[str, int]:
    return {"tag": studios[0].configure(**configuration.model_dump())}


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
