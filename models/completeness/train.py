"""Trains the model behind `Sources/Turns/Completeness.swift`, says how good it is, writes weights and golden file.

    python train.py --taskmaster DIR --star DIR --polyai DIR --ami DIR --sgd DIR [--compare] [--write]
"""
import argparse
import collections
import os
import re

import numpy as np

import corpora
import examples as ex
import model as m
import words as w

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 7
EPOCHS = 4
LEAST = 4  # times a word is seen to have a row
# The list of words that made `Endpointing` wait before there was a model.
STOP = """um uh er and but so or the a an my is to of for at on with because if i it's that's i'm like well""".split()


def vocabulary(sources):
    counts = collections.Counter()
    for parts in sources.values():
        for spoken, _ in parts["train"].turns:
            counts.update(spoken)
    return w.Vocabulary(counts, LEAST)


def whole_turns(sources):
    """Texts that are whole turns of at least two people: at a pause they sound finished."""
    counts = collections.Counter(" ".join(spoken) for name, parts in sources.items() if name != "ami"
                                 for spoken, _ in parts["train"].turns)
    return {text for text, count in counts.items() if count > 1}


def training_table(sources, words):
    random = np.random.default_rng(SEED)
    whole = whole_turns(sources)
    shares = {name: share for name, _, share in corpora.TRAINED}
    return ex.Table.joined([ex.Table(ex.examples(parts["train"], random, whole), words, shares[name])
                            for name, parts in sources.items()])


def auc(score, finished, weight):
    _, place = np.unique(score, return_inverse=True)
    yes = np.bincount(place, weight * finished)
    no = np.bincount(place, weight * (1 - finished))
    return (yes * (np.cumsum(no) - no / 2)).sum() / (yes.sum() * no.sum())


def figures(score, table):
    """Accuracy at 0.5, AUC, and false "finished" where 90 and 95 % of the finished are seen."""
    yes = table.finished == 1
    ranked = np.sort(score[yes])
    false = [table.weight[~yes & (score >= ranked[int(miss * len(ranked))])].sum() / table.weight[~yes].sum()
             for miss in (0.1, 0.05)]
    right = (table.weight * ((score >= 0) == yes)).sum() / table.weight.sum()
    return f"{right:.3f} {auc(score, table.finished, table.weight):.3f} {false[0]:.3f} {false[1]:.3f}"


def calibration(score, table):
    p = 1 / (1 + np.exp(-score))
    edges = np.clip((p * 10).astype(int), 0, 9)
    for bin_ in range(10):
        mine = edges == bin_
        weight = table.weight[mine].sum()
        if weight:
            said = (table.weight * p)[mine].sum() / weight
            true = (table.weight * table.finished)[mine].sum() / weight
            print(f"  said {said:.2f}, true {true:.2f}, share {weight / table.weight.sum():.2f}")


def stop_list(found):
    return np.array([-1.0 if spoken[-1] in STOP else 1.0 for spoken, _, _ in found])


def trained(sources, wide=True, deep=True):
    words = vocabulary(sources)
    model = m.Model(SEED, wide, deep)
    model.train(training_table(sources, words), SEED, EPOCHS)
    return words, model


def tests(sources, sgd):
    """Name to examples: each source's test part, by dialogue, and a source that is never trained on."""
    whole = whole_turns(sources)
    found = {name: ex.examples(parts["test"], None, whole) for name, parts in sources.items()}
    found["sgd"] = ex.examples(sgd, None, whole)
    found["sgd with all prefixes"] = ex.examples(sgd, None)
    return found


def compare(sources, found):
    for name, examples in found.items():
        print("stop list", name, figures(stop_list(examples), ex.Table(examples, w.Vocabulary({}, 1), 1)))
    for label, wide, deep in (("combinations", True, False), ("network", False, True), ("both", True, True)):
        words, model = trained(sources, wide, deep)
        for name, examples in found.items():
            table = ex.Table(examples, words, 1)
            print(label, name, figures(model.scores(table), table))
    for left_out in ("taskmaster", "star", "restaurants", "ami"):
        words, model = trained({name: parts for name, parts in sources.items() if name != left_out})
        table = ex.Table(found[left_out], words, 1)
        print("trained without", left_out, figures(model.scores(table), table))


def characters(values):
    """One printable character a whole number -43...43; "O" is 0."""
    return "".join(chr(79 + int(value)) for value in np.ravel(values))


def swift_text(name, note, values):
    text = characters(values)
    lines = re.findall(".{1,100}", re.sub("(XX|TO|FIX|HA)(?=X|DO|ME|CK)", r"\1\n", text))  # words the tests ban
    body = "\\#\n".join("        " + line for line in lines)
    return f'    /// {note}\n    static let {name}: StaticString = #"""\n{body}\n        """#\n'


def write(shipped, words):
    whole, scale = shipped.whole, shipped.scale
    head = "// Written by models/completeness/train.py; see its README for the data and their licences.\n\n"
    constants = [("combinationUnit", scale["wide"]), ("mixUnit", scale["word"] * scale["mix"]),
                 ("countUnit", scale["count"]), ("outUnit", scale["out"]), ("bias", shipped.bias),
                 ("slope", shipped.slope), ("offset", shipped.offset)]
    checks = [check - m.LEVEL if check >= 0 else m.LEVEL for check in words.checks]
    with open(f"{HERE}/../../Sources/Turns/CompletenessWeights.swift", "w") as file:
        file.write(head + "/// The weights of `Completeness`: whole numbers -43...43, one character each, used where they lie.\n")
        file.write("enum CompletenessWeights {\n    /// The character of 0, and the largest number.\n"
                   "    static let zero: UInt8 = 79\n    static let most = 43\n"
                   "    static func value(_ text: StaticString, _ index: Int) -> Int {\n"
                   "        Int(text.utf8Start[index]) - Int(zero)\n    }\n\n")
        for name, value in constants:
            file.write(f"    static let {name} = {float(value)!r}\n")
        file.write("\n" + swift_text("checks", "Per known row, what tells its word from others.", checks) + "\n")
        file.write(swift_text("combinations", "Per bucket of word combinations.", whole["wide"]) + "\n")
        file.write(swift_text("mix", "Per place and number of a word, 32 hidden units.", whole["mix"]) + "\n")
        file.write(swift_text("counts", "Per number of words, 32 hidden units.", whole["count"]) + "\n")
        file.write(swift_text("out", "Per hidden unit.", whole["out"]) + "}\n")
    with open(f"{HERE}/../../Sources/Turns/CompletenessVocabulary.swift", "w") as file:
        file.write(head + "/// What `Completeness` knows of words.\nenum CompletenessVocabulary {\n")
        file.write(swift_text("words", "Eight numbers a row: known words, endings, the start.", whole["word"]) + "}\n")
    with open(f"{HERE}/phrases.txt", encoding="utf-8") as file:
        phrases = [line.rstrip("\n") for line in file]
    texts = dict.fromkeys(" ".join(p.split(" ")[:k]) for p in phrases for k in range(1, len(p.split(" ")) + 1))
    with open(f"{HERE}/golden.tsv", "w", encoding="utf-8") as file:
        for text in texts:
            spoken = w.words(text)
            score = shipped.scores(ex.Table([(spoken, 1, 1.0), (spoken, 0, 1.0)], words, 1))[0] if spoken else None
            p = 0.0 if score is None else 1 / (1 + np.exp(-score))
            file.write(f"{p:.9f}\t{text}\n")


def main():
    parser = argparse.ArgumentParser()
    for name in ("taskmaster", "star", "polyai", "ami", "sgd"):
        parser.add_argument(f"--{name}", required=True, help="a checkout")
    parser.add_argument("--compare", action="store_true", help="also train and test the candidates")
    parser.add_argument("--write", action="store_true", help="write the Swift files and the golden file")
    args = vars(parser.parse_args())
    roots = {**args, "restaurants": args["polyai"], "nlupp": args["polyai"]}
    sources = {name: ex.read(reader, roots[name]) for name, reader, _ in corpora.TRAINED}
    sgd = ex.Texts()
    for parts in ex.read(corpora.sgd, args["sgd"]).values():
        sgd.turns += parts.turns
    for name, parts in sources.items():
        print(name, "turns:", {part: len(parts[part].turns) for part in ("train", "dev", "test")})
    print("sgd turns:", len(sgd.turns))
    found = tests(sources, sgd)
    print("\naccuracy at 0.5, AUC, false finished at 90 % and at 95 % recall")
    if args["compare"]:
        compare(sources, found)
    words, model = trained(sources)
    whole = whole_turns(sources)
    shipped = m.Quantised(model)
    shipped.calibrate(ex.Table.joined([ex.Table(ex.examples(parts["dev"], None, whole), words, share) for parts, share in
                                       ((sources[name], share) for name, _, share in corpora.TRAINED)]))
    for name, examples in found.items():
        table = ex.Table(examples, words, 1)
        print("shipped", name, figures(shipped.scores(table), table))
    print("calibration on sgd")
    calibration(shipped.scores(table := ex.Table(found["sgd"], words, 1)), table)
    if args["write"]:
        write(shipped, words)


if __name__ == "__main__":
    main()
