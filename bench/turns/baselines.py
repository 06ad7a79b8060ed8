"""What the models compared with say about every case, kept in .parley/turns/baselines/NAME.jsonl: Silero VAD's chance of
speech for each 32 ms (in thousandths) and, for each of its silences of 200 ms, Smart Turn's chance that the turn is over.

    baselines.py [MANIFEST...]      default: tune.jsonl and test.jsonl beside this file

A case whose recording has not changed is not computed again.
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime
import soxr

import score
import sound
from build import HERE, HOME

sys.path.insert(0, str(HOME / "x" / "pipecat-ai" / "pipecat" / "audio" / "turn" / "smart_turn"))
from _whisper_features import compute_whisper_log_mel_features as features  # noqa: E402

STOP = 0.2  # Smart Turn is asked this long into a silence, as in Pipecat
BEFORE = 0.5  # it hears this much from before the speech, as in Pipecat
WINDOW = 8 * 16000


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(HOME / "x" / path), options)


class Silero:
    """8 kHz, 256 samples a chunk with the 32 before them, state kept from the recording's start."""

    def __init__(self):
        self.model = session("silero-vad/silero_vad/data/silero_vad.onnx")

    def chances(self, samples):
        state, context, out = np.zeros((2, 1, 128), np.float32), np.zeros(32, np.float32), []
        samples = samples.astype(np.float32)
        for i in range(0, len(samples) - 255, 256):
            chunk = np.concatenate([context, samples[i : i + 256]])
            context = chunk[-32:]
            p, state = self.model.run(None, {"input": chunk[None], "state": state, "sr": np.array(8000, np.int64)})
            out.append(round(float(p[0, 0]) * 1000))
        return out


class SmartTurn:
    """Version 3.2: the last 8 s at 16 kHz, quiet in front."""

    def __init__(self):
        self.model = session("pipecat-ai/pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx")
        self.name = self.model.get_inputs()[0].name

    def chance(self, samples):
        wide = soxr.resample(samples.astype(np.float32), 8000, 16000, quality="HQ")[-WINDOW:]
        wide = np.concatenate([np.zeros(WINDOW - len(wide), np.float32), wide])
        mel = np.asarray(features(wide, do_normalize=True), np.float32).reshape(1, 80, 800)
        return float(np.ravel(self.model.run(None, {self.name: mel})[0])[0])


def main():
    silero, smart = Silero(), SmartTurn()
    (HOME / "baselines").mkdir(parents=True, exist_ok=True)
    for manifest in sys.argv[1:] or [HERE / "tune.jsonl", HERE / "test.jsonl"]:
        name = pathlib.Path(manifest).stem
        path = HOME / "baselines" / f"{name}.jsonl"
        known = {b["id"]: b for b in score.lines(path)} if path.exists() else {}
        cases, out, asked = score.lines(manifest), [], 0
        for case in cases:
            entry = known.get(case["id"])
            if not entry or entry["sha256"] != case["sha256"]:
                samples = sound.read_mulaw(HOME / "wav" / case["split"] / f"{case['id']}.wav")
                entry = {"id": case["id"], "sha256": case["sha256"], "silero": silero.chances(samples)}
                if case["kind"] in score.TALK:
                    runs, entry["smart_turn"] = score.runs([p / 1000 for p in entry["silero"]]), {}
                    for i, run in enumerate(runs):
                        at = run[1] + STOP
                        if at * sound.RATE > len(samples) or (i + 1 < len(runs) and runs[i + 1][2] <= at):
                            continue
                        start = max(0, round((runs[0][0] - BEFORE) * sound.RATE))
                        entry["smart_turn"][str(i)] = round(smart.chance(samples[start : round(at * sound.RATE)]), 4)
                        asked += 1
            out.append(json.dumps(entry) + "\n")
        path.write_text("".join(out))
        print(f"{name}: {len(cases)} cases, Smart Turn asked {asked} times anew")


if __name__ == "__main__":
    main()
