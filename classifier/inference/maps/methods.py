"""Heat maps from a layer's features and a class's gradient there: one small class for each method."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
EPSILON = 1e-6

_methods: dict[str, "Method"] = {}


class Method(ABC):
    """`per_class` is False where the map is the same for every class.

    `linear`: linear in the gradient, so that the map of a difference of two scores is the difference of their maps.
    `on_normed_tokens` is False where a normalisation that alone follows the tokens leaves nothing of the map.
    """

    name: str
    label: str
    about: str
    per_class = True
    linear = False
    on_normed_tokens = True

    def __init_subclass__(cls) -> None:
        _methods[cls.name] = cls()

    @abstractmethod
    def map(self, features: Floats, gradient: Floats) -> Floats:
        """Return signed maps (N, rows, columns) from features and gradient, (N, rows, columns, K) each."""


def method(name: str) -> Method:
    """Raises KeyError for a name that is none of `names()`."""
    return _methods[name]


def names() -> tuple[str, ...]:
    return tuple(_methods)


class GradCam(Method):
    """Source: Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2 without the ReLU."""

    name = "grad-cam"
    label = "Grad-CAM"
    about = "Features of the last spatial layer, each weighted by its mean gradient."
    linear = True

    def map(self, features: Floats, gradient: Floats) -> Floats:
        return _weighted(features, gradient.mean(axis=(1, 2)))


class GradCamPlusPlus(Method):
    """Source: Chattopadhay et al. 2018, arXiv:1710.11063, equation 19 with the gradient of the score itself."""

    name = "grad-cam++"
    label = "Grad-CAM++"
    about = "As Grad-CAM, but places where a feature helps count more: better for several spots of one class."

    def map(self, features: Floats, gradient: Floats) -> Floats:
        square = gradient**2
        sums = features.sum(axis=(1, 2), keepdims=True)
        alpha = np.where(gradient != 0, square / (2 * square + sums * square * gradient + EPSILON), 0)
        return _weighted(features, (np.maximum(gradient, 0) * alpha).sum(axis=(1, 2)))


class HiResCam(Method):
    """Source: Draelos and Carin 2020, arXiv:2011.08891: what each place adds, exact for a linear head."""

    name = "hirescam"
    label = "HiResCAM"
    about = (
        "Each place's features times its own gradient: shows only places that the score was made from."
        " Equal to Grad-CAM where the network ends with a mean and one linear layer."
    )
    linear = True
    on_normed_tokens = False

    def map(self, features: Floats, gradient: Floats) -> Floats:
        return np.asarray((features * gradient).sum(axis=-1))


class EigenCam(Method):
    """Source: Muhammad and Yeasin 2020, arXiv:2008.00299: the first principal component, turned to rise with energy."""

    name = "eigen-cam"
    label = "Eigen-CAM"
    about = "The strongest pattern in the features, whatever the class: uses no gradient."
    per_class = False

    def map(self, features: Floats, gradient: Floats) -> Floats:
        if not np.isfinite(features).all():
            return np.full(features.shape[:-1], np.nan, np.float32)
        return np.stack([self._component(picture) for picture in features])

    def _component(self, features: Floats) -> Floats:
        flat = features.reshape(-1, features.shape[-1])
        centred = flat - flat.mean(axis=0)
        direction = np.linalg.svd(centred, full_matrices=False)[2][0]
        found = centred @ direction
        rises = float(found @ np.linalg.norm(flat, axis=1)) >= 0
        return np.asarray((found if rises else -found).reshape(features.shape[:2]), np.float32)


def _weighted(features: Floats, weights: Floats) -> Floats:
    """Return the sum over channels of features (N, rows, columns, K) times weights (N, K)."""
    return np.asarray(np.einsum("nrck,nk->nrc", features, weights, optimize=True))
