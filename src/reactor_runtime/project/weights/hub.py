"""Weights in a repository of a Hugging Face hub, at one commit."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from reactor_runtime.errors import WeightsError
from reactor_runtime.project import environment

from .connection import read_range
from .masking import scrubbed
from .names import safe_path
from .remote import Listing, Piece, RemoteFile, TransientError
from .source import Source

LIST_TIMEOUT_S = 30.0

INSTALL = "pip install 'reactor-runtime[hf]'"


class Hub:
    """`huggingface_hub` knows the hub's API, its endpoint and tokens; the bytes are fetched as any other."""

    def __init__(self, source: Source) -> None:
        try:
            import huggingface_hub
        except ImportError:
            raise WeightsError(f"{source.shown} needs a library that is not installed: {INSTALL}.") from None
        self._library = huggingface_hub
        self._source = source
        self._repository = source.repository
        token = huggingface_hub.get_token()
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def listing(self) -> Listing:
        wanted = self._repository
        with self._translated():
            info: Any = self._library.HfApi(endpoint=environment.hub_endpoint()).repo_info(
                wanted.name,
                repo_type=wanted.kind,
                revision=wanted.revision,
                files_metadata=True,
                timeout=LIST_TIMEOUT_S,
            )
        prefix = f"{wanted.folder}/" if wanted.folder else ""
        files = tuple(
            self._file(each, each.rfilename.removeprefix(prefix), info.sha)
            for each in info.siblings or ()
            if each.rfilename.startswith(prefix)
        )
        return Listing(str(info.sha), files, pinned=True)

    def read(self, file: RemoteFile, start: int, end: int | None) -> Generator[Piece]:
        return read_range(file.address, self._headers, file, start, end)

    def _file(self, sibling: Any, path: str, commit: str) -> RemoteFile:
        sha256 = str(sibling.lfs["sha256"]) if sibling.lfs else ""
        git_sha1 = "" if sha256 else str(sibling.blob_id or "")
        address = self._library.hf_hub_url(
            self._repository.name,
            sibling.rfilename,
            repo_type=self._repository.kind,
            revision=commit,
            endpoint=environment.hub_endpoint(),
        )
        return RemoteFile(
            safe_path(path, self._source.shown),
            sibling.size,
            sha256 or git_sha1 or commit,
            address,
            sha256=sha256,
            git_sha1=git_sha1,
        )

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        from huggingface_hub import errors

        shown = self._source.shown
        try:
            yield
        except errors.GatedRepoError:
            raise WeightsError(
                f"{shown} is gated: accept its terms on its page, then log in with `hf auth login` "
                f"or HF_TOKEN."
            ) from None
        except errors.RepositoryNotFoundError:
            raise WeightsError(
                f"{shown} is not there, or not for you: look at its name, or log in with `hf auth login` or "
                "HF_TOKEN."
            ) from None
        except errors.RevisionNotFoundError:
            raise WeightsError(
                f"{shown} has no revision {self._repository.revision!r}; look at its name."
            ) from None
        except errors.OfflineModeIsEnabled:
            raise WeightsError(f"{shown} cannot be asked: HF_HUB_OFFLINE is set; unset it.") from None
        except errors.HFValidationError:
            raise WeightsError(f"{shown} is no repository; write hf://org/repo@revision.") from None
        except errors.HfHubHTTPError as error:
            raise _answered(shown, error) from None
        except (OSError, ConnectionError) as error:
            raise TransientError(f"{shown} cannot be reached: {scrubbed(str(error))}.") from None
        # Its HTTP client has exceptions of its own, and another release another client.
        except Exception as error:
            raise TransientError(f"{shown} cannot be asked: {scrubbed(str(error))}.") from error


def _answered(shown: str, error: Any) -> WeightsError:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status == 429 or status >= 500:
        return TransientError(f"{shown} answered {status}.")
    return WeightsError(f"{shown} answered {status}: {scrubbed(str(error)).splitlines()[0]}")
