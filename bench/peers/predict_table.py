#!/usr/bin/env python3
"""Gradient-boosted trees as a scikit-learn user writes them: fits once, then answers a table, CSV to CSV.

    predict_table.py fit TRAIN.csv TARGET MODEL
    predict_table.py predict MODEL ROWS.csv OUTPUT.csv"""
import sys

import joblib
import pandas
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def fit(table, target, model):
    rows = pandas.read_csv(table)
    y = rows.pop(target)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    words = make_column_selector(dtype_exclude="number")
    columns = make_column_transformer((encoder, words), remainder="passthrough")
    joblib.dump(make_pipeline(columns, HistGradientBoostingClassifier(random_state=42)).fit(rows, y), model)


def predict(model, table, output):
    trees = joblib.load(model)
    probabilities = trees.predict_proba(pandas.read_csv(table))
    answers = pandas.DataFrame(probabilities, columns=[f"probabilities_{label}" for label in trees.classes_])
    answers.insert(0, "predictions", trees.classes_[probabilities.argmax(axis=1)])
    answers.to_csv(output, index=False)


{"fit": fit, "predict": predict}[sys.argv[1]](*sys.argv[2:])
