"""What the model sees of a text. `Sources/Turns/Completeness.swift` does the same, bit for bit.

Words are runs of letters (lower case, inner apostrophes kept) and runs of digits; all else only separates.
Numbers, however written or spoken, become one word, so that a recogniser's style does not matter."""
import numpy as np

ROWS = 4096  # known words, by hash
SUFFIXES = 128  # unknown words, by their last two bytes
START = ROWS + SUFFIXES  # before the first word
LAST = 6  # words from the end that are looked at
COUNT_MAX = 10
BUCKETS = 16384  # hashed word combinations
SHIFT = 18  # from 32 bits to a bucket
MASK = 0xFFFFFFFF

NUMBER = "#"
NUMBER_WORDS = set(
    """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand third
    fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
    seventeenth eighteenth nineteenth twentieth thirtieth""".split())
# Part of a number only after one: "twenty one", "21st", "the twenty second".
NUMBER_TAILS = {"one", "first", "second", "st", "nd", "rd", "th"}


def raw_words(text):
    """Runs of letters and of digits, as bytes."""
    data = text.encode().lower()
    words, word, kind, at = [], bytearray(), 0, 0

    def finish():
        while word and word[-1] == 39:
            word.pop()
        if word:
            words.append(bytes(word))
        word.clear()

    while at < len(data):
        byte = data[at]
        at += 1
        if byte == 0xE2:  # U+2000-2FFF: marks, of which only the curly apostrophe is kept
            is_apostrophe = data[at:at + 2] == b"\x80\x99"
            at += 2
            byte = 39 if is_apostrophe else 32
        elif byte == 0xC2:  # U+0080-00BF: signs
            at += 1
            byte = 32
        new = 1 if 97 <= byte <= 122 or byte >= 128 else 2 if 48 <= byte <= 57 else 0
        if byte == 39 and kind == 1:
            new = 1
        if new != kind:
            finish()
        kind = new
        if new:
            word.append(byte)
    finish()
    return words


def words(text):
    """Words with numbers joined and "a.m.", "p.m." as one."""
    out = []
    for raw in raw_words(text):
        word = raw.decode(errors="replace")
        after_number = bool(out) and out[-1] == NUMBER
        if word.isascii() and word.isdigit() or word in NUMBER_WORDS:
            word = NUMBER
        if word == NUMBER or word in NUMBER_TAILS:
            if after_number:
                continue
        if word == "m" and out and out[-1] in ("a", "p"):
            out.pop()
            word = "pm"
        elif word == "am" and after_number:
            word = "pm"
        out.append(word)
    return out


def word_hash(word):
    """FNV-1a, 32 bits."""
    value = 0x811C9DC5
    for byte in word.encode(errors="replace"):
        value = (value ^ byte) * 0x01000193 & MASK
    return value


def check(value):
    """Told apart from other words of the same row by this: 0...85."""
    return (value >> 12) % 86


class Vocabulary:
    """The most frequent word of each row; all others are known by their endings."""

    def __init__(self, counts, least):
        self.checks = [-1] * ROWS
        self.cache = {}
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            row = word_hash(word) & (ROWS - 1)
            if count >= least and self.checks[row] < 0:
                self.checks[row] = check(word_hash(word))

    def row(self, word):
        if word not in self.cache:
            value = word_hash(word)
            row = value & (ROWS - 1)
            if self.checks[row] != check(value):
                data = word.encode(errors="replace")
                row = ROWS + ((data[-2] if len(data) > 1 else 0) * 31 + data[-1]) % SUFFIXES
            self.cache[word] = row
        return self.cache[word]


def slots(rows):
    """Last words first, then the first two, then the number of words: LAST + 3 numbers."""
    tail = rows[:-LAST - 1:-1]
    tail = tail + [START] * (LAST - len(tail))
    head = (rows[:2] + [START, START])[:2]
    return tail + head + [min(len(rows), COUNT_MAX)]


# Places in `slots`: 0... from the end, then the first two words and the number of words.
FIRST, SECOND, COUNT = LAST, LAST + 1, LAST + 2
# Combinations that have a weight of their own.
COMBINATIONS = [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0, 1, COUNT), (FIRST, SECOND, 0), (FIRST, 0, 1), (0, 2),
                (0, COUNT), (FIRST, SECOND, COUNT)]


def buckets(table):
    """Examples x slots to examples x combinations."""
    table = table.astype(np.uint32)
    out = np.empty((len(table), len(COMBINATIONS)), np.int32)
    for number, combination in enumerate(COMBINATIONS):
        value = np.full(len(table), (number + 1) * 0x9E3779B1 & MASK, np.uint32)
        for slot in combination:
            value = (value ^ table[:, slot]) * np.uint32(0x01000193)
            value ^= value >> np.uint32(15)
        out[:, number] = (value * np.uint32(0x9E3779B1)) >> np.uint32(SHIFT)
    return out
