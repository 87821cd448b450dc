"""`python -m bench.memory FOLDER`: the memory of one worker that answers with twelve models in turn.

FOLDER holds the bundles of a portal (`data/models/bundles`); its models are taken again under other names until there
are twelve, more than the cache may keep. One line every twenty predictions: resident MB, and how many are loaded.
"""

import sys
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from classifier.inference import bundle as bundles
from classifier.inference.cache import ClassifierCache
from classifier.inference.classifier import Classifier, load, run
from classifier.inference.input.clinical import Clinical

MODELS, PREDICTIONS, EVERY = 12, 200, 20
LIMIT_BYTES = 600 * 1000 * 1000


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _loaded(path: Path) -> Classifier:
    return load(bundles.read(path))


def main(folder: Path) -> None:
    paths = list(islice(cycle(sorted(folder.iterdir())), MODELS))
    cache = ClassifierCache(LIMIT_BYTES)
    picture = np.random.default_rng(0).integers(0, 256, (450, 600, 3), np.uint8)
    for number in range(PREDICTIONS):
        place = number % MODELS
        classifier, _ms = cache.get(str(place), partial(_loaded, paths[place]))
        run(classifier, [picture], [Clinical()])
        if (number + 1) % EVERY == 0:
            loaded = sum(cache.has(str(place)) for place in range(MODELS))
            print(f"{number + 1:4} predictions: {resident_mb():6.0f} MB, {loaded} models loaded", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
