"""Writes the manifests: which pieces make which case, and its labels. Run once, before anything was tuned; its output
is fixed by SHA256SUMS and `build.py` refuses another. Kept so that anybody can see how the cases came to be.
"""
import functools
import hashlib
import json
import random

import build
import sound
from build import HERE, HOME

# speaker: (split, package, folder, suffix, language, licence)
VOICES = {
    "june": ("tune", "asterisk-core-sounds-fr-wav", "fr_CA_f_June", "wav", "fr", "CC-BY-SA-3.0"),
    "carlo": ("tune", "asterisk-core-sounds-it-wav", "it_IT_m_Carlo", "wav", "it", "CC-BY-3.0"),
    "armelle": ("tune", "asterisk-prompt-fr-armelle", "fr", "gsm", "fr", "BSD-style"),
    "allison": ("test", "asterisk-core-sounds-en-wav", "en_US_f_Allison", "wav", "en", "CC-BY-SA-3.0"),
    "allison-es": ("test", "asterisk-core-sounds-es-wav", "es_MX_f_Allison", "wav", "es", "CC-BY-SA-3.0"),
    "paola": ("test", "asterisk-prompt-it-menardi-wav", "it_IT_f_Menardi", "wav", "it", "CC-BY-SA-3.0-IT"),
    "ivrvoice": ("test", "asterisk-core-sounds-ru-wav", "ru_RU_f_IvrvoiceRU", "wav", "ru", "CC-BY-3.0"),
    "july": ("test", "asterisk-prompt-es-co", "es", "gsm", "es", "GPL-2"),
}
SPHINX = "usr/share/pocketsphinx/test/data"
# file: (speaker, expectation)
ENGLISH = {
    "librivox/sense_and_sensibility_01_austen_64kb-0870.wav": ("librivox", "open"),
    "librivox/sense_and_sensibility_01_austen_64kb-0880.wav": ("librivox", "open"),
    "librivox/sense_and_sensibility_01_austen_64kb-0890.wav": ("librivox", "open"),
    "librivox/sense_and_sensibility_01_austen_64kb-0920.wav": ("librivox", "open"),
    "librivox/sense_and_sensibility_01_austen_64kb-0930.wav": ("librivox", "open"),
    "goforward.raw": ("sphinx-a", "open"),
    "something.raw": ("sphinx-b", "open"),
    "cards/001.wav": ("sphinx-c", "open"),
    "cards/002.wav": ("sphinx-c", "open"),
    "cards/003.wav": ("sphinx-c", "open"),
    "cards/005.wav": ("sphinx-c", "open"),
    "tidigits/dhd.2934z.raw": ("sphinx-d", "digits:5"),
}
MUSIC = {
    "macroform-cold_day": "tune",
    "macroform-robot_dity": "tune",
    "macroform-the_simplicity": "tune",
    "manolo_camp-morning_coffee": "test",
    "reno_project-system": "test",
}
DIGITS = "zero one two three four five six seven eight nine".split()
LEVEL = -20  # dB of full scale over speech: a usual telephone level
END = 4.0  # seconds of line noise after the turn, so that a late decision can be seen


class Line:
    """One side of a call being laid out: pieces at times, and what they mean."""

    def __init__(self, speaker, rng):
        self.speaker, self.rng, self.t = speaker, rng, 0.0
        self.pieces, self.segments, self.words = [], [], []
        self.level = LEVEL + rng.uniform(-5, 3)

    def add(self, of, words=None, whole=False, aligned=None):
        """Puts a recording at the cursor: trimmed to its speech, or `whole` with its own pauses."""
        samples = build.piece(of)
        runs = sound.speech(samples)
        if not runs:
            raise ValueError(of)
        first, last = runs[0][0], runs[-1][1]
        start, stop = (0.0, len(samples) / sound.RATE) if whole else (max(0, first - 0.02), last + 0.02)
        at = round(self.t, 4)
        self.pieces.append(
            {"of": of, "at": at, "db": round(self.level - sound.loudness(samples, runs), 2),
             "cut": [round(start, 4), round(stop, 4)]}
        )
        runs = [[round(at + a - start, 3), round(at + b - start, 3)] for a, b in runs]
        for run in runs:
            if self.segments and run[0] - self.segments[-1][1] < 0.1:
                self.segments[-1][1] = run[1]
            else:
                self.segments.append(list(run))
        if words:
            self.words += spread(words, runs)
        for w, a, b in aligned or []:
            self.words.append({"w": w, "a": round(at + a - start, 3), "b": round(at + b - start, 3)})
        self.t = at + stop - start

    def wait(self, seconds):
        self.t += seconds

    def recipe(self, seconds, noise=None):
        colour, db = noise or ("room", round(self.rng.uniform(-66, -54), 1))
        return {"seconds": round(seconds, 3), "noise": [colour, db, self.rng.randrange(1 << 30)], "pieces": self.pieces}


def spread(text, runs):
    """Word times inside speech runs, shared out by length of spelling: built, not aligned."""
    words = text.split()
    total, spoken = sum(len(w) for w in words), sum(b - a for a, b in runs)
    out, done = [], 0

    def place(share):
        left = share * spoken
        for a, b in runs:
            if left <= b - a + 1e-9:
                return round(a + left, 3)
            left -= b - a
        return runs[-1][1]

    for w in words:
        a = place(done / total + 1e-6)
        done += len(w)
        out.append({"w": w, "a": a, "b": place(done / total)})
    return out


def path(voice, name):
    _, package, folder, suffix, _, _ = VOICES[voice]
    return f"{package}:usr/share/asterisk/sounds/{folder}/{name}.{suffix}"


@functools.cache
def transcribed():
    return {t["piece"]: t["words"] for t in map(json.loads, open(HERE / "transcripts.jsonl"))}


def aligned(voice, name):
    """Words and times of a prompt whose transcript was aligned, or None."""
    return transcribed().get(name) if voice == "allison" else None


def exists(voice, name):
    package, rest = path(voice, name).split(":", 1)
    return (HOME / "x" / package / rest).exists()


def say(voice, character):
    """The piece for a digit or letter, and the word a recogniser would write. English digits are spelled, other
    languages' are numerals, as recognisers write them."""
    if character.isdigit():
        word = DIGITS[int(character)] if VOICES[voice][4] == "en" else character
        return path(voice, f"digits/{character}"), word
    return path(voice, f"letters/{character}"), character


def case(kind, made, split, number, line, expect, source, licence, end=None, **more):
    out = {
        "id": f"{kind}-{line.speaker}-{number:03d}", "kind": kind, "made": made, "split": split,
        "speaker": line.speaker, "source": source, "licence": licence, "expect": expect,
        "segments": line.segments, "end": end if end is not None else (line.segments[-1][1] if line.segments else None),
    }
    if line.words:
        out["words"] = line.words
    out.update(more)
    return out


def gaps(segments):
    return [[a[1], b[0]] for a, b in zip(segments, segments[1:]) if b[0] - a[1] >= 0.1]


def dictate(voice, groups, pauses, rng, kind, expect, number, full):
    """Groups of characters with a pause after each group but the last."""
    split, package, _, _, _, licence = VOICES[voice]
    line = Line(voice, rng)
    line.wait(rng.uniform(0.5, 1.0))
    for i, group in enumerate(groups):
        for j, character in enumerate(group):
            line.add(*say(voice, character))
            if j + 1 < len(group):
                line.wait(rng.uniform(0.03, 0.25))
        if i + 1 < len(groups):
            line.wait(pauses[i])
    out = case(kind, "built", split, number, line, expect, package, licence, said="".join(groups), full=full)
    out["pauses"] = gaps(line.segments)
    out["recipe"] = line.recipe(line.t + END)
    return out


def open_turns(voice, rng, most):
    split, package, folder, suffix, _, licence = VOICES[voice]
    root = HOME / "x" / package / "usr/share/asterisk/sounds" / folder
    names = sorted(f.stem for f in root.glob(f"*.{suffix}"))
    rng.shuffle(names)
    names.sort(key=lambda name: aligned(voice, name) is None)  # those with words first
    out = []
    for name in names:
        if len(out) == most:
            break
        if name.startswith(("tt-monkeys", "beep", "spy-jingle")):
            continue
        runs = sound.speech(build.piece(path(voice, name)))
        if not runs or runs[-1][1] - runs[0][0] < 1.5 or runs[-1][1] > 32:
            continue
        line = Line(voice, rng)
        line.wait(rng.uniform(0.5, 1.2))
        line.add(path(voice, name), whole=True, aligned=aligned(voice, name))
        made = case("open", "human", split, len(out), line, "open", package, licence, piece=name)
        made["pauses"] = gaps(line.segments)
        made["recipe"] = line.recipe(line.segments[-1][1] + END)
        out.append(made)
    return out


# Share of pauses inside turns at least this long, of people talking to agents in English: what a silence timer cuts in
# the published eot-bench table (at 300 ms 55.6 %, 600 ms 21.7 %, 1.0 s 10 %, 1.6 s 5 %); the last point is assumed.
LONGER = [(0.1, 1.0), (0.3, 0.556), (0.6, 0.217), (1.0, 0.10), (1.6, 0.05), (3.0, 0.0)]


def pause_length(rng):
    """A pause drawn from `LONGER`, linear between its points."""
    u = rng.random()
    for (a, high), (b, low) in zip(LONGER, LONGER[1:]):
        if low <= u:
            return round(a + (b - a) * (high - u) / (high - low), 3)
    return LONGER[-1][0]


def stretched(cases, rng):
    """Human turns with pauses, each pause made as long as people's talking to agents are. The voice at every pause is
    the real one; only how long the silence lasts is drawn: built."""
    out = []
    for c in cases:
        if c["kind"] != "open" or c["made"] != "human" or not c["pauses"]:
            continue
        part = c["recipe"]["pieces"][0]
        line = Line(c["speaker"], rng)
        line.wait(rng.uniform(0.5, 1.2))
        edges = [part["cut"][0], *[round((a + b) / 2 - part["at"] + part["cut"][0], 4) for a, b in c["pauses"]], part["cut"][1]]
        shift = part["at"] - part["cut"][0]
        for i, (a, b) in enumerate(zip(edges, edges[1:])):
            line.pieces.append({**part, "at": round(line.t, 4), "cut": [a, b]})
            for x, y in c["segments"]:
                if a <= x - shift < b:
                    line.segments.append([round(x - shift - a + line.t, 3), round(y - shift - a + line.t, 3)])
            for w in c.get("words", []):
                if a <= (w["a"] + w["b"]) / 2 - shift < b:
                    moved = {k: round(w[k] - shift - a + line.t, 3) for k in ("a", "b")}
                    line.words.append({"w": w["w"], **moved})
            line.t += b - a
            if i < len(c["pauses"]):
                was = c["pauses"][i][1] - c["pauses"][i][0]
                line.t = round(line.t + max(0, pause_length(rng) - was), 4)
        again = {k: c[k] for k in ("id", "kind", "split", "speaker", "source", "licence", "expect", "piece")}
        again.update(id=c["id"] + "-stretched", made="built", segments=line.segments, end=line.segments[-1][1])
        if line.words:
            again["words"] = line.words
        again["pauses"] = gaps(line.segments)
        again["recipe"] = line.recipe(line.segments[-1][1] + END)
        out.append(again)
    return out


def dictated(voice, rng):
    d = lambda n: "".join(rng.choice("0123456789") for _ in range(n))
    pause = lambda n, top=3.0: [round(rng.uniform(0.4, top), 2) for _ in range(n)]
    out = []
    for i in range(14):
        n = (4, 5, 6, 8, 10, 12, 16)[i % 7]
        said = d(n)
        cuts = sorted(rng.sample(range(1, n), min(n - 1, 1 + n // 4)))
        groups = [said[a:b] for a, b in zip([0, *cuts], [*cuts, n])]
        expect, full = (f"digits:{n}", True) if i % 3 else (f"digits:{max(1, n - 2)}-{n}", True)
        if i == 9:
            expect, full = f"digits:{n}-{n + 2}", False
        out.append(dictate(voice, groups, pause(len(groups) - 1), rng, "digits", expect, i, full))
    for i in range(6):
        said = rng.choice("23456789") + d(2) + rng.choice("23456789") + d(6)
        groups = [said[:3], said[3:6], said[6:]] if i % 2 else [said[:3], said[3:6], said[6:8], said[8:]]
        out.append(dictate(voice, groups, pause(len(groups) - 1), rng, "phone", "phone", i, True))
    letters = [c for c in "abcdefghijklmnopqrstuvwxyz" if exists(voice, f"letters/{c}")]
    if letters:
        for i in range(6):
            said = "".join(rng.choice(letters) for _ in range(rng.randint(4, 9)))
            k = rng.randint(1, len(said) - 1)
            out.append(dictate(voice, [said[:k], said[k:]], pause(1), rng, "spelling", "spelling", i, False))
        for i in range(6):
            # A house number, a street spelled out, a postal code: the shape of an address, said character by character.
            groups = [d(3), "".join(rng.choice(letters) for _ in range(5)), d(5)]
            pauses = [round(rng.uniform(1.2, 4.5), 2) for _ in range(2)]
            out.append(dictate(voice, groups, pauses, rng, "address", "address", i, False))
    return out


def no_word(voice):
    return {"en": "no", "fr": "non", "it": "no", "es": "no", "ru": "нет"}[VOICES[voice][4]]


def short_answers(voice, rng):
    """"No" by a person, alone and with thanks after it; each at four places."""
    split, package, _, _, _, licence = VOICES[voice]
    out = []
    if not exists(voice, "vm-no"):
        return out
    for i in range(4):
        line = Line(voice, rng)
        line.wait(rng.uniform(0.5, 2.0))
        line.add(path(voice, "vm-no"), no_word(voice))
        made = case("yesno", "human", split, i, line, "yes_no", package, licence)
        made["pauses"] = []
        made["recipe"] = line.recipe(line.t + END)
        out.append(made)
    return out


def phrases(kind, split):
    voices = ("awb", "kal16") if split == "tune" else ("rms", "slt")
    return [(i, p) for i, p in enumerate(build.phrases()) if p["kind"] == kind and p["voice"] in voices]


def synthetic_answers(split, rng):
    out = []
    for i, p in phrases("yesno", split):
        line = Line(f"flite-{p['voice']}", rng)
        line.wait(rng.uniform(0.5, 2.0))
        line.add(f"synthetic:{i}", p["text"])
        made = case("yesno", "synthetic", split, i, line, "yes_no", "flite", "flite")
        made["pauses"] = gaps(line.segments)
        made["recipe"] = line.recipe(line.t + END)
        out.append(made)
    return out


def thinking_aloud(split, rng):
    """Open answers as people give them, with words, said phrase by phrase by flite; the pauses are drawn like the
    stretched ones. Every phrase falls at its end, as flite has it: the words know better than the voice."""
    out, number = [], 0
    by = {}
    for i, p in phrases("open", split):
        by.setdefault((p["voice"], p["turn"]), []).append((i, p))
    for (voice, _), parts in sorted(by.items()):
        line = Line(f"flite-{voice}", rng)
        line.wait(rng.uniform(0.5, 1.2))
        for k, (i, p) in enumerate(parts):
            line.wait(pause_length(rng) if k else 0)
            line.add(f"synthetic:{i}", p["text"])
        made = case("open", "synthetic", split, number, line, "open", "flite", "flite")
        number += 1
        made["pauses"] = gaps(line.segments)
        made["recipe"] = line.recipe(line.t + END)
        out.append(made)
    return out


def long_prompts(voice, least):
    _, package, folder, suffix, _, _ = VOICES[voice]
    root = HOME / "x" / package / "usr/share/asterisk/sounds" / folder
    for f in sorted(root.glob(f"*.{suffix}")):
        runs = sound.speech(build.piece(path(voice, f.stem)))
        if runs and runs[-1][1] - runs[0][0] >= least and not f.stem.startswith(("tt-monkeys", "beep", "spy-jingle")):
            yield f.stem


def interrupters(split):
    """English recordings with words: (speaker, piece, text, word times, source, licence)."""
    if split == "test":
        return [("allison", path("allison", n), None, w, VOICES["allison"][1], VOICES["allison"][5])
                for n, w in sorted(transcribed().items())]
    words = transcripts()
    return [(ENGLISH[n][0], f"pocketsphinx-testdata:{SPHINX}/{n}", words[n], None, "pocketsphinx-testdata", "BSD-2-Clause")
            for n in sorted(ENGLISH) if n in words]


def overlap(split, rng):
    """The agent speaks (one voice), the caller does something over it (another)."""
    voices = [v for v in VOICES if VOICES[v][0] == split]
    long_ = {v: list(long_prompts(v, 6.0)) for v in voices}
    mid = {v: [n for n in long_prompts(v, 0.7)] for v in voices}
    doings = (
        [("interruption", "human", None)] * 36
        + [("interruption", "synthetic", p) for p in phrases("interruption", split)]
        + [("backchannel", "synthetic", p) for p in phrases("backchannel", split)]
        + [("cough", "synthetic", None)] * 16
        + [("echo", "built", None)] * 24
        + [("taps", "synthetic", None)] * 8
        + [("quiet", "built", None)] * 8
    )
    out = []
    for number, (kind, made, phrase) in enumerate(doings):
        agent_voice = rng.choice([v for v in voices if len(long_[v]) > 3 and not (
            (kind, made) == ("interruption", "human") and v.startswith("allison"))])
        agent = Line(agent_voice, rng)
        agent.wait(0.4)
        agent.add(path(agent_voice, rng.choice(long_[agent_voice])), whole=True)
        begin, stop = agent.segments[0][0], agent.segments[-1][1]
        onset = rng.uniform(begin + 0.8, max(begin + 1.0, stop - 2.5))
        caller = Line("line", rng)
        doing, source, licence = {"kind": kind}, "flite", "flite"
        if phrase is not None:
            caller.speaker = f"flite-{phrase[1]['voice']}"
            caller.t = onset
            caller.add(f"synthetic:{phrase[0]}", phrase[1]["text"])
        elif kind == "interruption":
            english = interrupters(split)
            if number % 5 < 3:
                caller.speaker, of, text, times, source, licence = rng.choice(english)
            else:
                other = rng.choice([v for v in voices if v.split("-")[0] != agent_voice.split("-")[0]])
                caller.speaker, source, licence, text = other, VOICES[other][1], VOICES[other][5], None
                name = rng.choice(mid[other])
                of, times = path(other, name), aligned(other, name)
            caller.t = onset
            caller.add(of, text, aligned=times)
        elif kind == "cough":
            caller.pieces.append({"of": f"noise:cough:{rng.randrange(1 << 20)}", "seconds": 0.45, "at": round(onset, 3),
                                  "db": round(rng.uniform(2, 10), 1)})
            doing["span"] = [round(onset, 3), round(onset + 0.4, 3)]
            source, licence = "synthetic", "none"
        elif kind == "taps":
            caller.pieces.append({"of": f"noise:taps:{rng.randrange(1 << 20)}", "seconds": 3.0, "at": round(onset, 3),
                                  "db": round(rng.uniform(-14, -4), 1)})
            doing["span"] = [round(onset, 3), round(onset + 3.0, 3)]
            source, licence = "synthetic", "none"
        elif kind == "echo":
            # The caller's telephone gives the agent's voice back: later and weaker.
            later, loss = round(rng.uniform(0.04, 0.35), 3), round(rng.uniform(-36, -14), 1)
            for p in agent.pieces:
                caller.pieces.append({**p, "at": round(p["at"] + later, 4), "db": round(p["db"] + loss, 2)})
            doing.update(span=[round(begin + later, 3), round(stop + later, 3)], delay=later, loss_db=loss)
            source, licence = VOICES[agent_voice][1], VOICES[agent_voice][5]
        if caller.segments:
            doing["span"] = [caller.segments[0][0], caller.segments[-1][1]]
        seconds = max(stop, doing.get("span", [0, 0])[1]) + 3.0
        c = case(kind, made, split, number, caller, "open", source, licence, doing=doing,
                 agent_speaker=agent_voice, agent_segments=agent.segments)
        c["recipe"], c["agent"] = caller.recipe(seconds), agent.recipe(seconds, ("white", -90))
        out.append(c)
    return out


def background(split, rng):
    """What is not speech: hold music by people, line and room noise by arithmetic; no agent speaks."""
    out = []
    for name, part in MUSIC.items():
        if part != split:
            continue
        of = f"asterisk-moh-opsound-wav:usr/share/asterisk/moh/{name}.wav"
        samples = build.piece(of)
        seconds, number = len(samples) / sound.RATE, 0
        for a in range(0, int(seconds) - 30, 60):
            line, b = Line(name, rng), min(a + 60.0, seconds)
            here = samples[int(a * sound.RATE) : int(b * sound.RATE)]
            line.pieces.append({"of": of, "at": 0.0, "cut": [float(a), b],
                                "db": round(rng.uniform(-34, -20) - sound.loudness(here, [[0, b - a]]), 2)})
            c = case("music", "human", split, number, line, "open", "asterisk-moh-opsound-wav", "CC-BY-SA-3.0")
            c["recipe"] = line.recipe(b - a)
            out.append(c)
            number += 1
    for number, (colour, db) in enumerate(
        [("room", -50), ("room", -42), ("room", -36), ("white", -46), ("white", -38), ("hum", -40), ("hum", -32),
         ("taps", -42), ("taps", -34), ("taps", -28)]
    ):
        line = Line(colour, rng)
        c = case("noise", "synthetic", split, number, line, "open", "synthetic", "none")
        c["recipe"] = line.recipe(60.0, (colour, db))
        out.append(c)
    return out


def sphinx(rng):
    out, seen = [], {}
    words = transcripts()
    for name, (speaker, expect) in ENGLISH.items():
        line = Line(speaker, rng)
        line.wait(rng.uniform(0.5, 1.0))
        line.add(f"pocketsphinx-testdata:{SPHINX}/{name}", whole=True)
        seen[speaker] = seen.get(speaker, -1) + 1
        kind = expect.split(":")[0]
        c = case(kind, "human", "tune", seen[speaker], line, expect, "pocketsphinx-testdata",
                 "public domain" if speaker == "librivox" else "BSD-2-Clause", piece=name)
        if name in words:
            c["words"] = spread(words[name], line.segments)
        if kind == "digits":
            c.update(said="29340", full=True)
        c["pauses"] = gaps(line.segments)
        c["recipe"] = line.recipe(line.segments[-1][1] + END)
        out.append(c)
    return out


def transcripts():
    out = {
        "goforward.raw": "go forward ten meters",
        "something.raw": "go somewhere and do something",
        "tidigits/dhd.2934z.raw": "two nine three four zero",
    }
    for folder, file in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in open(HOME / "x/pocketsphinx-testdata" / SPHINX / folder / file):
            text, name = line.strip().rsplit("(", 1)
            out[f"{folder}/{name[:-1]}.wav"] = text.replace("<s>", "").replace("</s>", "").strip()
    return out


def noisy(cases, rng):
    """Some open turns again with noise 12 to 20 dB under the speech: built."""
    out = []
    for c in cases:
        if c["kind"] != "open" or c["made"] != "human" or rng.random() > 0.2:
            continue
        again = json.loads(json.dumps(c))
        again.update(id=c["id"] + "-noisy", made="built")
        level = LEVEL - rng.uniform(12, 20)
        again["recipe"]["noise"] = [rng.choice(["room", "white", "hum"]), round(level, 1), rng.randrange(1 << 30)]
        out.append(again)
    return out


def main():
    sums = []
    for split in ("tune", "test"):
        rng = random.Random(f"parley turns {split}")
        cases = []
        for voice, (part, *_) in VOICES.items():
            if part == split:
                cases += open_turns(voice, rng, 40) + dictated(voice, rng) + short_answers(voice, rng)
        if split == "tune":
            cases += sphinx(rng)
        cases += noisy(cases, rng) + stretched(cases, rng) + synthetic_answers(split, rng) + thinking_aloud(split, rng)
        cases += overlap(split, rng) + background(split, rng)
        with open(HERE / f"{split}.jsonl", "w") as out:
            for c in cases:
                for _, recipe, key in build.sides(c):
                    c[key] = hashlib.sha256(sound.wav(build.render(recipe))).hexdigest()
                out.write(json.dumps(c, ensure_ascii=False) + "\n")
        assert len({c["id"] for c in cases}) == len(cases)
        print(split, len(cases))
    for name in ("synthetic.jsonl", "synthetic.wav", "tune.jsonl", "test.jsonl"):
        sums.append(f"{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}  {name}\n")
    open(HERE / "SHA256SUMS", "w").writelines(sums)


if __name__ == "__main__":
    main()
