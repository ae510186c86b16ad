"""Estimators of scikit-learn: a network of layers of nnc, in pipelines, grid searches and cross-validation.

>>> from nnc.sklearn import NnClassifier
>>> NnClassifier("Linear(32) |> relu", epochs=50).fit(X, y).score(X, y)       # doctest: +SKIP
"""

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

import nnc

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before version 1.6

    def validate_data(estimator, *arguments, **options):
        return estimator._validate_data(*arguments, **options)


_PROGRAM = """\
model Net(x: [B, {features}]) -> [B, {outputs}] {{ x {layers} |> Linear({outputs}) }}

data rows {{
    x: [{features}]
    y: {target}
}}

train {{
    data     = rows
    minimize {loss}(Net(x), y) with {optimizer}
    batch    = {batch}
    epochs   = {epochs}
    seed     = {seed}
}}
"""


class _Network(BaseEstimator):
    def __init__(self, layers="Linear(32) |> relu", optimizer="Adam(lr = 0.01)", epochs=100, batch=32, random_state=None):
        self.layers = layers
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch = batch
        self.random_state = random_state

    def _train(self, X, y, outputs, target, loss):
        self._mean = X.mean(axis=0)
        deviation = X.std(axis=0)
        self._deviation = numpy.where(deviation > 0, deviation, 1.0)
        layers = self.layers.strip()
        self.program_ = _PROGRAM.format(
            features=X.shape[1],
            outputs=outputs,
            layers=f"|> {layers}" if layers else "",
            target=target,
            loss=loss,
            optimizer=self.optimizer,
            batch=max(1, min(self.batch, X.shape[0])),
            epochs=self.epochs,
            seed=check_random_state(self.random_state).randint(2**31 - 1),
        )
        session = nnc.compile(self.program_).session(rows={"x": self._scaled(X), "y": y})
        session.train()
        self.parameters_ = session.parameters()
        self._session = session

    def _scaled(self, X):
        return ((X - self._mean) / self._deviation).astype(numpy.float32)

    def _results(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=numpy.float64)
        if getattr(self, "_session", None) is None:
            rows = {"x": numpy.zeros((1, X.shape[1]), numpy.float32), "y": self._row}
            self._session = nnc.compile(self.program_).session(rows=rows)
            for path, values in self.parameters_.items():
                self._session.set_parameter(path, values)
        return self._session.predict("Net", self._scaled(X)).astype(numpy.float64)

    def __getstate__(self):
        state = super().__getstate__()
        # A session is made again out of its parameters.
        return {name: value for name, value in state.items() if name != "_session"}

    def __sklearn_is_fitted__(self):
        return hasattr(self, "n_features_in_") and hasattr(self, "_fitted")


class NnClassifier(ClassifierMixin, _Network):
    """A classifier: `layers`, then a linear layer with an output for each class; cross entropy is minimised."""

    def fit(self, X, y):
        """Trains the network; gives the estimator."""
        X, y = validate_data(self, X, y, dtype=numpy.float64)
        check_classification_targets(y)
        self.classes_, numbers = numpy.unique(y, return_inverse=True)
        self._row = numpy.zeros(1, numpy.int32)
        if len(self.classes_) > 1:
            classes = len(self.classes_)
            self._train(X, numbers.astype(numpy.int32), classes, f"class({classes})", "cross_entropy")
        self._fitted = True
        return self

    def predict_proba(self, X):
        """The probability of each class, in the order of `classes_`."""
        check_is_fitted(self)
        if len(self.classes_) == 1:
            X = validate_data(self, X, reset=False, dtype=numpy.float64)
            return numpy.ones((X.shape[0], 1))
        scores = self._results(X)
        powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X):
        """The most probable class of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


class NnRegressor(RegressorMixin, _Network):
    """A regressor: `layers`, then a linear layer with an output for each target; squared errors are minimised."""

    def fit(self, X, y):
        """Trains the network; gives the estimator."""
        X, y = validate_data(self, X, y, dtype=numpy.float64, multi_output=True, y_numeric=True)
        y = numpy.asarray(y, dtype=numpy.float64)
        self._is_single = y.ndim == 1
        targets = y.reshape(len(y), -1)
        self._target_mean = targets.mean(axis=0)
        deviation = targets.std(axis=0)
        self._target_deviation = numpy.where(deviation > 0, deviation, 1.0)
        scaled = ((targets - self._target_mean) / self._target_deviation).astype(numpy.float32)
        self._row = scaled[:1]
        self._train(X, scaled, targets.shape[1], f"[{targets.shape[1]}]", "mse")
        self._fitted = True
        return self

    def predict(self, X):
        """The targets of each row."""
        results = self._results(X) * self._target_deviation + self._target_mean
        return results[:, 0] if self._is_single else results

    def _more_tags(self):
        # What the tags below are before version 1.6.
        return {"multioutput": True}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags
