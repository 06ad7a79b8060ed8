"""Trains the odds of a tool call (Sources/Routing/ToolOdds.swift) and says how good they are on domains never seen.

    train.py --parley PARLEY --calls FILE… --prefixes FILE… [--report FILE] [--folds DIR] [--write]

CALLS are rows with labels (JSON lines, also gzipped), PREFIXES their system texts. --report: rows of this file alone are
reported on. --folds DIR: one weights file a fold, and which rows it has not seen. --write: the Swift file and
the fixture. numpy and scikit-learn; the same weights for the same rows, seed and versions.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from labelled import lines

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
# Services that are the same trade under two corpora's names: never on both sides of a split.
ALIKE = {"hotel": "Hotels", "ride": "RideSharing", "restaurant": "Restaurants", "plane": "Flights", "meeting": "Calendar"}
GROUPS = 5
UNIT = 1e-4
SEED = 7
SETTINGS = dict(
    max_iter=150, learning_rate=0.08, max_leaf_nodes=16, min_samples_leaf=60, l2_regularization=10.0,
    early_stopping=False, random_state=SEED)


def trades(domain):
    names = (re.sub(r"_\d+$", "", part) for part in domain.split("+"))
    return frozenset(ALIKE.get(name, name) for name in names)


def extract(parley, rows, prefixes):
    """Names, and features by row, as the router itself sees them."""
    table = {}
    for path in prefixes:
        with open(path) as file:
            table.update(json.load(file))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(table, file)
        file.flush()
        done = subprocess.run(
            [parley, "route", "--features", "--prefixes", file.name], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, input="".join(json.dumps(row) + "\n" for row in rows))
    for line in done.stderr.splitlines():
        place = re.match(r"line (\d+): (.*)", line)
        print(f"row {rows[int(place[1]) - 1]['id']}: {place[2]}" if place else line, file=sys.stderr)
    if done.returncode:
        sys.exit(f"{parley} route could not read all rows")
    told = done.stdout.splitlines()
    return json.loads(told[0])["names"], {row["id"]: row["x"] for row in map(json.loads, told[1:])}


class Rows:
    """Rows of all files; a dialogue that is in several counts once, as the first file has it."""

    def __init__(self, parley, calls, prefixes):
        self.rows, known = [], set()
        for path in calls:
            fresh = [row for row in lines(path) if row["dialog_id"] not in known]
            known.update(row["dialog_id"] for row in fresh)
            self.rows += fresh
        self.names, by_id = extract(parley, self.rows, prefixes)
        self.x = np.array([by_id[row["id"]] for row in self.rows], dtype=np.float32)
        self.y = np.array([row["label"]["needs_tool"] for row in self.rows], dtype=int)
        self.tool = np.array([row["trigger"] == "tool" for row in self.rows])
        self.source = np.array([row.get("source", "") for row in self.rows])
        self.trades = [trades(row["domain"]) for row in self.rows]


def groups(rows):
    """Trades dealt into groups of about as many rows, the largest first; no chance in it."""
    sizes = {}
    for names in rows.trades:
        for name in names:
            sizes[name] = sizes.get(name, 0) + 1
    loads, found = [0] * GROUPS, {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        place = loads.index(min(loads))
        found[name] = place
        loads[place] += sizes[name]
    return found


class Trees:
    """The trees as they are shipped: numbers rounded, so that Python and Swift say the same."""

    def __init__(self, model, names):
        self.names = names
        self.base = float(np.ravel(model._baseline_prediction)[0])
        self.trees = [self.flat(stage[0].nodes) for stage in model._predictors]
        self.lines = {"user": (1.0, 0.0), "tool": (1.0, 0.0)}

    @staticmethod
    def flat(nodes):
        out = []

        def visit(place):
            node = nodes[place]
            if node["is_leaf"]:
                out.append([-1, 0, round(float(node["value"]) / UNIT)])
                return
            mine = len(out)
            out.append([int(node["feature_idx"]), 0, float(f"{node['num_threshold']:.5g}")])
            visit(node["left"])
            out[mine][1] = len(out)
            visit(node["right"])

        visit(0)
        return out

    def raw(self, x):
        total = np.zeros(len(x))
        for tree in self.trees:
            feature, right, threshold = (np.array(column) for column in zip(*tree))
            at = np.zeros(len(x), dtype=int)
            going = feature[at] >= 0
            while going.any():
                here = at[going]
                left = x[going, feature[here]].astype(float) <= threshold[here]
                at[going] = np.where(left, here + 1, right[here])
                going = feature[at] >= 0
            total += threshold[at]
        return self.base + total * UNIT

    def odds(self, x, tool):
        slope = np.where(tool, self.lines["tool"][0], self.lines["user"][0])
        offset = np.where(tool, self.lines["tool"][1], self.lines["user"][1])
        return self.raw(x) * slope + offset

    def text(self):
        # Where a node's right side begins follows from the order.
        numbers = ",\n".join(
            "[" + ",".join(f"{feature},{threshold:g}" if feature >= 0 else f"-1,{threshold}"
                           for feature, _, threshold in tree) + "]" for tree in self.trees)
        line = lambda name: json.dumps(dict(zip(("slope", "offset"), self.lines[name])))
        return (f'{{"features":{json.dumps(self.names, separators=(",", ":"))},\n"base":{self.base!r},"unit":{UNIT!r},\n'
                f'"user":{line("user")},\n"tool":{line("tool")},\n"trees":[\n{numbers}]}}\n')


def fit(rows, chosen):
    return Trees(HistGradientBoostingClassifier(**SETTINGS).fit(rows.x[chosen], rows.y[chosen]), rows.names)


def calibration(raw, y):
    """A line on the log odds; a shallow prior keeps it from growing steep on few rows."""
    if len(set(y)) < 2:
        return (1.0, 0.0)
    model = LogisticRegression(C=10.0).fit(raw.reshape(-1, 1), y)
    return (round(float(model.coef_[0][0]), 4), round(float(model.intercept_[0]), 4))


def validate(rows, reported, folder):
    """Every reported row is judged by trees that saw no row of any of its trades' groups."""
    group = groups(rows)
    sets = [frozenset(group[name] for name in names) for names in rows.trades]
    wanted = sorted({sets[place] for place in np.where(reported)[0]}, key=sorted)

    def one(held):
        chosen = np.array([not (mine & held) for mine in sets])
        return fit(rows, chosen)

    made = list(map(one, wanted))
    raw = np.full(len(rows.rows), np.nan)
    judged = []
    for held, trees in zip(wanted, made):
        mine = np.array([mine == held for mine in sets]) & reported
        raw[mine] = trees.raw(rows.x[mine])
        judged.append(mine)
    odds = np.full(len(rows.rows), np.nan)
    for held, trees, mine in zip(wanted, made, judged):
        others = reported & ~np.array([bool(one & held) for one in sets])
        for name, kind in (("user", ~rows.tool), ("tool", rows.tool)):
            if (others & kind).any():
                trees.lines[name] = calibration(raw[others & kind], rows.y[others & kind])
        odds[mine] = trees.odds(rows.x[mine], rows.tool[mine])
    if folder:
        os.makedirs(folder, exist_ok=True)
        index = {}
        for number, (trees, mine) in enumerate(zip(made, judged)):
            with open(os.path.join(folder, f"fold-{number}.json"), "w") as file:
                file.write(trees.text())
            index.update({rows.rows[place]["id"]: number for place in np.where(mine)[0]})
        with open(os.path.join(folder, "index.json"), "w") as file:
            json.dump(index, file)
    lines = {
        name: calibration(raw[reported & kind], rows.y[reported & kind])
        for name, kind in (("user", ~rows.tool), ("tool", rows.tool))}
    return odds, lines


def report(rows, reported, odds):
    p = np.clip(1 / (1 + np.exp(-odds)), 1e-6, 1 - 1e-6)
    for source in ["", *sorted(set(rows.source[reported]))]:
        for name, kind in (("all", rows.tool | True), ("user", ~rows.tool), ("tool", rows.tool)):
            mine = reported & kind & ((rows.source == source) | (source == ""))
            if len(set(rows.y[mine])) == 2:
                print(f"{source or 'all':6} after {name:4} rows {mine.sum():6} tools {rows.y[mine].mean():.3f} "
                      f"AUC {roc_auc_score(rows.y[mine], p[mine]):.4f} log loss {log_loss(rows.y[mine], p[mine]):.4f}")
    said = p[reported]
    order = np.argsort(said)
    for part in np.array_split(order, 10):
        print(f"said {said[part].mean():.3f}, true {rows.y[reported][part].mean():.3f}")


def write(text):
    wrapped = "\n".join(
        "        " + piece + "\\"
        for line in text.splitlines() for piece in re.findall(r".{1,100}", line))
    with open(os.path.join(ROOT, "Sources/Routing/ToolOddsWeights.swift"), "w") as file:
        file.write(
            "// Written by models/router/train.py; see its README for the data and their licences.\n\n"
            "/// The weights of `ToolOdds`, as the JSON text that it reads.\nenum ToolOddsWeights {\n"
            f'    static let text = #"""\n{wrapped}\n        """#\n}}\n'.replace('\\\n        """#', '\n        """#')
            .replace("\\\n", "\\#\n"))


def fixture(trees, count=24):
    """Made-up features and what Python says of them."""
    random = np.random.RandomState(SEED)
    x = random.randint(0, 8, size=(count, len(trees.names))).astype(np.float32)
    x[:, 0] = random.randint(0, 2, size=count)
    odds = trees.odds(x, x[:, 0] > 0)
    folder = os.path.join(ROOT, "Tests/RoutingTests/Resources")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "odds.jsonl"), "w") as file:
        for values, said in zip(x.tolist(), odds.tolist()):
            file.write(json.dumps({"x": [int(value) for value in values], "log_odds": said}) + "\n")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--parley", required=True)
    options.add_argument("--calls", required=True, nargs="+")
    options.add_argument("--prefixes", required=True, nargs="+")
    options.add_argument("--report")
    options.add_argument("--folds")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    rows = Rows(chosen.parley, chosen.calls, chosen.prefixes)
    reported = np.ones(len(rows.rows), dtype=bool)
    if chosen.report:
        ids = {row["id"] for row in lines(chosen.report)}
        reported = np.array([row["id"] in ids for row in rows.rows])
    odds, calibrated = validate(rows, reported, chosen.folds)
    report(rows, reported, odds)
    if chosen.write:
        trees = fit(rows, np.ones(len(rows.rows), dtype=bool))
        trees.lines = calibrated
        write(trees.text())
        fixture(trees)


if __name__ == "__main__":
    main()
