from typing import Any, TypeVar

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

_Self = TypeVar("_Self", bound="_Network")

class _Network(BaseEstimator):  # type: ignore[misc]
    layers: str
    optimizer: str
    epochs: int
    batch: int
    random_state: int | RandomState | None
    program_: str
    parameters_: dict[str, NDArray[Any]]
    n_features_in_: int
    def __init__(
        self,
        layers: str = "Linear(32) |> relu",
        optimizer: str = "Adam(lr = 0.01)",
        epochs: int = 100,
        batch: int = 32,
        random_state: int | RandomState | None = None,
    ) -> None: ...
    def __sklearn_is_fitted__(self) -> bool: ...

class NnClassifier(ClassifierMixin, _Network):  # type: ignore[misc]
    classes_: NDArray[Any]
    def fit(self: _Self, X: ArrayLike, y: ArrayLike) -> _Self: ...
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]: ...
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...

class NnRegressor(RegressorMixin, _Network):  # type: ignore[misc]
    def fit(self: _Self, X: ArrayLike, y: ArrayLike) -> _Self: ...
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def __sklearn_tags__(self) -> Any: ...
