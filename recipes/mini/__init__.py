"""The recipe that makes the embedded model (models/textbind-mini) from registry packages, with the product's trainer.

Run from the repository's root: ``python -m recipes.mini.build``. Nothing here ships.
"""

import importlib.util
import os
import sys
from pathlib import Path

_trainer = Path(__file__).parents[2] / "resources" / "trainer"
if importlib.util.find_spec("textbind_trainer") is None:
    # The steps are programs of their own: they and the trainer's scripts must find the package too.
    sys.path.append(str(_trainer))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(_trainer)]))
