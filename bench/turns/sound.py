"""Reading, shaping and labelling sound. 8 kHz, float64 samples in -1...1; times in seconds.

Everything is element by element in a fixed order, so that a case renders to the same bytes on every machine.
"""
import os
import wave

import numpy as np

RATE = 8000
FRAME = 80  # 10 ms, the grain of every label


def fir(samples, taps):
    """FIR by shifted sums (no FFT, no dot product: their order of addition differs between machines)."""
    if not len(samples):
        return samples
    half = len(taps) // 2
    padded = np.pad(samples, half, mode="edge")  # a recording that starts off zero must not click
    out = np.zeros(len(samples))
    for k, tap in enumerate(taps):
        out += tap * padded[k : k + len(samples)]
    return out


def band(low, high, rate, half=50):
    """Windowed-sinc band-pass taps between `low` and `high` Hz, rounded so that libm cannot change them."""
    n = np.arange(-half, half + 1, dtype=float)
    pick = lambda cut: 2 * cut / rate * np.sinc(2 * cut / rate * n)
    return np.round((pick(high) - pick(low)) * np.hamming(2 * half + 1), 9)


def read(path):
    """A mono file as 8 kHz samples through a telephone's 200-3400 Hz (which also takes the thumps at some starts)."""
    samples, rate = pcm(str(path))
    assert rate in (RATE, 2 * RATE), (path, rate)
    samples = fir(samples, band(200, 3400, rate))[:: rate // RATE]
    if str(path).endswith(".gsm"):
        samples[:320] = 0  # these recordings start with a thump of 40 ms
    return samples


def pcm(path):
    """Samples and rate of a mono 16-bit WAV, a headerless 16 kHz file or headerless GSM."""
    if path.endswith(".gsm"):
        import soundfile

        with soundfile.SoundFile(path, samplerate=RATE, channels=1, format="RAW", subtype="GSM610") as f:
            frames = os.path.getsize(path) // 33 * 160
            return f.read(frames, dtype="int16").astype(float) / 32768, RATE
    if path.endswith(".raw"):
        data, rate = open(path, "rb").read(), 16000
    else:
        with wave.open(path) as f:
            assert f.getnchannels() == 1 and f.getsampwidth() == 2, path
            data, rate = f.readframes(f.getnframes()), f.getframerate()
    return np.frombuffer(data, "<i2").astype(float) / 32768, rate


def decibels(samples, frame=FRAME):
    """Level of each whole frame in dB of full scale, never below -100."""
    n = len(samples) // frame
    power = (samples[: n * frame].reshape(n, frame) ** 2).mean(axis=1)
    return 10 * np.log10(power + 1e-10)


def speech(samples, bridge=0.10, least=0.04):
    """Where a clean recording holds speech: [[start, end]...]. Frames of 10 ms within 30 dB of the loudest (what is
    weaker a listener on a telephone hardly hears) and 10 dB over the clip's floor; gaps under `bridge` (stops inside
    words) are speech too."""
    level = decibels(samples)
    if not len(level):
        return []
    floor = np.sort(level)[len(level) // 20]
    gate = max(level.max() - 30, min(floor + 10, level.max() - 20), -55)
    runs = []
    for i, loud in enumerate(level > gate):
        if not loud:
            continue
        if runs and i - runs[-1][1] < bridge * RATE / FRAME:
            runs[-1][1] = i + 1
        else:
            runs.append([i, i + 1])
    return [[round(a * 0.01, 2), round(b * 0.01, 2)] for a, b in runs if b - a >= least * 100]


def loudness(samples, segments):
    """RMS in dB over the speech alone."""
    inside = np.concatenate([samples[int(a * RATE) : int(b * RATE)] for a, b in segments])
    return 10 * float(np.log10((inside**2).mean() + 1e-10))


def noise(colour, seconds, db, seed):
    """Synthetic noise of a colour at `db` RMS: white, hum (50 Hz and harmonics), room (dull), taps (keys), cough."""
    n, r = int(seconds * RATE), np.random.RandomState(seed)
    white = r.uniform(-1, 1, n)
    if colour == "white":
        out = white
    elif colour == "room":
        out = fir(white, np.ones(9) / 9) + 0.15 * white
    elif colour == "hum":
        t = np.arange(n) / RATE
        out = sum(np.round(np.sin(2 * np.pi * 50 * k * t), 9) / k for k in (1, 2, 3, 4, 5, 7)) + 0.1 * white
    elif colour == "taps":
        out, i = np.zeros(n), int(r.randint(400, 4000))
        while i + 240 < n:
            out[i : i + 240] += white[i : i + 240] * np.linspace(1, 0, 240) ** 4 * r.uniform(0.4, 1)
            i += int(r.randint(700, 6000))
    elif colour == "cough":
        # Two bursts of dull noise: the blast, then the weaker voiced tail. Synthetic, not a person.
        out = np.zeros(n)
        for at, long, size in ((0.0, 0.12, 1.0), (0.17, 0.2, 0.5)):
            a, m = int(at * RATE), int(long * RATE)
            m = max(0, min(m, n - a))
            shape = np.minimum(np.linspace(0, 12, m), 1) * np.linspace(1, 0, m) ** 1.5
            out[a : a + m] += fir(white[a : a + m], np.ones(5) / 5) * shape * size
    else:
        raise ValueError(colour)
    power = float((out**2).mean())
    return out * round(10 ** (db / 20) / power**0.5, 6) if power > 0 else out


def gain(db):
    return round(10 ** (db / 20), 9)


def mulaw(samples):
    """G.711 mu-law bytes."""
    pcm = np.clip(np.round(samples * 32768), -32635, 32635).astype(int)
    size = np.abs(pcm) + 132
    exponent = np.floor(np.log2(size)).astype(int) - 7
    mantissa = (size >> (exponent + 3)) & 15
    return (~(np.where(pcm < 0, 128, 0) | (exponent << 4) | mantissa) & 255).astype(np.uint8).tobytes()


def linear(data):
    """Samples of G.711 mu-law bytes."""
    u = ~np.frombuffer(data, np.uint8).astype(int) & 255
    size = (((u & 15) << 3) + 132 << ((u >> 4) & 7)) - 132
    return np.where(u & 128, -size, size) / 32768


def wav(data):
    """A WAV file around mu-law bytes."""
    n = len(data)
    head = b"RIFF" + (50 + n + n % 2).to_bytes(4, "little") + b"WAVEfmt " + (18).to_bytes(4, "little")
    head += b"".join(v.to_bytes(k, "little") for v, k in ((7, 2), (1, 2), (RATE, 4), (RATE, 4), (1, 2), (8, 2), (0, 2)))
    head += b"fact" + (4).to_bytes(4, "little") + n.to_bytes(4, "little")
    return head + b"data" + n.to_bytes(4, "little") + data + b"\0" * (n % 2)


def read_mulaw(path):
    """Samples of a WAV file written by `wav`."""
    data = open(path, "rb").read()
    at = data.index(b"data") + 4
    n = int.from_bytes(data[at : at + 4], "little")
    return linear(data[at + 4 : at + 4 + n])
