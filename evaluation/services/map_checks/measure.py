"""What a worker does with a map check: time slices that give way to people, each figure measured once."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from django.db import transaction

from classifier.inference import bundle, classifier
from classifier.inference.explain import randomise
from classifier.inference.input.preprocess import region
from classifier.services.predictions.predict import load_classifier
from classifier.services.predictions.waiting import batch_size
from evaluation.metrics.maps import perturbation, similarity
from evaluation.metrics.maps.credibility import KINDS, centre_gaussian, located, shuffle
from evaluation.metrics.maps.rules import SEEDS
from evaluation.metrics.sample import Booleans, Floats
from evaluation.models import LabelledImage, MapCheck, MapFigure
from evaluation.services.data_sets import read_image
from evaluation.services.map_checks.at_admission import people_are_here
from evaluation.services.map_checks.document import CHANGES, MAP, document_of, drawn_of, randomised
from skinsite.jobs import Failure
from skinsite.jobs.turns import Fields, TimeSlice, run_slice

LARGEST_BATCH = 16


def run_map_check(*, check_id: int, alone: bool = False) -> None:
    run_slice(MapMeasuring, check_id, alone=alone)


class MapMeasuring(TimeSlice):
    """First the maps, then the randomised networks, then the changed pictures."""

    kind = MapCheck
    job: MapCheck

    @classmethod
    def must_wait(cls, job: MapCheck, queue: str) -> bool:
        """At admission nobody waits for the check: it gives way to everybody who is here."""
        return people_are_here() if job.at_admission else super().must_wait(job, queue)

    def run(self) -> Fields:
        self.counted = self.began
        self.batch = batch_size(self.job.model, LARGEST_BATCH)
        self.begin()
        self.drawn = drawn_of(self.job, between=lambda: self.make_way(amid=True))
        self.loaded, _ = load_classifier(self.job.model)
        self.spec = self.loaded.manifest.input
        own = bundle.read(self.job.model.bundle_path)
        parts = [(share, seed) for share in randomise.shares(own) for seed in range(SEEDS)]
        steps = len(self.drawn.mapped) + len(parts) * len(self.drawn.randomised) + len(self.drawn.changed)
        self.save(total=steps, done=self.job.figures.count())
        self._maps()
        kept = self._kept(MAP)
        for share, seed in parts:
            self._randomised(own, share, seed, kept)
        self._changes(kept)
        found = {part: self._kept(part) for part in (MAP, CHANGES, *(randomised(*part) for part in parts))}
        return {"document": document_of(self.job, self.drawn, found, self.loaded.layer or "").to_json()}

    def _maps(self) -> None:
        """The map of the predicted class and where its heat lies."""
        for images in self._missing(MAP, self.drawn.mapped, self.batch):
            pixels = [read_image.pixels_of(image) for image in images]
            answer = classifier.run(self.loaded, pixels, [read_image.clinical_of(image) for image in images])
            predicted = self._finite(answer.probabilities).argmax(axis=1)
            grids = _maps_of(answer)[np.arange(len(images)), predicted]
            self._keep(
                MAP,
                {
                    image.pk: {"class": int(place), "grid": _numbers(grid), **self._located(image, grid)}
                    for image, place, grid in zip(images, predicted, grids, strict=True)
                },
            )

    def _located(self, image: LabelledImage, grid: Any) -> dict[str, Any]:
        if image.pk not in self.drawn.masked or not np.isfinite(grid).all():
            return {}
        mask = read_image.mask_of(image)
        found = located(grid, region(self.spec, *mask.shape), mask, self._dice(image.pk))
        if found is None:
            return {"located": None}
        return {"located": {"area": found.area, "share": found.share, "pointing": found.pointing}}

    def _randomised(self, own: bundle.Bundle, share: float, seed: int, kept: dict[int, Any]) -> None:
        """How like the map is to that of a network whose last layers know nothing."""
        part, network = randomised(share, seed), None
        for images in self._missing(part, self.drawn.randomised, self.batch):
            if network is None:
                network = classifier.load(randomise.randomised(own, share, seed))
            inputs, vectors = self._inputs(images)
            maps = _maps_of(network.predict(inputs, vectors))
            self._keep(
                part,
                {image.pk: self._likeness(kept[image.pk], found) for image, found in zip(images, maps, strict=True)},
            )

    @staticmethod
    def _likeness(kept: dict[str, Any], maps: Any) -> dict[str, Any]:
        """Of the kept map to that of the same class among maps (C, rows, columns); says where one is not finite."""
        one, other = _grid(kept), maps[kept["class"]]
        finite = similarity.is_finite(one) and similarity.is_finite(other)
        return {"likeness": similarity.spearman(one, other)} | ({} if finite else {"not_finite": True})

    def _changes(self, kept: dict[int, Any]) -> None:
        """What the answer does when the picture is taken away in the map's order; is the map stable?"""
        for (image,) in self._missing(CHANGES, self.drawn.changed, 1):
            grid = _grid(kept[image.pk])
            if not similarity.can_be_used(grid):
                self._keep(CHANGES, {image.pk: {}})
                continue
            dice = self._dice(image.pk)
            inputs, vectors = self._inputs([image])
            seen = _seen(region(self.spec, image.height, image.width), image, inputs.shape[1:3])
            found = self._games(inputs[0], seen, vectors, grid, kept[image.pk]["class"], dice)
            changed = similarity.changed(inputs[0], dice)
            maps = self._answers(changed.values(), vectors, maps=True)[1][:, kept[image.pk]["class"]]
            found["stability"] = {
                name: similarity.stability(grid, after, name) for name, after in zip(changed, maps, strict=True)
            }
            self._keep(CHANGES, {image.pk: found})

    def _games(
        self, inputs: Any, seen: Booleans, vectors: Any, grid: Any, place: int, dice: np.random.Generator
    ) -> dict[str, Any]:
        """Deletion, insertion and ROAD in the order of the map, of the bell and of the shuffled map."""
        blocks = perturbation.Blocks(inputs, seen)
        others = {"map": grid, "gaussian": centre_gaussian(np.maximum(grid, 0)), "random": shuffle(grid, dice)}
        orders = {name: blocks.order(others[name], dice) for name in KINDS}

        def answer(pictures: Iterable[Any]) -> Floats:
            return self._answers(pictures, vectors, maps=False)[0][:, place]

        return {
            "deletion": {name: perturbation.deletion(blocks, order, answer) for name, order in orders.items()},
            "insertion": {name: perturbation.insertion(blocks, order, answer) for name, order in orders.items()},
            "road": {name: perturbation.road(blocks, order, answer, dice) for name, order in orders.items()},
        }

    def _answers(self, pictures: Iterable[Any], vectors: Any, *, maps: bool) -> tuple[Floats, Any]:
        """Return probabilities (n, C) and maps (n, C, rows, columns) or None, giving way between batches."""
        probabilities, found = [], []
        waiting = iter(pictures)
        while batch := list(islice(waiting, self.batch)):
            self.make_way(amid=True)
            known = None if vectors is None else np.repeat(vectors, len(batch), axis=0)
            answer = self.loaded.predict(np.ascontiguousarray(np.stack(batch)), known, maps=maps)
            probabilities.append(self._finite(answer.probabilities))
            found += [_maps_of(answer)] if maps else []
        return np.concatenate(probabilities), np.concatenate(found) if maps else None

    def _finite(self, probabilities: Floats) -> Floats:
        if not np.isfinite(probabilities).all():
            message = f"{self.job.model} answers with what is no finite number, so its maps cannot be measured."
            raise Failure("not-finite", message, "An administrator must look at the model.")
        return probabilities

    def _inputs(self, images: Sequence[LabelledImage]) -> tuple[Any, Any]:
        pixels = [read_image.pixels_of(image) for image in images]
        return classifier.prepared(pixels, [read_image.clinical_of(image) for image in images], self.spec)

    def _missing(self, part: str, images: Sequence[LabelledImage], size: int) -> Iterator[list[LabelledImage]]:
        done = set(self.job.figures.filter(part=part).values_list("image", flat=True))
        waiting = iter([image for image in images if image.pk not in done])
        while batch := list(islice(waiting, size)):
            self.take_in_hand()
            yield batch
            self.make_way()

    def _keep(self, part: str, values: dict[int, Any]) -> None:
        now = time.monotonic()
        self.job.busy_seconds += now - self.counted
        self.job.done += len(values)
        self.counted = now
        rows = [MapFigure(check_of=self.job, part=part, image=image, values=found) for image, found in values.items()]
        with transaction.atomic():
            MapFigure.objects.bulk_create(rows)
            self.advance(done=self.job.done, busy_seconds=self.job.busy_seconds)

    def _kept(self, part: str) -> dict[int, Any]:
        return dict(self.job.figures.filter(part=part).values_list("image", "values"))

    def _dice(self, image: int) -> np.random.Generator:
        """The same throws for a picture in every turn."""
        return np.random.default_rng((self.job.seed, image))


def _maps_of(answer: classifier.Answer) -> Any:
    if answer.maps is None:
        message = "The model draws no maps, although its record names a layer."
        raise Failure("no-maps", message, "An administrator must register the model again.")
    return answer.maps


def _numbers(grid: Any) -> list[list[float | None]]:
    """A grid as JSON: four digits do, and what is no number is null."""
    return [[float(f"{value:.5g}") if np.isfinite(value) else None for value in row] for row in grid.tolist()]


def _grid(kept: dict[str, Any]) -> Floats:
    return np.array(kept["grid"], np.float64)


def _seen(covered: tuple[float, float, float, float], image: LabelledImage, size: Sequence[int]) -> Booleans:
    """Return (height, width) of the network's input: True where it shows the picture and no padding."""
    left, top, right, bottom = covered
    y = top + (np.arange(size[0]) + 0.5) / size[0] * (bottom - top)
    x = left + (np.arange(size[1]) + 0.5) / size[1] * (right - left)
    return np.outer((y >= 0) & (y < image.height), (x >= 0) & (x < image.width))
