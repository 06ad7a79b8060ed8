"""Reads dialogue corpora: each yields (dialogue, text) of people who talk to an assistant."""
import glob
import json
import re


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def paths(root, pattern):
    found = sorted(glob.glob(f"{root}/{pattern}"))
    if not found:
        raise SystemExit(f"{root}: no {pattern}")
    return found


def taskmaster(root):
    """Taskmaster-3 and -4 (CC BY 4.0), written: film tickets and coffee."""
    seen = set()
    for path in paths(root, "TM-*/reward/*.json"):
        for example in load(path):
            for index, message in enumerate(json.loads(example["context"])):
                key = (example["conversation_id"], index)
                if message.get("role") == "user" and message.get("text") and key not in seen:
                    seen.add(key)
                    yield key[0], message["text"]
    for path in paths(root, "TM-4-2024/data/*.json"):
        for dialogue in load(path):
            for turn in dialogue["utterances"]:
                if turn["speaker"] == "user" and (dialogue["conversation_id"], turn["index"]) not in seen:
                    yield dialogue["conversation_id"], turn["text"]


def star(root):
    """STAR (MIT), written: 24 tasks from banking to doctors and rides."""
    for path in paths(root, "dialogues/*.json"):
        dialogue = load(path)
        for event in dialogue["Events"]:
            if event["Agent"] == "User" and event["Action"] == "utter":
                yield str(dialogue["DialogueID"]), event["Text"]


def restaurants(root):
    """RESTAURANTS-8K (CC BY 4.0): what callers of a booking line said."""
    for name in ("train_0", "test"):  # the other files are parts of train_0
        for example in load(f"{root}/span_extraction/restaurant8k/{name}.json"):
            yield example["userInput"]["text"], example["userInput"]["text"]


def nlupp(root):
    """NLU++ (CC BY 4.0): hotel and bank customers."""
    for path in paths(root, "nlupp/data/*/fold*.json"):
        for example in load(path):
            yield example["text"], example["text"]


def ami(root):
    """AMI meetings (CC BY 4.0), spoken, with hesitations: sentences of each speaker."""
    for path in paths(root, "data/ami-transcripts-speaker/*.txt"):
        meeting = path.rsplit("/", 1)[1].split(".")[0]
        with open(path, encoding="utf-8") as file:
            for sentence in re.findall(r"[^.?!]*[.?!]", file.read()):
                if not re.search(r"\b(um|uh)\W*$", sentence, re.I):  # broken off
                    yield meeting, sentence


def sgd(root):
    """Schema-Guided Dialogue (CC BY-SA 4.0), test part; never trained on."""
    for path in paths(root, "test/dialogues_*.json"):
        for dialogue in load(path):
            for turn in dialogue["turns"]:
                if turn["speaker"] == "USER":
                    yield dialogue["dialogue_id"], turn["utterance"]


# Name, reader, share of the training weight.
TRAINED = [("taskmaster", taskmaster, 1.0), ("star", star, 1.0), ("restaurants", restaurants, 0.7),
           ("nlupp", nlupp, 0.3), ("ami", ami, 0.5)]
UNSEEN = [("sgd", sgd)]
