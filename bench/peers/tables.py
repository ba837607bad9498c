"""The peers of bench/tables, and the arithmetic of its scores: one process a table, JSON lines on stdout.

    tables.py export NAME FILE            writes a table that comes with scikit-learn as CSV, its target last
    tables.py fit TABLE TARGET REPEATS    fits every peer on every fold of the columns fold0, fold1 …
    tables.py score TABLE TARGET ANSWERS REPEAT FOLD SEED   the score of our answers for one fold

Scores: log-loss for classes, root mean squared error for numbers. Peers get what their documentation asks for: numbers
standardised and categories one-hot for the network and the linear model, categories marked for the boosted trees."""
import json
import sys
import time
import warnings

import numpy
import pandas
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")


def export(name, file):
    from sklearn import datasets
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table.columns = [str(c).replace(" ", "_") for c in table.columns]
    table.to_csv(file, index=False)


def read(file, target):
    table = pandas.read_csv(file)
    inputs = [c for c in table if c != target and not c.startswith("fold")]
    words = [c for c in inputs if not pandas.api.types.is_numeric_dtype(table[c])]
    return table, inputs, words


def is_class(table, target):
    return not pandas.api.types.is_numeric_dtype(table[target])


def log_loss(probabilities, truth):
    return float(-numpy.log(numpy.clip(probabilities[numpy.arange(len(truth)), truth], 1e-15, 1)).mean())


def rmse(answers, truth):
    return float(numpy.sqrt(((answers - truth) ** 2).mean()))


def peers(table, inputs, words, classes, seed):
    numbers = [c for c in inputs if c not in words]
    network = {"random_state": seed, "max_iter": 1000, "early_stopping": len(table) > 10_000}  # as the trees do by themselves
    def plain():
        return make_column_transformer(
            (make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), words), sparse_threshold=0)
    if classes:
        return {"HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed, categorical_features="from_dtype"),
                "MLP": make_pipeline(plain(), MLPClassifier(**network)),
                "linear": make_pipeline(plain(), LogisticRegression(max_iter=2000))}
    return {"HistGradientBoosting": HistGradientBoostingRegressor(random_state=seed, categorical_features="from_dtype"),
            "MLP": make_pipeline(plain(), MLPRegressor(**network)),
            "linear": make_pipeline(plain(), Ridge())}


def fit(file, target, repeats):
    table, inputs, words = read(file, target)
    classes = is_class(table, target)
    labels = sorted(table[target].astype(str).unique()) if classes else []
    y = table[target].astype(str).map({l: i for i, l in enumerate(labels)}).to_numpy() if classes else table[target].to_numpy(float)
    frame = table[inputs].copy()
    for c in words:
        frame[c] = frame[c].fillna("missing").astype(str).astype("category")
    for repeat in range(repeats):
        folds = table[f"fold{repeat}"].to_numpy()
        for fold in sorted(set(folds)):
            train, test = folds != fold, folds == fold
            for name, model in peers(table, inputs, words, classes, repeat).items():
                begun = time.monotonic()
                x, scale = frame, (0.0, 1.0)
                if not classes and name == "MLP":  # a network's target is standardised, as any user would
                    scale = (y[train].mean(), y[train].std())
                model.fit(x[train], y[train] if classes else (y[train] - scale[0]) / scale[1])
                if classes:
                    score = log_loss(model.predict_proba(x[test]), y[test])
                else:
                    score = rmse(model.predict(x[test]) * scale[1] + scale[0], y[test])
                print(json.dumps({"model": name, "repeat": repeat, "fold": int(fold), "score": score,
                                  "seconds": time.monotonic() - begun}), flush=True)


def score(file, target, answers):
    truth, table = pandas.read_csv(file), pandas.read_csv(answers)
    if not is_class(truth, target):
        print(rmse(table[f"{target}_predictions"].to_numpy(float), truth[target].to_numpy(float)))
        return
    labels = sorted(c[len(target) + 15:] for c in table if c.startswith(f"{target}_probabilities_"))
    probabilities = table[[f"{target}_probabilities_{l}" for l in labels]].to_numpy(float)
    print(log_loss(probabilities, truth[target].astype(str).map({l: i for i, l in enumerate(labels)}).to_numpy()))


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    if verb == "fit":
        fit(words[0], words[1], int(words[2]))
    else:
        {"export": export, "score": score}[verb](*words)
