"""The model: a weight a word combination plus a small network over the words; numpy, Adam, then whole numbers."""
import numpy as np

import words as w

WIDTH = 8  # numbers a word
HIDDEN = 32
PLACES = w.LAST + 2
LEVEL = 43  # whole numbers -43...43: a printable character each


class Model:
    def __init__(self, seed, wide=True, deep=True):
        random = np.random.default_rng(seed)
        self.has = (wide, deep)
        self.p = {
            "wide": np.zeros(w.BUCKETS),
            "word": random.normal(0, 0.1, (w.START + 1, WIDTH)),
            "mix": random.normal(0, 0.15, (PLACES * WIDTH, HIDDEN)),
            "count": np.zeros((w.COUNT_MAX + 1, HIDDEN)),
            "out": random.normal(0, 0.2, HIDDEN),
            "bias": np.zeros(1),
        }
        self.p = {name: value.astype(np.float32) for name, value in self.p.items()}

    def logits(self, slots, buckets, keep=False):
        p = self.p
        z = np.full(len(slots), p["bias"][0], np.float32)
        if self.has[0]:
            z += p["wide"][buckets].sum(1)
        x = h = None
        if self.has[1]:
            x = p["word"][slots[:, :PLACES]].reshape(len(slots), -1)
            h = np.maximum(x @ p["mix"] + p["count"][slots[:, PLACES]], 0)
            z += h @ p["out"]
        return (z, x, h) if keep else z

    def scores(self, table):
        return np.concatenate([self.logits(table.slots[i:i + 65536], table.buckets[i:i + 65536])
                               for i in range(0, len(table.slots), 65536)])

    def train(self, table, seed, epochs, rate=0.004, batch=2048, decay=1e-5, wide_decay=1e-4):
        random = np.random.default_rng(seed)
        p = self.p
        first = {k: np.zeros_like(v) for k, v in p.items()}
        second = {k: np.zeros_like(v) for k, v in p.items()}
        weight = (table.weight * len(table.weight) / table.weight.sum()).astype(np.float32)
        step, steps = 0, epochs * (len(weight) // batch)
        for _ in range(epochs):
            order = random.permutation(len(weight))
            for start in range(0, len(order) - batch + 1, batch):
                rows = order[start:start + batch]
                slots, buckets = table.slots[rows], table.buckets[rows]
                z, x, h = self.logits(slots, buckets, keep=True)
                d = (1 / (1 + np.exp(-z)) - table.finished[rows]) * weight[rows] / batch
                g = {"bias": np.array([d.sum()], np.float32)}
                if self.has[0]:
                    g["wide"] = np.bincount(buckets.ravel(), np.repeat(d, buckets.shape[1]), w.BUCKETS)
                    g["wide"] = g["wide"].astype(np.float32) + wide_decay * p["wide"]
                if self.has[1]:
                    g["out"] = d @ h
                    dh = np.outer(d, p["out"]) * (h > 0)
                    g["mix"] = x.T @ dh
                    g["count"] = np.zeros_like(p["count"])
                    np.add.at(g["count"], slots[:, PLACES], dh)
                    dx = (dh @ p["mix"].T).reshape(-1, WIDTH)
                    flat = slots[:, :PLACES].ravel()
                    g["word"] = np.stack([np.bincount(flat, dx[:, i], w.START + 1) for i in range(WIDTH)], 1)
                    g["word"] = g["word"].astype(np.float32) + decay * p["word"]
                    g["mix"] += decay * p["mix"]
                step += 1
                now = rate * (1 - step / (steps + 1))
                for name, gradient in g.items():
                    first[name] += 0.1 * (gradient - first[name])
                    second[name] += 0.001 * (gradient * gradient - second[name])
                    size = np.sqrt(second[name] / (1 - 0.999 ** step)) + 1e-8
                    p[name] -= now * (first[name] / (1 - 0.9 ** step)) / size

    def quantised(self):
        """Whole numbers and their scales; the words' numbers and the mix share none."""
        whole, scale = {}, {}
        for name in ("wide", "word", "mix", "count", "out"):
            value = self.p[name].astype(np.float64)
            best = None
            for top in np.abs(value).max() * np.linspace(0.2, 1, 33):
                unit = top / LEVEL
                rounded = np.clip(np.rint(value / unit), -LEVEL, LEVEL)
                loss = ((rounded * unit - value) ** 2).sum()
                if best is None or loss < best[0]:
                    best = (loss, unit, rounded.astype(np.int64))
            scale[name], whole[name] = best[1], best[2]
        return whole, scale


class Quantised:
    """What ships: the same sums in whole numbers, then a line fitted on the dev part."""

    def __init__(self, model):
        self.whole, self.scale = model.quantised()
        self.bias = float(model.p["bias"][0])
        self.slope, self.offset = 1.0, 0.0

    def scores(self, table):
        out = []
        for i in range(0, len(table.slots), 65536):
            slots, buckets = table.slots[i:i + 65536], table.buckets[i:i + 65536]
            x = self.whole["word"][slots[:, :PLACES]].reshape(len(slots), -1).astype(np.float64)
            h = x @ self.whole["mix"] * (self.scale["word"] * self.scale["mix"])
            h = np.maximum(h + self.whole["count"][slots[:, PLACES]] * self.scale["count"], 0)
            z = self.whole["wide"][buckets].sum(1) * self.scale["wide"] + self.bias
            for j in range(HIDDEN):
                z = z + h[:, j] * (self.whole["out"][j] * self.scale["out"])
            out.append(z)
        return np.concatenate(out) * self.slope + self.offset

    def calibrate(self, table):
        """Platt's line by Newton's method, on weighted examples."""
        z, y = self.scores(table), table.finished
        slope, offset = 1.0, 0.0
        for _ in range(30):
            q = 1 / (1 + np.exp(-(slope * z + offset)))
            g = np.array([(table.weight * (q - y) * z).sum(), (table.weight * (q - y)).sum()])
            r = table.weight * q * (1 - q)
            hessian = np.array([[(r * z * z).sum(), (r * z).sum()], [(r * z).sum(), r.sum()]])
            move = np.linalg.solve(hessian + 1e-9 * np.eye(2), g)
            slope, offset = slope - move[0], offset - move[1]
        self.slope, self.offset = float(slope), float(offset)
