"""Pictures of a recipe in clusters, by spherical k-means over their vectors (faiss), the same for the same seed.

Run: ``python -m textbind_trainer.clusters DIR --clusters K [--seed S]``, where DIR is what ``recipe_pictures`` filled;
K 0: about one for twelve pictures. Writes ``clusters.json`` (``of``: the cluster of each picture) and ends with an
event ``clustered``: ``sizes``. PyTorch is not loaded: on Macs its OpenMP and that of faiss do not live in one process.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .events import claim_stdout, emit, tell
from .faults import TrainerError
from .files import write_json
from .protocol import Failed

PICTURES_IN_A_CLUSTER = 12
ROUNDS = 25


def read_vectors(folder: Path) -> NDArray[np.float32]:
    """[pictures, width]. TrainerError("data") where there are none yet."""
    try:
        width = json.loads((folder / "features.json").read_text(encoding="utf-8"))["width"]
        vectors = np.fromfile(folder / "features.f32", "<f4").reshape(-1, width)
    except (OSError, ValueError, KeyError) as error:
        raise TrainerError("data", f"{folder}: its pictures were not looked at yet: {error}") from error
    return np.ascontiguousarray(vectors, np.float32)


def clusters(vectors: NDArray[np.float32], count: int, seed: int) -> list[int]:
    """The cluster of each vector, the largest cluster first. ``count`` 0: by the number of vectors."""
    import faiss

    wanted = count or max(1, round(len(vectors) / PICTURES_IN_A_CLUSTER))
    if wanted > len(vectors):
        raise TrainerError(
            "config", f"{wanted} clusters of {len(vectors)} pictures: more clusters than pictures"
        )
    # Sums in another order on more threads would give another clustering.
    faiss.omp_set_num_threads(1)
    means = faiss.Kmeans(
        vectors.shape[1], wanted, niter=ROUNDS, nredo=3, seed=seed % 2**31, spherical=True,
        min_points_per_centroid=1, max_points_per_centroid=256,
    )  # fmt: skip
    means.train(vectors)
    of = means.index.search(vectors, 1)[1].ravel().tolist()
    sizes = [of.count(cluster) for cluster in range(wanted)]
    ranks = {
        cluster: at for at, cluster in enumerate(sorted(range(wanted), key=lambda each: (-sizes[each], each)))
    }
    return [ranks[cluster] for cluster in of]


def main(argv: list[str] | None = None) -> int:
    """Command line: 0; 2 where there is nothing to put in clusters."""
    parser = argparse.ArgumentParser(description="Puts the pictures of a recipe into clusters")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clusters", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    try:
        of = clusters(read_vectors(given.folder), given.clusters, given.seed)
    except TrainerError as error:
        tell(Failed(kind=error.kind, message=str(error)))
        return 2
    except ModuleNotFoundError as error:
        message = (
            f'{error}: this Python lacks a package of requirements.txt; "Repair" under Training fetches it'
        )
        tell(Failed(kind="config", message=message))
        return 2
    write_json(given.folder / "clusters.json", {"seed": given.seed, "of": of})
    emit("clustered", sizes=[of.count(cluster) for cluster in range(max(of) + 1)])
    return 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
