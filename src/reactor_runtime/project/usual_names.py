"""Top-level names that an author's file may have, and that keep their usual meaning all the same."""

from __future__ import annotations

OUR_NEEDS = frozenset(
    {
        *("PIL", "annotated_types", "antlr4", "anyio", "av", "click", "cv2", "fastapi", "h11", "numpy"),
        *(
            "omegaconf",
            "pydantic",
            "pydantic_core",
            "reactor_runtime",
            "reactor_webrtc",
            "starlette",
            "torch",
        ),
        *("typing_extensions", "typing_inspection", "uvicorn", "yaml"),
    }
)
"""The packages this runtime stands on."""
