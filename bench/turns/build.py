"""Renders the cases of the manifests to .parley/turns/wav and checks every one against its checksum.

    build.py [MANIFEST...]      default: tune.jsonl and test.jsonl beside this file

A recipe is {"seconds", "noise": [colour, dB, seed], "pieces": [{"of", "at", "db", "cut": [a, b]?, "delay"?}...]}:
`of` names a file of a package (package:path), `synthetic:index` a phrase of synthetic.wav, `noise:colour:seed` a
synthetic noise `seconds` long; `db` is the gain.
"""
import functools
import hashlib
import json
import pathlib
import sys

import numpy as np

import sound
from echoes import with_echoes

HERE = pathlib.Path(__file__).resolve().parent
HOME = HERE.parent.parent / ".parley" / "turns"


@functools.cache
def phrases():
    return [json.loads(line) for line in open(HERE / "synthetic.jsonl")]


@functools.lru_cache(maxsize=64)
def piece(of, seconds=0.0):
    """Samples of what `of` names."""
    package, rest = of.split(":", 1)
    if package == "synthetic":
        entry = phrases()[int(rest)]
        whole = synthetic()
        at = round(entry["at"] * sound.RATE)
        return whole[at : at + round(entry["seconds"] * sound.RATE)]
    if package == "noise":
        colour, seed = rest.split(":")
        return sound.noise(colour, seconds, -20, int(seed))
    return sound.read(HOME / "x" / package / rest)


@functools.cache
def synthetic():
    return sound.read_mulaw(HERE / "synthetic.wav")


def render(recipe):
    """Mu-law bytes of a recipe."""
    colour, db, seed = recipe["noise"]
    out = sound.noise(colour, recipe["seconds"], db, seed)
    for part in recipe["pieces"]:
        samples = piece(part["of"], part.get("seconds", 0.0))
        if "cut" in part:
            samples = samples[round(part["cut"][0] * sound.RATE) : round(part["cut"][1] * sound.RATE)]
        at = round(part["at"] * sound.RATE)
        n = min(len(samples), len(out) - at)
        out[at : at + n] += samples[:n] * sound.gain(part["db"])
    return sound.mulaw(out)


def sides(case):
    """The recordings of a case: the caller's, and the agent's where it speaks."""
    yield case["id"], case["recipe"], case.get("sha256")
    if "agent" in case:
        yield case["id"] + ".agent", case["agent"], case["agent_sha256"]


def build(manifest):
    """Renders what is not there yet. Returns (built, wrong)."""
    built, wrong = 0, []
    for case in with_echoes([json.loads(line) for line in open(manifest)]):
        for name, recipe, sum_ in sides(case):
            folder = HOME / "wav" / case["split"]
            path = folder / f"{name}.wav"
            if path.exists() and sum_ in (None, hashlib.sha256(path.read_bytes()).hexdigest()):
                continue
            data = sound.wav(render(recipe))
            if sum_ not in (None, hashlib.sha256(data).hexdigest()):
                wrong.append(name)
                continue
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            built += 1
        if case.get("words"):
            words = HOME / "wav" / case["split"] / f"{case['id']}.words.json"
            words.write_text(json.dumps(case["words"], ensure_ascii=False))
    return built, wrong


def main():
    for line in open(HERE / "SHA256SUMS"):
        sum_, name = line.split()
        if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != sum_:
            sys.exit(f"{name} is not the part that was fixed: its checksum differs from SHA256SUMS")
    failed = False
    for manifest in sys.argv[1:] or [HERE / "tune.jsonl", HERE / "test.jsonl"]:
        built, wrong = build(manifest)
        print(f"{pathlib.Path(manifest).name}: {built} recordings built, {len(wrong)} wrong", *wrong[:5])
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
