"""The estimators in scikit-learn's checks and tools."""

import numpy
import pytest

pytest.importorskip("sklearn")

from joblib import parallel_config
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nnc.sklearn import NnClassifier, NnRegressor


@parametrize_with_checks([NnClassifier(), NnRegressor()])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_pipelines_and_searches():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NnClassifier(epochs=30, random_state=0))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9
    search = GridSearchCV(NnClassifier(epochs=10, random_state=0), {"layers": ["", "Linear(8) |> tanh"]}, cv=2)
    assert search.fit(X, y).best_params_["layers"] in ("", "Linear(8) |> tanh")
    X, y = load_diabetes(return_X_y=True)
    assert NnRegressor(epochs=30, random_state=0).fit(X, y).score(X, y) > 0.4


def test_searches_in_several_processes():
    X, y = load_iris(return_X_y=True)
    NnClassifier(epochs=2, random_state=0).fit(X, y)
    for backend in ("loky", "multiprocessing"):
        with parallel_config(backend=backend, n_jobs=2):
            search = GridSearchCV(NnClassifier(epochs=5, random_state=0), {"batch": [16, 32]}, cv=2)
            assert search.fit(X, y).best_score_ > 0.5
