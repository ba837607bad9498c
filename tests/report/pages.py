#!/usr/bin/env python3
"""Opens reports in headless Chromium: no console error, every chart drawn, nothing wider than the page, at 1280 and 400
pixels, dark and light; and holds report.json against predictions.csv. Exits 77 (skipped) where there is no Chromium.

    tests/report/pages.py SHOESTRING [WORK]      keeps what it made in WORK, screenshots too, where that is given
"""

import csv
import html
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

NASTY = "</script><b>&\"'\\é"
WIDTHS = (1280, 400)


def table(path):
    draw = random.Random(7)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["a", "b", "word", "same", "when", "yes", "kind", "size"])
        for i in range(900):
            a, b, word = draw.gauss(0, 1), draw.gauss(5, 2), draw.choice(["red", "green", NASTY, "blue"])
            score = a + (word == "red") + draw.gauss(0, 0.7)
            out.writerow([f"{a:.4f}", "" if i % 50 == 0 else f"{b:.4f}", word, "1", f"2024-01-{i % 28 + 1:02}", "y" if score > 0 else "n",
                          "low" if b + a < 4 else "mid" if b + a < 6 else "high", f"{3 * a + b + draw.gauss(0, 0.5):.4f}"])


RECIPE = {
    "input_features": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "word", "type": "category"},
                       {"name": "same", "type": "category"}, {"name": "when", "type": "date"}],
    "output_features": [{"name": "yes", "type": "binary"}, {"name": "kind", "type": "category"}, {"name": "size", "type": "number"}],
    "combiner": {"type": "concat", "num_fc_layers": 1, "output_size": 16},
    "trainer": {"epochs": 12, "batch_size": 64, "learning_rate": 0.01}}


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def expect(truth, text):
    if not truth:
        sys.exit("not so: " + text)


# ---- the numbers -------------------------------------------------------------------------------------


def area(scores, truths):
    """By definition: the share of pairs that are in the right order, ties counting half."""
    yes = [s for s, t in zip(scores, truths) if t]
    no = [s for s, t in zip(scores, truths) if not t]
    return sum((y > n) + 0.5 * (y == n) for y in yes for n in no) / len(yes) / len(no)


def numbers_hold(folder, rows):
    facts = json.loads((folder / "report.json").read_text())
    answers = list(csv.DictReader(open(folder / "predictions.csv")))
    expect(len(answers) == len(rows) == facts["quality"]["rows"], "each row was answered")
    yes, kind, size = facts["quality"]["outputs"]
    for quality, name in (yes, "yes"), (kind, "kind"):
        labels = quality["labels"]
        wanted = [sum(r[name] == t and a[name + "_predictions"] == p for r, a in zip(rows, answers)) for t in labels for p in labels]
        expect(quality["confusion"] == wanted, f"confusion of {name}: {quality['confusion']}, from the answers {wanted}")
        for curve in quality["curves"]:
            scores = [float(a[f"{name}_probabilities_{curve['label']}"]) for a in answers]
            wanted = area(scores, [r[name] == curve["label"] for r in rows])
            expect(abs(curve["of"]["roc_auc"] - wanted) < 1e-4, f"AUC of {curve['label']}: {curve['of']['roc_auc']}, {wanted}")
    distances = sorted(abs(float(a["size_predictions"]) - float(r["size"])) for r, a in zip(rows, answers))
    for share, distance in size["number"]["quantiles"]:
        near = distances[round(share * (len(distances) - 1))]
        expect(abs(distance - near) < 0.02 * near + 1e-3, f"{share} of the rows are within {distance}, not {near}")
    expect(size["number"]["sampled"] == len(rows), "so few rows are all looked at")
    expect("choice" not in yes, "an evaluation has no rows to choose a threshold by but those it is judged by")
    worst = size["mistakes"][0]
    expect(abs(worst["badness"] - distances[-1]) < 1e-3, "the worst mistake is the largest distance")
    row = rows[worst["row"] - 1]
    expect(worst["cells"][2] == row["word"], "a mistake shows its row")
    reds = [g for g in yes["subgroups"] if g["column"] == "word" and g["value"] == "red"][0]
    of_red = [(r, a) for r, a in zip(rows, answers) if r["word"] == "red"]
    expect(reds["rows"] == len(of_red), "rows of a subgroup")
    right = sum(r["yes"] == a["yes_predictions"] for r, a in of_red) / len(of_red)
    expect(abs(reds["accuracy"] - right) < 1e-5, "accuracy of a subgroup")


def choices_hold(folder):
    """A threshold is chosen on the validation rows and judged on the test rows, which are others."""
    facts = json.loads((folder / "report.json").read_text())
    yes, rows = facts["quality"]["outputs"][0], {s["name"]: s["rows"] for s in facts["split_rows"]}
    choice, own = yes["choice"], yes["curves"][0]["of"]
    expect(choice["of"]["positives"] + choice["of"]["negatives"] == rows["validation"], "validation rows choose a threshold")
    expect(facts["quality"]["split"] == "test" and own["positives"] + own["negatives"] == rows["test"], "test rows judge it")
    threshold = choice["of"]["best_threshold"]
    at = [p for p in own["points"] if p[0] is not None and p[0] >= threshold]
    if len(own["points"]) <= 160 and at:
        _, tp, fp = at[-1]
        expect(abs(choice["f1_here"] - 2 * tp / (tp + fp + own["positives"])) < 1e-5, "its F1 is that of the test rows")
    expect(choice["f1_here"] <= own["best_f1"] + 1e-6, "no threshold is better than the best")


def folds_hold(folder, rows):
    """Over the folds: every row is answered once, by the model that was not trained on it."""
    facts = json.loads((folder / "report.json").read_text())
    tested = json.loads((folder / "kfold_split_indices.json").read_text())
    count, answered = facts["folds"]["count"], {}
    for fold in range(1, count + 1):
        indices = tested[f"fold_{fold}"]["test_indices"]
        for row, answer in zip(indices, csv.DictReader(open(folder / f"fold_{fold}/predictions.csv"))):
            answered[row] = answer
    expect(sorted(answered) == list(range(len(rows))), "each row is tested once")
    expect(facts["quality"]["rows"] == len(rows), "all are pooled")
    for quality in facts["quality"]["outputs"][:2]:
        labels, name = quality["labels"], quality["name"]
        wanted = [sum(rows[i][name] == t and a[name + "_predictions"] == p for i, a in answered.items()) for t in labels for p in labels]
        expect(quality["confusion"] == wanted, f"pooled confusion of {name}: {quality['confusion']}, from the answers {wanted}")
    yes = facts["quality"]["outputs"][0]["curves"][0]
    order = sorted(answered)
    wanted = area([float(answered[i][f"yes_probabilities_{yes['label']}"]) for i in order], [rows[i]["yes"] == yes["label"] for i in order])
    expect(abs(yes["of"]["roc_auc"] - wanted) < 0.01, f"pooled AUC: {yes['of']['roc_auc']}, {wanted}")
    for metric in facts["folds"]["metrics"]:
        expect(abs(sum(metric["folds"]) / count - metric["mean"]) < 1e-4 * max(1, abs(metric["mean"])), f"mean of {metric['metric']}")


# ---- the pages ---------------------------------------------------------------------------------------

WATCH = """<script>window.faults = [];
addEventListener('error', e => faults.push(String(e.message)));
console.error = (...all) => faults.push(all.join(' '));</script>"""
JUDGE = """<script>
{
  const drawn = canvas => {
    if (!canvas.width || !canvas.height) return false;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 0) colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
    return colours.size > 2;
  };
  setTimeout(() => {
    const canvases = [...document.querySelectorAll('canvas')];
    const wide = [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1);
    parent.postMessage({ name: location.hash, faults, charts: canvases.length, blank: canvases.filter(c => !drawn(c)).map(c => c.getAttribute('aria-label')),
      wide: wide.slice(0, 5).map(e => e.outerHTML.slice(0, 80)), dark: matchMedia('(prefers-color-scheme: dark)').matches, width: innerWidth,
      tables: document.querySelectorAll('table').length, sections: [...document.querySelectorAll('h2')].map(e => e.id), height: document.documentElement.scrollHeight }, '*');
  }, 700);
}
</script>"""


def opened(chromium, work, pages, dark):
    frames = []
    for name, page in pages.items():
        text = page.read_text()
        expect(len(text.encode()) <= 1 << 20, f"{page} is at most 1 MiB")
        # Nothing is asked of a network (an address in a comment of Chart.js is none).
        expect(not re.search(r"(src|href)=[\"']?(https?:)?//", text), f"{page} loads nothing")
        watched = work / f"watched_{name}.html"
        watched.write_text(text.replace("<title>", WATCH + "<title>", 1).replace("</body>", JUDGE + "</body>"))
        frames += [f"<iframe src='{watched.name}#{name}_{w}' style='width:{w}px;height:900px;border:0'></iframe>" for w in WIDTHS]
    frame = work / "frames.html"
    frame.write_text("<!DOCTYPE html><pre id=out></pre><script>const all = []; addEventListener('message', e => { all.push(e.data);"
                     "document.getElementById('out').textContent = JSON.stringify(all); });</script>" + "".join(frames))
    words = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={work}/profile",
             "--enable-logging=stderr", "--window-size=1400,1000", "--virtual-time-budget=20000"]
    if dark:
        words.append("--blink-settings=preferredColorScheme=0")
    done = subprocess.run([*words, "--dump-dom", frame.as_uri()], capture_output=True, text=True, timeout=240)
    expect("CONSOLE" not in done.stderr, "the console is silent: " + done.stderr[-2000:])
    found = re.search(r"<pre id=\"out\">(.*?)</pre>", done.stdout, re.S)
    expect(found and found.group(1), "Chromium ran the pages: " + done.stderr[-2000:])
    verdicts = {v["name"].lstrip("#"): v for v in json.loads(html.unescape(found.group(1)))}
    expect(len(verdicts) == len(frames), f"every page answered: {sorted(verdicts)}")
    for name, v in verdicts.items():
        expect(not v["faults"], f"{name}: no error, but {v['faults']}")
        expect(v["charts"] > 0 and not v["blank"], f"{name}: every chart is drawn, but {v['blank']}")
        expect(not v["wide"], f"{name}: nothing is wider than the page, but {v['wide']}")
        expect(v["dark"] == dark, f"{name}: the theme is that of the system")
        expect(f"_{v['width']}" in name, f"{name}: is {v['width']} wide")
    return verdicts


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    keep = len(sys.argv) > 2
    work = pathlib.Path(sys.argv[2] if keep else tempfile.mkdtemp(prefix="pages.", dir=binary.parent)).resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        data, recipe = work / "table.csv", work / "recipe.json"
        table(data)
        recipe.write_text(json.dumps(RECIPE))
        shutil.rmtree(work / "runs", ignore_errors=True)
        train = [binary, "train", "--quiet", "--config", recipe, "--dataset", data, "--output_directory", work / "runs"]
        run(*train, "--report", "full")
        run(*train, "--random_seed", 7)
        first, second = work / "runs/experiment_run", work / "runs/experiment_run_0"
        run(binary, "evaluate", "--quiet", "--model_path", first, "--dataset", data, "--output_directory", work / "measured")
        numbers_hold(work / "measured", list(csv.DictReader(open(data))))
        choices_hold(first)
        run(binary, "experiment", "--quiet", "--config", recipe, "--dataset", data, "--output_directory", work / "runs", "--experiment_name", "cross", "--k_fold", 3)
        crossed = work / "runs/cross_run"
        folds_hold(crossed, list(csv.DictReader(open(data))))
        before = (first / "report.html").read_bytes()
        run(binary, "visualize", "--model_path", first)
        expect(len((first / "report.html").read_bytes()) > 0.9 * len(before), "visualize makes the page again")
        run(binary, "visualize", "--model_path", f"{first},{second}", "--output", work / "both.html")
        if not chromium:
            print("there is no chromium (tools/setup --ci installs it): the pages were not opened")
            sys.exit(77)
        pages = {"full": first / "report.html", "normal": second / "report.html", "measured": work / "measured/report.html", "both": work / "both.html", "folds": crossed / "report.html"}
        for dark in False, True:
            verdicts = opened(chromium, work, pages, dark)
        sections = verdicts["full_1280"]["sections"]
        expect(sections == ["overview", "plan", "diagnosis", "data", "training", "quality", "importance"], f"sections: {sections}")
        measured = verdicts["measured_1280"]["sections"]
        expect(measured == ["overview", "plan", "diagnosis", "data", "quality"], f"sections of an evaluation: {measured}")
        folds = verdicts["folds_1280"]["sections"]
        expect(folds == ["folds", "diagnosis", "data", "quality"], f"sections of a cross-validation: {folds}")
        expect(verdicts["both_1280"]["sections"] == ["compare"], "a comparison compares")
        print({name: (v["charts"], v["tables"], v["height"]) for name, v in verdicts.items()})
    finally:
        if not keep:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    os.environ.setdefault("HOME", tempfile.gettempdir())
    main()
