#!/usr/bin/env python3
"""Exports small models to ONNX and holds ONNX Runtime's answers, at several batch sizes, against `predict`'s: equal to
1e-4. Runs in bench/.venv/onnx where bench/make_peers has made it; exits 77 (skipped) where onnx or onnxruntime is
missing.

    tests/deploy/onnx_runtime.py SHOESTRING [--operators UNIT_DEPLOY] [--all] [--only NAME,...] [--work FOLDER]

--all takes every encoder of pictures, those with tens of millions of weights too (minutes); else the small ones.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zlib

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    venv = pathlib.Path(__file__).resolve().parents[2] / "bench/.venv/onnx"
    if (venv / "complete").exists() and pathlib.Path(sys.prefix) != venv:
        os.execv(venv / "bin/python", ["python", *sys.argv])
    print(f"skipped: {error}; bench/make_peers makes what is needed, or pip install onnx onnxruntime")
    sys.exit(77)

TOLERANCE = 1e-4
SPREAD = 3e-3  # the answers' standard deviation over the rows: were they all equal, nothing would be compared; nor is it
UNSURE = 3e-2  # where they are all but certain: the mean of p (1 - p)
BATCHES = (1, 3, 24)
PICTURES, SIDE, CLASSES = 24, 32, ("cat", "dog", "éclair")


def run(*words, expected=0):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != expected:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def expect(truth, text):
    if not truth:
        sys.exit("not so: " + text)


def train(binary, work, name, recipe, dataset):
    config = work / f"{name}.json"
    config.write_text(json.dumps(recipe))
    run(binary, "train", "--config", config, "--dataset", dataset, "--output-directory", work, "--experiment-name", name,
        "--report", "none", "--skip-save-progress", "--skip-save-log", "--quiet", "--random-seed", 3)
    return work / f"{name}_run"


def answers(binary, work, name, model, table):
    """The answers as columns of text."""
    out = work / f"{name}.answers.csv"
    run(binary, "predict", "-m", model, "--dataset", table, "-o", out, "--quiet")
    with open(out, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: [row[key] for row in rows] for key in rows[0]}


def probabilities(columns, output, classes):
    return np.array([columns[f"{output}_probabilities_{c}"] for c in classes], dtype=np.float64).T


def exported(binary, work, name, model):
    path = work / f"{name}.onnx"
    done = run(binary, "export", "-m", model, "--format", "onnx", "-o", path)
    expect(str(path) in done.stdout, f"export names {path}")
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session, session.get_modelmeta().custom_metadata_map


def compare(name, session, inputs, wanted):
    """`wanted`: {output: f64[rows, ..]}, for all rows; in each batch size, and with a last batch that is smaller."""
    worst, rows = 0.0, len(next(iter(inputs.values())))
    for batch in BATCHES:
        for begin in range(0, rows, batch):
            part = {key: value[begin:begin + batch] for key, value in inputs.items()}
            for key, got in zip(wanted, session.run(list(wanted), part)):
                want = wanted[key][begin:begin + batch]
                expect(got.shape == want.shape, f"{name}: {key} of {len(want)} rows is {want.shape}, not {got.shape}")
                worst = max(worst, float(np.abs(got - want).max()))
    spread = min(float(w.std(axis=0).max()) for w in wanted.values())
    print(f"{name}: {worst:.1e} apart, of answers that spread by {spread:.1g}", flush=True)
    expect(worst <= TOLERANCE, f"{name}: ONNX Runtime answers as predict does")
    expect(spread >= SPREAD, f"{name}: the rows' answers differ")
    if name in ENCODERS:
        expect(all((w * (1 - w)).mean() >= UNSURE for w in wanted.values()), f"{name}: the answers are not all certain")


# ---- pictures ----------------------------------------------------------------------------------------

# name -> (encoder, channels, whether it is small)
ENCODERS = {
    "stacked_cnn": ({"type": "stacked_cnn", "conv_norm": "batch", "num_conv_layers": 2, "out_channels": 8, "padding": "same",
                     "output_size": 16}, 3, True),
    "stacked_cnn_layer_norm": ({"type": "stacked_cnn", "conv_norm": "layer", "conv_activation": "swiglu", "pool_function": "average",
                                "pool_kernel_size": 3, "pool_padding": 1, "pool_stride": 2, "stride": 2,
                                "num_conv_layers": 2, "out_channels": 8, "output_size": 16}, 1, True),
    "stacked_cnn_groups": ({"type": "stacked_cnn", "dilation": 2, "conv_activation": "prelu", "output_size": 16, "conv_layers": [
        {"out_channels": 4, "kernel_size": [3, 5]},
        {"out_channels": 6, "groups": 2, "padding": "same", "pool_kernel_size": None}]}, 3, True),
    "stacked_cnn_padding_modes": ({"type": "stacked_cnn", "output_size": 16, "conv_layers": [
        {"out_channels": 4, "kernel_size": [3, 5], "padding": "same", "padding_mode": "reflect"},
        {"out_channels": 6, "padding": [2, 1], "padding_mode": "circular", "pool_kernel_size": None},
        {"out_channels": 4, "kernel_size": 4, "padding": "same", "padding_mode": "replicate"}]}, 3, True),
    "compact_cnn": ({"type": "compact_cnn", "widths": [16, 16], "residual": True, "views": 6}, 3, True),
    "resnet": ({"type": "resnet", "model_variant": "18"}, 3, True),
    "wide_resnet": ({"type": "wide_resnet"}, 3, False),
    "resnext": ({"type": "resnext"}, 3, False),
    "mobilenetv2": ({"type": "mobilenetv2"}, 3, True),
    "mobilenetv3": ({"type": "mobilenetv3"}, 1, True),
    "efficientnet": ({"type": "efficientnet"}, 3, True),
    "efficientnet_v2": ({"type": "efficientnet", "model_variant": "v2_s"}, 3, False),
    "convnext": ({"type": "convnext", "model_variant": "tiny"}, 3, False),
    "vit": ({"type": "vit", "model_variant": "b_32"}, 3, False),
    "mlp_mixer": ({"type": "mlp_mixer", "patch_size": 8, "embed_size": 16, "token_size": 32, "channel_dim": 16, "num_layers": 2},
                  3, True),
}


def pictures(work, channels):
    """The table that names them, and all as u8[rows, h, w, c] in its order."""
    draw = np.random.default_rng(5)
    pixels, names = [], []
    for i in range(PICTURES):
        label = CLASSES[i % len(CLASSES)]
        level = draw.integers(0, 120, size=(SIDE, SIDE, channels)) + 60 * (i % len(CLASSES))
        pixels.append(level.astype(np.uint8))
        path = work / f"pictures{channels}" / f"{i:02}.{'ppm' if channels == 3 else 'pgm'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"P{6 if channels == 3 else 5}\n{SIDE} {SIDE}\n255\n".encode() + pixels[-1].tobytes())
        names.append((str(path), label))
    table = work / f"pictures{channels}.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("picture", "label"), *names])
    return table, np.stack(pixels)


def unsettle(path, factor=None):
    """After a few steps a deep network's norms still know their first statistics, and what comes through them is next to
    nothing. Gives them any numbers at first, then other variances: no smaller than it needs, as small variances raise
    rounding errors too."""
    content = bytearray(path.read_bytes())
    begin = 8 + struct.unpack_from("<Q", content)[0]
    head = json.loads(content[8:begin])
    draw = np.random.default_rng(9)
    for name, entry in head.items():
        ending = name.rsplit(".", 1)[-1]
        if f"{name.rsplit('.', 1)[0]}.variance" not in head:
            continue
        start, end = (begin + offset for offset in entry["data_offsets"])
        values = np.frombuffer(content, np.float32, (end - start) // 4, start).copy()
        if ending == "variance":
            values *= factor or 1
        elif factor:
            continue
        elif ending == "scale":
            values *= draw.uniform(0.8, 1.2, values.shape)
        else:
            values += draw.normal(0, 0.1, values.shape)
        content[start:end] = values.astype(np.float32).tobytes()
    # The checksum is over all bytes, its own digits taken as zeros.
    digits = content.index(b"crc32:") + len(b"crc32:")
    content[digits:digits + 8] = b"00000000"
    content[digits:digits + 8] = f"{zlib.crc32(content):08x}".encode()
    path.write_bytes(content)


def check_pictures(binary, work, name):
    encoder, channels, _ = ENCODERS[name]
    table, pixels = pictures(work, channels)
    recipe = {"input_features": [{"name": "picture", "type": "image", "encoder": encoder,
                                  "preprocessing": {"standardize_image": "training" if name == "resnet" else None}}],
              "output_features": [{"name": "label", "type": "category"}],
              "trainer": {"epochs": 1, "batch_size": 8, "optimizer": {"type": "sgd"}, "learning_rate": 0.01}}
    model = train(binary, work, name, recipe, table)
    unsettle(model_file(model))
    for _ in range(16):
        wanted = probabilities(answers(binary, work, name, model, table), "label", CLASSES)
        sure, same = (wanted * (1 - wanted)).mean() < UNSURE, wanted.std(axis=0).max() < SPREAD
        if not sure and not same:
            break
        unsettle(model_file(model), 1.5 if sure else 0.75)
    session, notes = exported(binary, work, name, model)
    expect(json.loads(notes["labels"]) == {"label": list(CLASSES)}, f"the classes stand in the file, not {notes['labels']}")
    feature, = json.loads(notes["inputs"])
    expect([feature[key] for key in ("name", "type", "port", "height", "width", "channels")] ==
           ["picture", "image", "image:picture", SIDE, SIDE, channels], f"the picture's form stands in the file, not {feature}")
    port, = session.get_inputs()
    expect((port.name, port.type, port.shape) == ("image:picture", "tensor(uint8)", ["rows", SIDE, SIDE, channels]), str(port))
    compare(name, session, {"image:picture": pixels}, {"probabilities:label": wanted})


def model_file(model):
    return model / "model" / "model.safetensors"


# ---- tables ------------------------------------------------------------------------------------------

ROWS = 240


def table(work):
    draw = random.Random(3)
    rows = []
    for _ in range(ROWS):
        a, b, kind = draw.gauss(3, 2), draw.gauss(0, 50), draw.choice(["red", "green", "blue", "rare"])
        rows.append({"a": f"{a:.4f}", "b": f"{b:.3f}", "sure": draw.choice("yn"), "kind": kind, "city": draw.choice("ABCDEFGH"),
                     "when": f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
                     "vec": " ".join(f"{draw.gauss(0, 1):.3f}" for _ in range(4)),
                     "tags": " ".join(draw.sample("pqrst", draw.randint(1, 4))),
                     "words": " ".join(draw.choices("pqrst", k=draw.randint(1, 4))),
                     "label": "x" if a + 3 * (kind == "red") > 4 else "y" if b > 0 else "z",
                     "size": f"{2 * a + b / 50:.4f}", "ok": "t" if a > 3 else "f"})
    path = work / "table.csv"
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path, rows


def encoded(feature, fit, values):
    """A column as the ports want it, by what the file says of its preprocessing."""
    index = {word: i for i, word in enumerate(fit.get("vocabulary", []))}
    if feature["type"] == "number":
        return [(float(v) - fit["shift"]) / fit["scale"] for v in values]
    if feature["type"] == "binary":
        return [float(v == fit["true_label"]) for v in values]
    if feature["type"] == "category":
        return np.array([index[v] for v in values], np.int32)
    if feature["type"] == "vector":
        return np.array([[float(x) for x in v.split()] for v in values], np.float32)
    if feature["type"] == "date":
        days = [datetime.date.fromisoformat(v) for v in values]
        return np.array([[(d.year - fit["year_shift"]) / fit["year_scale"], d.month - 1, d.day - 1, d.weekday(),
                          d.timetuple().tm_yday - 1, 0, 0, 0, 0] for d in days], np.float32)
    lists = [[index[word] for word in v.split()] for v in values]  # of a set or bag, filled up with the vocabulary's size
    return np.array([(numbers + [len(index)] * fit["width"])[:fit["width"]] for numbers in lists], np.int32)


def number(name, encoder=None):
    return {"name": name, "type": "number", **({"encoder": encoder} if encoder else {})}


TABLES = {
    "every_type": {
        "input_features": [number("a"), number("b"), {"name": "sure", "type": "binary"}, {"name": "kind", "type": "category"},
                           {"name": "city", "type": "category", "encoder": {"type": "onehot"}}, {"name": "when", "type": "date"},
                           {"name": "vec", "type": "vector"}, {"name": "tags", "type": "set"}, {"name": "words", "type": "bag"}],
        "combiner": {"type": "concat", "num_fc_layers": 2, "output_size": 16, "norm": "layer"}},
    "encoders": {
        "input_features": [number("a", {"type": "ple", "output_size": 8, "num_bins": 8}),
                           number("b", {"type": "periodic", "output_size": 8, "num_frequencies": 4}),
                           {"name": "sure", "type": "binary", "encoder": {"type": "dense", "output_size": 4, "activation": "sparsemax"}},
                           {"name": "kind", "type": "category", "encoder": {"type": "sparse"}},
                           {"name": "city", "type": "category", "encoder": {"type": "target"}},
                           {"name": "when", "type": "date", "encoder": {"type": "wave"}},
                           {"name": "vec", "type": "vector", "encoder": {"type": "dense", "output_size": 6, "activation": "mish"}}],
        "combiner": {"type": "concat", "fc_layers": [{"output_size": 12, "activation": "entmax15"},
                                                     {"output_size": 12, "activation": "selu", "norm": "batch"}]}},
    "ensemble": {
        "input_features": [number("a", {"type": "bins", "output_size": 4, "num_bins": 8}), number("b"),
                           {"name": "kind", "type": "category"}],
        "combiner": {"type": "concat", "num_fc_layers": 1, "output_size": 8, "activation": "geglu"},
        "ensemble": {"members": [{"count": 2}, {"count": 1, "number_encoder": "passthrough"}]}},
    "batch_ensemble": {
        "input_features": [number("a"), number("b"), {"name": "kind", "type": "category"}],
        "combiner": {"type": "concat", "num_fc_layers": 1, "output_size": 8, "batch_ensemble": True}},
}


def check_table(binary, work, name):
    path, rows = table(work)
    recipe = {**TABLES[name],
              "output_features": [{"name": "label", "type": "category"}, number("size"), {"name": "ok", "type": "binary"}],
              "trainer": {"epochs": 6, "batch_size": 32, "learning_rate": 0.01}}
    model = train(binary, work, name, recipe, path)
    columns = answers(binary, work, name, model, path)
    session, notes = exported(binary, work, name, model)
    fits, labels = json.loads(notes["preprocessing"]), json.loads(notes["labels"])
    inputs, numbers = {}, []
    for feature, fit in zip(json.loads(notes["inputs"]), fits["inputs"]):
        column = encoded(feature, fit, [row[feature["column"]] for row in rows])
        if feature["port"] == "numbers":
            expect(feature["index"] == len(numbers), f"{feature} has its place")
            numbers.append(column)
        else:
            inputs[feature["port"]] = column
    if numbers:
        inputs["numbers"] = np.array(numbers, np.float32).T
    ports = {output["name"]: output["port"] for output in json.loads(notes["outputs"])}
    size = fits["outputs"][1]
    true = f"ok_probabilities_{fits['outputs'][2]['true_label']}"
    compare(name, session, inputs,
            {ports["label"]: probabilities(columns, "label", labels["label"]),
             ports["size"]: (np.array(columns["size_predictions"], np.float64) - size["shift"]) / size["scale"],
             ports["ok"]: np.array(columns[true], np.float64)})


# ---- operators ---------------------------------------------------------------------------------------


def check_operators(unit_test, work):
    """The graphs that the unit test writes, of one operator or a few, beside what the operators' references make of them."""
    folder = work / "operators"
    folder.mkdir(exist_ok=True)
    done = subprocess.run([unit_test, "--gtest_filter=OnnxOperators.*"], capture_output=True, text=True,
                          env={**os.environ, "SHOESTRING_ONNX_CASES": str(folder)})
    expect(done.returncode == 0, done.stdout + done.stderr)
    types, worst = {"f32": np.float32, "i32": np.int32, "u8": np.uint8}, (0.0, "")
    cases = sorted(folder.glob("*.json"))
    for case in cases:
        told = json.loads(case.read_text())
        path = case.with_suffix(".onnx")
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        read = lambda t: np.array(t["values"], np.float64).reshape(t["dims"])
        got, = session.run(["y"], {name: read(t).astype(types[t["type"]]) for name, t in told["inputs"].items()})
        want = read(told["y"])
        expect(got.shape == want.shape, f"{case.stem}: {got.shape}, not {want.shape}")
        apart = float((np.abs(got - want) / np.maximum(1, np.abs(want))).max())
        worst = max(worst, (apart, case.stem))
        expect(apart <= TOLERANCE, f"{case.stem}: {apart:.1e} apart")
    expect(len(cases) > 150, f"cases of every operator, not {len(cases)}")
    print(f"{len(cases)} graphs of operators: {worst[0]:.1e} apart at most ({worst[1]})", flush=True)


# ---- the command line --------------------------------------------------------------------------------


def check_refusals(binary, work):
    path, _ = table(work)
    model = train(binary, work, "refused", {**TABLES["batch_ensemble"], "output_features": [{"name": "label", "type": "category"}],
                                            "trainer": {"epochs": 1}}, path)
    done = run(binary, "export", "-m", model, "--format", "onxn", expected=2)
    expect("unknown format 'onxn'" in done.stderr and "did you mean 'onnx'?" in done.stderr, done.stderr)
    run(binary, "export", expected=2)
    run(binary, "export", "-m", work / "none", expected=3)
    run(binary, "export", "-m", model, "-o", model_file(model), expected=2)
    run(binary, "export", "-m", model, "-o", work / "no" / "such" / "folder.onnx", expected=6)
    told = json.loads(run(binary, "export", "-m", model, "--json").stdout)
    default = model_file(model).with_suffix(".onnx")
    expect(told["file"] == str(default) and told["bytes"] == default.stat().st_size, f"--json tells what was written: {told}")
    expect(told["outputs"] == ["probabilities:label"], str(told))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--operators", help="the unit test that writes a graph for each operator")
    parser.add_argument("--work")
    args = parser.parse_args()
    only = [name for name in args.only.split(",") if name]
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(args.work or temporary)
        work.mkdir(parents=True, exist_ok=True)
        if args.operators:
            check_operators(args.operators, work)
        for name in TABLES:
            if not only or name in only:
                check_table(args.binary, work, name)
        for name, (_, _, small) in ENCODERS.items():
            if name in only or (not only and (small or args.all)):
                check_pictures(args.binary, work, name)
        if not only:
            check_refusals(args.binary, work)


if __name__ == "__main__":
    main()
