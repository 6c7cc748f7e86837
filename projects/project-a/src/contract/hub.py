"""Data and base models from the Hugging Face Hub, at a pinned revision and never at "whatever is newest"."""

from __future__ import annotations

import re
from pathlib import Path

from .problems import TrainingError

_REVISION = re.compile(r"[0-9a-f]{40}")


def snapshot(kind: str, repo: str | None, revision: str | None) -> Path:
    """The folder with all files of a repository. `kind` is "dataset" or "model". Raises TrainingError.

    The cache is at HF_HOME, the Hub at HF_ENDPOINT, a read token in the file that HF_TOKEN_PATH names. What is in the cache
    already is not asked for again: a revision never changes.
    """
    if not repo or not revision:
        raise TrainingError(f"config.yaml names no {kind} repository and revision; `make dataset` uploads data and pins it")
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision):
        raise TrainingError(f"{revision!r} is no pinned revision of {repo}: a commit of 40 hexadecimal digits is needed")
    from httpx2 import HTTPError
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(repo, repo_type=kind, revision=revision))
    except errors.RevisionNotFoundError as error:
        raise TrainingError(f"the {kind} {repo} has no revision {revision} (any more)") from error
    except errors.GatedRepoError as error:
        raise TrainingError(f"the {kind} {repo} is gated: ask for access on its page on the Hub") from error
    except errors.RepositoryNotFoundError as error:
        raise TrainingError(
            f"the Hub shows no {kind} {repo}: the name is wrong, or it is private and no read token may see it"
        ) from error
    except errors.HFValidationError as error:
        raise TrainingError(f"{repo!r} is no name of a repository on the Hub: {error}") from error
    except errors.LocalEntryNotFoundError as error:
        if isinstance(error.__cause__, errors.HfHubHTTPError):
            raise TrainingError(f"the Hub refuses the {kind} {repo}: {error.__cause__}") from error
        raise TrainingError(f"the Hub cannot be reached and revision {revision} of {repo} is not in the cache") from error
    except (errors.HfHubHTTPError, HTTPError, OSError) as error:
        raise TrainingError(f"the {kind} {repo} could not be read: {error}") from error
