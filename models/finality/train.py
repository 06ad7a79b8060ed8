#!/usr/bin/env python3
"""Trains the weights of `Sources/Audio/VoiceFall.swift` and measures them on speakers and sources left out.

    train.py --parley .build/release/parley --home DIR [--write]

Recordings are laid in DIR (500 MB). `bench/turns/setup` must have run: its environment has what this needs.
"""
import argparse
import json
import pathlib
import re
import subprocess

import numpy as np

import corpora

SWIFT = corpora.HERE.parent.parent / "Sources" / "Audio" / "VoiceFall.swift"
FEATURES = ("drop", "syllable", "pitch", "rime")
LEAST_PAUSE = 0.15  # what an ear tells of, seconds
LEAST_TURN = 1.2  # shorter ones are words of lists
RIDGE = 50.0
BATCH = 200


def hear(parley, files):
    for i in range(0, len(files), BATCH):
        done = subprocess.run([parley, "hear", "--falls", *map(str, files[i : i + BATCH])], stdout=subprocess.PIPE, text=True, check=True)
        yield from map(json.loads, done.stdout.splitlines())


def examples(heard, end=None):
    """(features, whether it was the end) of each end of speech. `end`: the labelled one; else the last."""
    spans, falls = heard["segments"], {round(f[0], 3): f[2:] for f in heard["falls"]}
    for i, span in enumerate(spans):
        features = falls.get(round(span[1], 3))
        following = spans[i + 1][0] if i + 1 < len(spans) else None
        if features is None or (end is not None and span[1] > end + 0.3):
            continue
        over = span[1] >= end - 0.15 if end is not None else following is None
        if (over and span[1] - spans[0][0] >= LEAST_TURN) or (not over and following and following - span[1] >= LEAST_PAUSE):
            yield features, over


def arrays(pairs):
    pairs = list(pairs)
    return np.array([p[0] for p in pairs], float).reshape(-1, len(FEATURES)), np.array([p[1] for p in pairs], bool)


def fit(sets):
    """Ridge logistic regression: every source weighs the same, and so do ends and pauses in each."""
    x, y = np.vstack([s[0] for s in sets]), np.concatenate([s[1] for s in sets])
    w = np.concatenate([np.where(s[1], 0.5 / max(1, s[1].sum()), 0.5 / max(1, (~s[1]).sum())) for s in sets])
    w *= len(w) / w.sum()
    mean, size = x.mean(0), x.std(0)
    z, beta = np.c_[(x - mean) / size, np.ones(len(x))], np.zeros(len(FEATURES) + 1)
    ridge = np.diag([RIDGE] * len(FEATURES) + [0.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (w * (y - p)) - ridge @ beta
        beta += np.linalg.solve((z * (w * p * (1 - p))[:, None]).T @ z + ridge, gradient)
    weights = beta[:-1] / size
    return weights, beta[-1] - mean @ weights


def auc(model, data):
    x, y = data
    score = x @ model[0] + model[1]
    order = np.argsort(np.argsort(score, kind="stable")) + 1.0
    n = y.sum()
    return (order[y].sum() - n * (n + 1) / 2) / (n * (~y).sum())


def report(data, tune):
    """Every source and speaker by a model that never heard them."""
    print(f"{'left out':18} {'ends':>6} {'pauses':>7}  AUC")
    for name in data:
        model = fit([d for n, d in data.items() if n.split()[0] != name.split()[0]])
        print(f"{name:18} {data[name][1].sum():6} {(~data[name][1]).sum():7}  {auc(model, data[name]):.3f}")
    for kind in sorted({k for k, _ in tune}):
        scores = []
        for (k, speaker), some in tune.items():
            if k == kind:
                weights, bias = fit([d for n, d in data.items() if n.split()[0] != speaker])
                x, y = arrays(some)
                scores.append((x @ weights + bias, y))
        one = (np.concatenate([s for s, _ in scores])[:, None], np.concatenate([y for _, y in scores]))
        print(f"{kind:18} {one[1].sum():6} {(~one[1]).sum():7}  {auc((np.ones(1), 0), one):.3f}")


def write(model):
    text = SWIFT.read_text()
    text = re.sub(r"weights = \[.*?\]", "weights = [" + ", ".join(f"{w:.4f}" for w in model[0]) + "]", text, count=1)
    text = re.sub(r"bias = -?[\d.]+", f"bias = {model[1]:.4f}", text, count=1)
    SWIFT.write_text(text)


def main():
    ask = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ask.add_argument("--parley", required=True)
    ask.add_argument("--home", required=True, type=pathlib.Path)
    ask.add_argument("--write", action="store_true")
    given = ask.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    data = {}
    for source in (*corpora.PROMPTS, *corpora.GAMES):
        files = corpora.write(source, given.home)
        data[source] = arrays(e for h in hear(given.parley, files) for e in examples(h))
    cases = [json.loads(line) for line in open(corpora.HERE.parent.parent / "bench/turns/tune.jsonl")]
    cases = {c["id"]: c for c in cases if c["kind"] == "open" and c["made"] != "synthetic"}
    tune = {}
    for h in hear(given.parley, [corpora.TURNS / "wav" / "tune" / f"{i}.wav" for i in cases]):
        c = cases[h["id"]]
        tail = h["id"].rsplit("-", 1)[-1]
        kind = "tune " + (tail if tail in ("stretched", "noisy") else "whole")
        tune.setdefault((kind, c["speaker"]), []).extend(examples(h, c["end"]))
    for speaker in corpora.PROMPTS:
        data[f"{speaker} stretched"] = arrays(tune["tune stretched", speaker])
    report(data, tune)
    model = fit(list(data.values()))
    print("weights", dict(zip(FEATURES, model[0].round(4))), "bias", round(model[1], 4))
    if given.write:
        write(model)


if __name__ == "__main__":
    main()
