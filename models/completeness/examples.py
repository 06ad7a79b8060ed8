"""Turns dialogue texts into finished and unfinished examples, with weights."""
import collections
import re
import zlib

import numpy as np

import words as w

FILLERS = ["um", "uh", "er"]
TRAILING = ["um", "uh", "er", "and", "but", "so", "or", "because", "like", "i mean", "and then", "and um", "well",
            "with", "the", "and the", "for", "i"]
ALONE = ["um", "uh", "er", "well", "so", "and", "i", "it's", "my", "the", "let me see", "let's see", "hmm", "um i", "uh it's"]
COPIES_MAX = 100  # of one and the same text in a source
PREFIXES_MAX = 8
# Before these a speaker may also stop ("can you help me | with my bill"), so a cut there says less.
ADDITIONS = set("with for at on in from by near around and but or so because if when please thanks thank".split())
ADDITION_SHARE = 0.3


def part(dialogue):
    """train, dev or test, by dialogue."""
    bucket = zlib.crc32(dialogue.encode()) % 10
    return "test" if bucket == 0 else "dev" if bucket == 1 else "train"


class Texts:
    """The turns of one source and part: words and the places where a sentence ends inside."""

    def __init__(self):
        self.turns = []

    def add(self, text):
        sentences = [s for s in re.split(r"(?<=[.?!])\s+|\n", text) if s]
        ends = {len(w.words(" ".join(sentences[:count]))) for count in range(1, len(sentences))}
        spoken = w.words(text)
        if 0 < len(spoken) <= 60:
            self.turns.append((spoken, ends - {len(spoken)}))


def read(reader, root):
    parts = collections.defaultdict(Texts)
    copies = collections.Counter()
    for dialogue, text in reader(root):
        copies[text.lower()] += 1
        if copies[text.lower()] <= COPIES_MAX:
            parts[part(dialogue)].add(text)
    return parts


def spoken_like(random, spoken, ends):
    """With the hesitations and repetitions of speech, which typed dialogues lack."""
    spoken, ends = list(spoken), set(ends)
    chance = random.random()
    if chance < 0.25:
        at = 0 if chance < 0.08 else int(random.integers(0, len(spoken)))
        added = [FILLERS[int(random.integers(len(FILLERS)))]]
    elif chance < 0.32:
        at = int(random.integers(0, len(spoken)))
        added = [spoken[at]]
    else:
        return spoken, ends
    return spoken[:at] + added + spoken[at:], {end + (1 if end > at else 0) for end in ends}


def examples(texts, random, whole=None):
    """(words, is finished, weight). `random` adds hesitations; with `whole`, texts in it are not used as
    unfinished, and places before additions count less."""
    out = []
    for spoken, ends in texts.turns:
        if random is not None:
            spoken, ends = spoken_like(random, spoken, ends)
        out.append((spoken, 1, 1.0))
        cuts = [k for k in range(1, len(spoken)) if k not in ends]
        if whole is not None:
            cuts = [k for k in cuts if " ".join(spoken[:k]) not in whole]
        share = 1.0 / max(1, min(len(cuts), PREFIXES_MAX))
        if len(cuts) > PREFIXES_MAX:
            order = random if random is not None else np.random.default_rng(len(out))
            cuts = sorted(order.choice(cuts, PREFIXES_MAX, replace=False).tolist())
        for k in cuts:
            may_end = whole is not None and spoken[k] in ADDITIONS
            out.append((spoken[:k], 0, share * (ADDITION_SHARE if may_end else 1.0)))
        if random is not None and random.random() < 0.3:
            tail = TRAILING[int(random.integers(len(TRAILING)))].split()
            out.append((spoken + tail, 0, 0.4))
    if random is not None:
        out += [(text.split(), 0, 0.002 * len(texts.turns)) for text in ALONE]
    return out


class Table:
    """Examples as arrays; the weights of finished and of unfinished ones each add up to half of `total`."""

    def __init__(self, found, vocabulary, total):
        self.slots = np.array([w.slots([vocabulary.row(x) for x in spoken]) for spoken, _, _ in found], np.int32)
        self.finished = np.array([f for _, f, _ in found], np.float32)
        self.weight = np.array([x for _, _, x in found], np.float64)
        for side in (0, 1):
            mine = self.finished == side
            self.weight[mine] *= 0.5 * total / self.weight[mine].sum()
        self.buckets = w.buckets(self.slots)

    @staticmethod
    def joined(tables):
        out = Table.__new__(Table)
        for name in ("slots", "finished", "weight", "buckets"):
            setattr(out, name, np.concatenate([getattr(t, name) for t in tables]))
        return out
