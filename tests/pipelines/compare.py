"""The same split, the same preparation, the same kind of model: nnc, scikit-learn and PyTorch.

Three pieces of work: a table with missing values and categories, pictures of digits, a monthly series. In each, nnc is
used as from a terminal (`nnc run`, `nnc predict`), on files that this script makes. Three things are compared:

- predictions of the trained network with those that PyTorch computes from the same parameters, after scikit-learn has
  prepared the rows: they must agree to 1e-5;
- where what is minimized has one least point, predictions with those of the other's own training;
- how good the predictions for rows are that nobody has learnt from.

    python tests/pipelines/compare.py NNC
"""

import csv
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from safetensors.numpy import load_file
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.simplefilter("ignore", ConvergenceWarning)
NNC = os.path.abspath(sys.argv[1])
failures = []


def nnc(*arguments):
    done = subprocess.run([NNC, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"nnc {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done.stdout


def write(path, names, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def agree(what, ours, theirs, bound):
    worst = float(np.max(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))))
    print(f"    {what}: differ by {worst:.1e} at most")
    if not worst <= bound:
        failures.append(f"{what}: {worst} is more than {bound}")


def show(what, **scores):
    print(f"    {what}: " + ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))


def not_worse(what, ours, theirs, by):
    if ours < theirs - by:
        failures.append(f"{what}: nnc {ours:.3f}, the best of the others {theirs:.3f}")


def probabilities(path):
    names, rows = read(path)
    return [row[0] for row in rows], np.array([[float(cell) for cell in row[1:]] for row in rows]), names


def network(parameters, x):
    """The layers `linear1`, `linear2`, … with relu between them."""
    x = torch.from_numpy(x.astype(np.float32))
    count = sum(f"linear{number}.weight" in parameters for number in range(1, 9))
    for number in range(1, count + 1):
        weight, bias = (torch.from_numpy(parameters[f"linear{number}.{part}"]) for part in ("weight", "bias"))
        x = torch.nn.functional.linear(x, weight, bias)
        x = torch.relu(x) if number < count else x
    return x


def trained_by_torch(x, y, classes, epochs, width=32, rate=0.01):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], width), torch.nn.ReLU(), torch.nn.Linear(width, classes))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    x, y = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return lambda new: model(torch.from_numpy(new.astype(np.float32))).argmax(1).numpy()


# ------------------------------------------------------------------------------------------------------- a table

NUMBERS, NAMES = ["bill", "flipper", "mass"], ["island", "sex"]


def birds(count, random):
    kind = random.integers(0, 3, count)
    numbers = np.stack([
        random.normal(np.array([39, 47, 46])[kind], 3),
        random.normal(np.array([190, 216, 197])[kind], 7),
        random.normal(np.array([3700, 5050, 3750])[kind], 450),
    ], 1)
    island = np.where(random.random(count) < 0.6, np.array(["Dream", "Biscoe", "Torgersen"])[kind],
                      random.choice(["Dream", "Biscoe", "Torgersen"], count))
    sex = random.choice(["female", "male"], count)
    rows = []
    for row in range(count):
        cells = ["" if random.random() < 0.05 else f"{number:.2f}" for number in numbers[row]]
        rows.append([*cells, island[row], sex[row], ["Adelie", "Gentoo", "Chinstrap"][kind[row]]])
    return rows


TABLE = """
data birds = csv("train.csv") {
    x: [3] = standardize(fill(columns("bill", "flipper", "mass"), mean))
    island: class(3) = column("island")
    sex: class(2) = column("sex")
    kind: class(3) = column("kind")
}
model Net(x: [B, 3], island: int[B], sex: int[B]) -> [B, 3] {
    concat([x, one_hot(island, 3), one_hot(sex, 2)], axis = 1) |> LAYERS
}
train {
    data     = birds
    minimize cross_entropy(Net(x, island, sex), kind) PENALTYwith Adam(lr = RATE)
    batch    = BATCH
    epochs   = EPOCHS
}
"""


def prepared(rows):
    numbers = np.array([[float(cell) if cell else np.nan for cell in row[:3]] for row in rows])
    return numbers, np.array([row[3:5] for row in rows], dtype=object)


def a_table():
    print("a table with missing values and categories, 300 rows to learn from and 200 others")
    random = np.random.default_rng(7)
    train, test = birds(300, random), birds(200, random)
    write("train.csv", [*NUMBERS, *NAMES, "kind"], train)
    # New rows in a file of their own, without what is to be predicted.
    write("test.csv", [*NUMBERS, *NAMES], [row[:-1] for row in test])
    kinds = sorted({row[-1] for row in train})
    y, truth = (np.array([kinds.index(row[-1]) for row in rows]) for rows in (train, test))
    numbers = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler())
    prepare = ColumnTransformer([("n", numbers, [0, 1, 2]), ("c", OneHotEncoder(), [3, 4])])
    as_table = lambda rows: np.array([[*n, *c] for n, c in zip(*prepared(rows))], dtype=object)
    x, new = prepare.fit_transform(as_table(train)).astype(float), prepare.transform(as_table(test)).astype(float)

    program = TABLE.replace("LAYERS", "Linear(32) |> relu |> Linear(3)").replace("PENALTY", "")
    program = program.replace("RATE", "0.01").replace("BATCH", "32").replace("EPOCHS", "60")
    open("table.nn", "w").write(program)
    nnc("run", "table.nn", "--out", "table")
    nnc("predict", "table", "test.csv", "-o", "out.csv")
    names, ours, _ = probabilities("out.csv")
    theirs = torch.softmax(network(load_file("table/last.safetensors"), new), 1).numpy()
    agree("probabilities and those of PyTorch with the same parameters", ours, theirs, 1e-5)
    accuracy = lambda classes: float(np.mean(classes == truth))
    of_nnc = accuracy(np.array([kinds.index(name) for name in names]))
    of_sklearn = accuracy(MLPClassifier((32,), max_iter=60, batch_size=32, learning_rate_init=0.01, random_state=0)
                          .fit(x, y).predict(new))
    of_torch = accuracy(trained_by_torch(x, y, 3, 60)(new))
    show("accuracy of a network", nnc=of_nnc, sklearn=of_sklearn, torch=of_torch)
    not_worse("the table", of_nnc, max(of_sklearn, of_torch), 0.03)

    # Logistic regression has one least point: both find it.
    program = TABLE.replace("LAYERS", "Linear(3, bias = false)").replace("BATCH", "300").replace("EPOCHS", "4_000")
    program = program.replace("PENALTY", "+ 0.5 / 300 * sum(Net.linear1.weight ^ 2) ").replace("RATE", "0.02")
    open("logistic.nn", "w").write(program)
    nnc("run", "logistic.nn", "--out", "logistic")
    nnc("predict", "logistic", "test.csv", "-o", "logistic.csv")
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=10_000, tol=1e-8).fit(x, y)
    agree("logistic regression and that of scikit-learn", probabilities("logistic.csv")[1], model.predict_proba(new), 1e-3)


# ------------------------------------------------------------------------------------------------------ pictures

DIGITS = """
data digits = csv("digits.csv") {
    x: [64] = columns(0:64) / 16
    digit: class(10) = column("digit")
}
model Net(x: [B, 64]) -> [B, 10] { x |> Linear(32) |> relu |> Linear(10) }
train {
    data     = digits
    minimize cross_entropy(Net(x), digit) with Adam(lr = 0.01)
    batch    = 32
    epochs   = 40
}
"""


def digits():
    print("pictures of digits, 1200 to learn from and 597 others")
    images = load_digits()
    order = np.random.default_rng(3).permutation(len(images.target))
    x, y = images.data[order], images.target[order]
    names = [f"p{at}" for at in range(64)]
    write("digits.csv", [*names, "digit"], [[*map(int, row), digit] for row, digit in zip(x[:1200], y[:1200])])
    write("new.csv", names, [list(map(int, row)) for row in x[1200:]])
    open("digits.nn", "w").write(DIGITS)
    nnc("run", "digits.nn", "--out", "digits")
    nnc("predict", "digits", "new.csv", "-o", "digits-out.csv")
    names, ours, _ = probabilities("digits-out.csv")
    x = x / 16
    theirs = torch.softmax(network(load_file("digits/last.safetensors"), x[1200:]), 1).numpy()
    agree("probabilities and those of PyTorch with the same parameters", ours, theirs, 1e-5)
    accuracy = lambda classes: float(np.mean(classes == y[1200:]))
    of_nnc = accuracy(np.array(list(map(int, names))))
    of_sklearn = accuracy(MLPClassifier((32,), max_iter=40, batch_size=32, learning_rate_init=0.01, random_state=0)
                          .fit(x[:1200], y[:1200]).predict(x[1200:]))
    of_torch = accuracy(trained_by_torch(x[:1200], y[:1200], 10, 40)(x[1200:]))
    show("accuracy of a network", nnc=of_nnc, sklearn=of_sklearn, torch=of_torch)
    not_worse("the digits", of_nnc, max(of_sklearn, of_torch), 0.02)


# ------------------------------------------------------------------------------------------------------ a series

SERIES = """
data sales = csv("sales.csv") {
    level = standardize(log(column("sold")))
    past: [12] = window(level, 12)
    future: [12] = window(level, 12, shift = 12)
}
model Net(past: [B, 12]) -> [B, 12] { past |> Linear(12) }
train {
    data     = sales
    minimize mse(Net(past), future) with Adam(lr = cosine(0.02, total = 6_000))
    batch    = 1_000
    steps    = 6_000
}
"""


def a_series():
    print("a monthly series, 12 years to learn from and the year after them")
    random = np.random.default_rng(5)
    month = np.arange(156)
    sold = 120 * np.exp(0.009 * month + 0.25 * np.sin(2 * np.pi * month / 12) + random.normal(0, 0.03, 156))
    write("sales.csv", ["month", "sold"], [[int(at), f"{sold[at]:.3f}"] for at in range(144)])
    write("last.csv", ["month", "sold"], [[int(at), f"{sold[at]:.3f}"] for at in range(120, 144)])
    open("sales.nn", "w").write(SERIES)
    nnc("run", "sales.nn", "--out", "sales")
    nnc("predict", "sales", "last.csv", "--last", "-o", "sales-out.csv")
    ours = np.array(read("sales-out.csv")[1][0], float)
    level = np.log([float(f"{value:.3f}") for value in sold[:144]])
    mean, deviation = level.mean(), level.std()
    level = (level - mean) / deviation
    rows = range(144 - 23)
    past, future = (np.array([level[row + shift:row + shift + 12] for row in rows]) for shift in (0, 12))
    back = lambda values: np.exp(np.asarray(values, float) * deviation + mean)
    theirs = back(network(load_file("sales/last.safetensors"), level[None, 132:])[0].detach().numpy())
    agree("forecasts and those of PyTorch with the same parameters, relative", ours / theirs, np.ones(12), 1e-5)
    linear = back(LinearRegression().fit(past, future).predict(level[None, 132:])[0])
    agree("forecasts and those of linear regression, relative", ours / linear, np.ones(12), 1e-3)
    error = lambda values: float(np.mean(np.abs(values / sold[144:] - 1)))
    show("mean error of the year after, relative", nnc=error(ours), sklearn=error(linear))


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    a_table()
    digits()
    a_series()
if failures:
    sys.exit("\n".join(["", *failures]))
