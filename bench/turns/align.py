"""Aligns the transcripts of Allison Smith's prompts with their recordings: writes transcripts.jsonl, word times in
seconds from the recording's start. Needs pocketsphinx 5 beside requirements.txt; run once, its output is kept.

The transcripts were mended from a recogniser's draft, not checked by a listener; what does not align well is left out.
"""
import json

import numpy as np
import pocketsphinx

import plan
import sound
from build import HERE, HOME


def main():
    kept, left = [], []
    for line in open(HERE / "transcripts.tsv"):
        name, text = line.rstrip("\n").split("\t")
        package, rest = plan.path("allison", name).split(":", 1)
        samples, rate = sound.pcm(str(HOME / "x" / package / rest))
        wide = np.zeros(2 * len(samples))
        wide[::2] = 2 * samples
        wide = sound.fir(wide, sound.band(60, 3900, 2 * rate))
        decoder = pocketsphinx.Decoder(samprate=16000, loglevel="FATAL", lm=None)
        if any(decoder.lookup_word(w) is None for w in text.split()):
            left.append((name, "unknown word"))
            continue
        decoder.set_align_text(text)
        decoder.start_utt()
        decoder.process_raw((np.clip(wide, -1, 1) * 32000).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        words = []
        try:
            for s in decoder.seg():
                if s.word[0] not in "<[(" and s.word != "NULL":
                    words.append([s.word.split("(")[0], round(s.start_frame / 100, 2), round((s.end_frame + 1) / 100, 2)])
        except Exception:
            words = []
        runs = sound.speech(sound.read(HOME / "x" / package / rest))
        good = [w[0] for w in words] == text.split() and abs(words[-1][2] - runs[-1][1]) < 0.6
        # A wrong transcript shows as a word squeezed or drawn out.
        good = good and all(0.03 <= b - a <= 1.3 for _, a, b in words)
        (kept if good else left).append((name, words))
    with open(HERE / "transcripts.jsonl", "w") as out:
        for name, words in kept:
            out.write(json.dumps({"piece": name, "words": words}) + "\n")
    print(len(kept), "aligned; left out:", *left, sep="\n")


if __name__ == "__main__":
    main()
