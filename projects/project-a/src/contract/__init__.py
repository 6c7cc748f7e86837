"""What the platform asks of a training, as a library: environment, events, stop, checkpoints, Hub, model card.

docs/projects.md says what the platform sees. These files are the same in every project: a project is self-contained, so it
carries them, and a test of the repository holds the copies equal.
"""

from .card import Comparison, ModelCard
from .checkpoints import State
from .hub import snapshot
from .problems import TrainingError
from .run import Run, main
from .settings import settings
from .stop import Stopped

__all__ = ["Comparison", "ModelCard", "Run", "State", "Stopped", "TrainingError", "main", "settings", "snapshot"]
