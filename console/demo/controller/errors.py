"""Why the controller refuses. A front turns each into the status that Jenkins answers (README of the recordings)."""

from __future__ import annotations


class RefusedError(Exception):
    """The state does not allow it; nothing was changed."""


class MissingError(RefusedError):
    """There is no such item, build, node, queue item or question: 404."""


class NotBuildableError(RefusedError):
    """The job is disabled or its branch is gone: 409."""


class NotParameterizedError(RefusedError):
    """`buildWithParameters` on a job that has, or knows, no parameters: 500."""


class AlreadyCancelledError(RefusedError):
    """The queue item has left the queue already: 500."""


class KeptError(RefusedError):
    """A build that is kept cannot be deleted: 400 with the reason in X-Error."""


class NoQuestionError(RefusedError):
    """Nothing pends under that id, or the answer does not fit: 500 for wfapi, and the step keeps waiting."""


class NotAllowedError(RefusedError):
    """The person may not answer this question."""
