"""People's speech out of Debian packages, as telephone recordings in WAV files: what the weights of `VoiceFall` are trained on.

Each recording is what somebody said in one go: its last end is an end, its pauses are none.
"""
import io
import pathlib
import random
import subprocess
import sys

import numpy as np
import soundfile
import soxr

HERE = pathlib.Path(__file__).resolve().parent
TURNS = HERE.parent.parent / ".parley" / "turns"
sys.path.insert(0, str(HERE.parent.parent / "bench" / "turns"))
import sound  # noqa: E402

# Packages of recorded games: dialogue by many actors, a file a line.
GAMES = {
    "sky": ("beneath-a-steel-sky", "0.0372-8", "usr/share/scummvm/beneath-a-steel-sky"),
    "queen": ("flight-of-the-amazon-queen", "1.0.0-9", "usr/share/scummvm/flight-of-the-amazon-queen"),
}
# Speakers of the tuned part of bench/turns, every prompt of theirs; never one of the held-out part.
PROMPTS = {
    "june": ("asterisk-core-sounds-fr-wav", "fr_CA_f_June", "wav"),
    "carlo": ("asterisk-core-sounds-it-wav", "it_IT_m_Carlo", "wav"),
    "armelle": ("asterisk-prompt-fr-armelle", "fr", "gsm"),
}
BAND = sound.band(200, 3400, 2 * sound.RATE)


def unpacked(package, version, home):
    """The folder of a Debian package, fetched by name and version."""
    folder = home / package
    if not folder.exists():
        subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", f"{package}={version}"], cwd=home, check=True)
        deb = next(home.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
        deb.unlink()
    return folder


class Bits:
    """Reads RNC's bit stream: 16-bit little-endian words, lowest bit first, with literal bytes between them."""

    def __init__(self, data):
        self.data, self.at, self.count = data, 0, 16
        self.buffer = self.word()

    def word(self):
        return int.from_bytes(self.data[self.at : self.at + 2], "little")

    def read(self, n):
        value = self.buffer & ((1 << n) - 1)
        self.skip(n)
        return value

    def skip(self, n):
        self.buffer >>= n
        self.count -= n
        if self.count < 16:
            self.at += 2
            self.buffer |= self.word() << self.count
            self.count += 16

    def literal(self, n):
        out = self.data[self.at : self.at + n]
        self.at += n
        self.count -= 16
        self.buffer = (self.buffer & ((1 << self.count) - 1)) | self.word() << self.count
        self.count += 16
        return out

    def table(self):
        """A Huffman table: {(length, code): value}."""
        lengths = [self.read(4) for _ in range(self.read(5))]
        out, code = {}, 0
        for length in range(1, 16):
            for value, own in enumerate(lengths):
                if own == length:
                    out[length, int(f"{code:0{length}b}"[::-1], 2)] = value
                    code += 1
            code <<= 1
        return out

    def number(self, table):
        for length in range(1, 16):
            value = table.get((length, self.buffer & ((1 << length) - 1)))
            if value is not None:
                self.skip(length)
                return value if value < 2 else 1 << (value - 1) | self.read(value - 1)
        raise ValueError("no such code")


def unpack(data):
    """What RNC's first method packed (Rob Northen's ProPack), its 18 bytes of header included."""
    size, bits, out = int.from_bytes(data[4:8], "big"), Bits(data[18:]), bytearray()
    bits.skip(2)
    while len(out) < size:
        raws, distances, lengths = bits.table(), bits.table(), bits.table()
        for left in range(bits.read(16), 0, -1):
            n = bits.number(raws)
            if n:
                out += bits.literal(n)
            if left > 1:
                distance, n = bits.number(distances) + 1, bits.number(lengths) + 2
                for _ in range(n):
                    out.append(out[-distance])
    return bytes(out)


def sky(folder):
    """Lines of the game: (name, samples, rate)."""
    index, data = (folder / "sky.dnr").read_bytes(), (folder / "sky.dsk").read_bytes()
    for at in range(4, len(index) - 7, 8):
        number = int.from_bytes(index[at : at + 2], "little")
        offset, flags = (int.from_bytes(index[at + i : at + i + 3], "little") for i in (2, 5))
        if not 50000 <= number < 60000 or flags >> 23:
            continue
        offset = (offset & 0x7FFFFF) << (4 if offset >> 23 else 0)
        packed = data[offset + 22 : offset + (flags & 0x3FFFFF)]
        if packed[:4] == b"RNC\1":
            yield str(number), (np.frombuffer(unpack(packed), np.uint8).astype(float) - 128) / 128, 11025


def queen(folder):
    data = (folder / "queen.1c").read_bytes()
    for i in range(int.from_bytes(data[13:15], "big")):
        entry = data[15 + 21 * i : 36 + 21 * i]
        name = entry[:12].split(b"\0")[0].decode("latin-1")
        at, size = (int.from_bytes(entry[j : j + 4], "big") for j in (13, 17))
        if name.endswith(".SB"):
            try:
                samples, rate = soundfile.read(io.BytesIO(data[at : at + size]))
            except soundfile.LibsndfileError:
                continue
            yield name[:-3], samples, rate


def prompts(speaker):
    package, name, suffix = PROMPTS[speaker]
    root = TURNS / "x" / package / "usr/share/asterisk/sounds" / name
    for path in sorted(root.rglob(f"*.{suffix}")):
        if path.parent.name in ("letters", "phonetic", "silence") or path.stem.startswith(("tt-monkeys", "beep", "spy-jingle")):
            continue
        samples, rate = sound.pcm(str(path))
        if suffix == "gsm":
            samples[:320] = 0  # these recordings start with a thump of 40 ms
        yield f"{path.parent.name}-{path.stem}", samples, rate


def room(seconds, level, seed):
    white = np.random.RandomState(seed).uniform(-1, 1, int(seconds * sound.RATE))
    dull = np.convolve(white, np.ones(9) / 9, "same") + 0.15 * white
    return dull * 10 ** (level / 20) / (dull**2).mean() ** 0.5


def telephone(samples, rate, rng):
    """µ-law of a line: band-passed, at a usual level, 0.6 s of room noise before and 1.5 s after; None of too little speech."""
    wide = samples if rate == 2 * sound.RATE else soxr.resample(samples, rate, 2 * sound.RATE, quality="HQ")
    samples = np.convolve(wide, BAND, "same")[::2]
    runs = sound.speech(samples)
    if not runs or runs[-1][1] - runs[0][0] < 0.4:
        return None
    level = -20 + rng.uniform(-5, 3) - sound.loudness(samples, runs)
    a, b = max(0, runs[0][0] - 0.3), runs[-1][1] + 0.3
    samples = samples[int(a * sound.RATE) : int(b * sound.RATE)] * sound.gain(level)
    line = room(2.1 + len(samples) / sound.RATE, rng.uniform(-66, -54), rng.randrange(1 << 30))
    at = int(0.6 * sound.RATE)
    line[at : at + len(samples)] += samples
    return sound.mulaw(line)


def write(source, home):
    """All recordings of a source in `home`; returns the files."""
    folder = home / source
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if source in PROMPTS:
            pieces = prompts(source)
        else:
            package, version, inner = GAMES[source]
            pieces = (sky if source == "sky" else queen)(unpacked(package, version, home) / inner)
        rng = random.Random(source)
        for name, samples, rate in pieces:
            if len(samples) >= rate / 2 and (line := telephone(samples, rate, rng)):
                (folder / f"{name}.wav").write_bytes(sound.wav(line))
        (folder / "done").touch()
    return sorted(folder.glob("*.wav"))
