"""Scores what `parley hear` said about the cases against their labels. Standard library alone.

    score.py --split test HEARD.jsonl [--baselines FILE] [--merge FILE]...

HEARD.jsonl holds lines of `parley hear`: {"id", "segments": [[start, end, told_start, told_end]...], "eot": [t...], "keys",
"bargein": [{"t", "kind": "duck|pause|clear|resume"}...]}, seconds. Baselines are those of `baselines.py`. Files to merge hold lines of
`parley bench` with figures measured elsewhere. Prints tables, then one line of JSON.
"""
import argparse
import json
import math
import pathlib
import sys

from echoes import with_echoes

HERE = pathlib.Path(__file__).resolve().parent
FRAME = 0.01
SORTS = ("human", "built", "synthetic")
DICTATED = ("digits", "phone", "address", "spelling")
TALK = ("open", "yesno", *DICTATED)
UNMEANT = ("backchannel", "cough", "taps", "echo")
EARLY = 0.05  # an end of turn told this long before the labelled end is no cut: labels are no finer
CHOP = 0.1  # a silence of the agent's longer than this is heard
LONG = 0.4  # a dictation's pauses from here on are pauses between groups
ELSEWHERE = ("vad_us_per_chunk", "handle_ns_p50", "handle_allocations", "simulated_call_hours_per_min")


def quantile(values, q):
    """The smallest value that a share `q` of `values` does not exceed; None of none."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)] if values else None


def share(part, whole):
    return part / whole if whole else None


def mean(values):
    return sum(values) / len(values) if values else None


def ms(seconds):
    return None if seconds is None else round(seconds * 1000)


# Speech frames


def frames(spans, count):
    """One byte for each 10 ms frame: 1 where the middle of the frame lies inside a span."""
    out = bytearray(count)
    for a, b in spans:
        first, stop = math.ceil(a / FRAME - 0.5 - 1e-6), math.ceil(b / FRAME - 0.5 - 1e-6)
        for i in range(max(0, first), min(count, stop)):
            out[i] = 1
    return out


def confusion(case, spans):
    """(hits, false, missed) in frames."""
    count = int(case["recipe"]["seconds"] / FRAME)
    truth, said = frames(case["segments"], count), frames(spans, count)
    hits = sum(a & b for a, b in zip(truth, said))
    return hits, sum(said) - hits, sum(truth) - hits


def f1(counts):
    hits, false, missed = (sum(c[i] for c in counts) for i in range(3))
    return share(2 * hits, 2 * hits + false + missed)


def onsets(case, heard):
    """For each labelled segment after at least 0.3 s of quiet: seconds until it was told, None if it was not
    (within 1 s), and left out where an earlier segment was still held open."""
    out, before = [], -1.0
    for start, end in case["segments"]:
        quiet, before = start - before, end
        if quiet < 0.3:
            continue
        if any(s[0] < start - 0.1 and s[1] > start for s in heard):
            continue
        told = [s[2] for s in heard if start - 0.1 <= s[2] <= start + 1.0]
        out.append(min(told) - start if told else None)
    return out


# Ends of turns


def judge(case, ends, least=0.1):
    """What ends told at `ends` did to a turn: (pauses cut, pauses of `least` and longer, dead air in seconds, told at all).
    An end before the labelled one cuts the pause it falls in, or the last one before it. Dead air runs from the
    labelled end to the first end told after it, or to the end of the recording."""
    pauses = [p for p in case.get("pauses", []) if p[1] - p[0] >= least - 1e-6]
    cut = set()
    for t in ends:
        if t < case["end"] - EARLY:
            cut.add(max((i for i, p in enumerate(pauses) if p[0] <= t), default=0))
    after = [t for t in ends if t >= case["end"] - EARLY]
    dead = max(0.0, min(after) - case["end"]) if after else case["recipe"]["seconds"] - case["end"]
    return len(cut), len(pauses), dead, bool(after)


def turns(cases, ends_of, least=0.1):
    """Cut rate and dead air of a policy over turns."""
    judged = [judge(c, ends_of(c), least) for c in cases]
    return {
        "turns": len(judged),
        "pauses": sum(j[1] for j in judged),
        "cuts": share(sum(j[0] for j in judged), sum(j[1] for j in judged)),
        "p50": quantile([j[2] for j in judged], 0.5),
        "p95": quantile([j[2] for j in judged], 0.95),
        "mean": mean([j[2] for j in judged]),
        "told": share(sum(j[3] for j in judged), len(judged)),
    }


# The models compared with


def runs(chances, on=0.5, off=0.35, chunk=0.032):
    """Speech by Silero's chances per chunk, with Silero's own two thresholds: [[start, end, told_start, told_end]...].
    A stop of under 100 ms is bridged, as its own iterator does."""
    out, open_, quiet = [], False, 0
    for i, p in enumerate(chances):
        if not open_ and p >= on:
            out.append([i * chunk, None, (i + 1) * chunk, None])
            open_, quiet = True, 0
        elif open_ and p < off:
            quiet += 1
            if quiet * chunk >= 0.1:
                out[-1][1], out[-1][3] = (i + 1 - quiet) * chunk, (i + 1) * chunk
                open_ = False
        elif open_ and p >= on:
            quiet = 0
        elif open_ and quiet:
            quiet += 1
    if open_:
        out[-1][1] = out[-1][3] = len(chances) * chunk
    return out


def silence_only(base, wait):
    """Ends of a timer: `wait` seconds after Silero's last speech, unless speech came back."""
    found = base["runs"]
    return [r[1] + wait for r, n in zip(found, [*found[1:], None]) if n is None or r[1] + wait < n[2]]


def smart_turn(base, least, wait, stop=0.2):
    """Ends of Smart Turn: asked `stop` seconds into a silence, over at a chance of `least`; else after `wait`."""
    found, out = base["runs"], []
    for i, r in enumerate(found):
        t = r[1] + (stop if base["smart_turn"].get(str(i), 0.0) >= least else wait)
        if i + 1 == len(found) or t < found[i + 1][2]:
            out.append(t)
    return out


WAITS = [round(0.1 + 0.02 * i, 2) for i in range(146)]
LEAST = [round(0.02 * i, 2) for i in range(1, 50)] + [0.99, 0.995, 0.999]


def best_silence(cases, bases, cuts):
    """The quickest timer that cuts no larger share of pauses than `cuts`."""
    for wait in WAITS:
        got = turns(cases, lambda c: silence_only(bases[c["id"]], wait))
        if (got["cuts"] or 0) <= cuts + 1e-9:
            return {**got, "wait": wait}
    return None


def best_smart_turn(cases, bases, cuts):
    """Smart Turn with the threshold and the longest wait that cut no more than `cuts` with the least mean dead air."""
    best = None
    for least in LEAST:
        low, high = 0, len(WAITS) - 1
        while low < high:  # cuts fall as the wait grows
            mid = (low + high) // 2
            got = turns(cases, lambda c: smart_turn(bases[c["id"]], least, max(0.2, WAITS[mid])))
            low, high = (low, mid) if (got["cuts"] or 0) <= cuts + 1e-9 else (mid + 1, high)
        wait = max(0.2, WAITS[low])
        got = turns(cases, lambda c: smart_turn(bases[c["id"]], least, wait))
        if (got["cuts"] or 0) <= cuts + 1e-9 and (best is None or got["mean"] < best["mean"]):
            best = {**got, "wait": wait, "least": least}
    return best


# Speaking over the agent


def spoken(case):
    """Seconds the agent speaks before a meant interruption, or at all."""
    until = case["doing"]["span"][0] if case["doing"]["kind"] == "interruption" else math.inf
    return sum(max(0.0, min(b, until) - a) for a, b in case["agent_segments"])


def silences(events, until):
    """[[from, to]...]: silences of the agent's by pause or clear; one never taken back lasts to `until`."""
    out, since = [], None
    for e in events:
        if e["kind"] in ("pause", "clear") and since is None:
            since = e["t"]
        elif e["kind"] == "resume" and since is not None:
            out.append([since, e["t"]])
            since = None
    return out + ([[since, until]] if since is not None else [])


def interruption(case, events):
    """Seconds from the onset to duck, silence and clear (None: never), and how many silences came before it."""
    onset, stop = case["doing"]["span"]
    first = lambda kinds: next(
        (max(0.0, e["t"] - onset) for e in events if e["kind"] in kinds and onset - EARLY <= e["t"] <= stop + 1.0), None
    )
    early = [s for s in silences(events, stop) if s[0] < onset - EARLY]
    return first(("duck", "pause", "clear")), first(("pause", "clear")), first(("clear",)), len(early)


def chopped(case, events):
    """Whether the listener hears the agent break off: any clear, or a silence of over 100 ms."""
    until = case["recipe"]["seconds"]
    return any(e["kind"] == "clear" for e in events) or any(b - a > CHOP + 1e-9 for a, b in silences(events, until))


# The report


def table(title, heads, rows):
    rows = [["-" if v is None else v if isinstance(v, str) else f"{v:.3f}" if isinstance(v, float) else str(v) for v in r] for r in rows]
    wide = [max(len(r[i]) for r in [heads, *rows]) for i in range(len(heads))]
    print(f"\n{title}")
    for r in [heads, *rows]:
        print("  " + "  ".join(v.ljust(w) if i < 2 else v.rjust(w) for i, (v, w) in enumerate(zip(r, wide))))


def sorted_out(cases):
    """{(kind, sort): cases}; stretched and noisy turns apart from plain ones, open turns without words apart."""
    out = {}
    for c in cases:
        tail = c["id"].rsplit("-", 1)[-1]
        kind = c["kind"] + (f" {tail}" if tail in ("stretched", "noisy") else "")
        if c["kind"] == "open" and not c.get("words"):
            kind += " wordless"
        out.setdefault((kind, c["made"]), []).append(c)
    return out


def pick(groups, names, order=SORTS):
    """(sort, cases) of the first sort in `order` that any of the kinds `names` has."""
    for sort in order:
        found = [c for (kind, made), cs in groups.items() if made == sort and kind.split()[0] in names for c in cs]
        if found:
            return sort, found
    return None, []


def score(cases, heard, bases):
    """Prints the tables and returns the figures of the closing line."""
    heard = {**{c["id"]: {"segments": [], "eot": [], "bargein": []} for c in cases}, **heard}
    ends = lambda c: heard[c["id"]]["eot"]
    events = lambda c: sorted(heard[c["id"]].get("bargein", []), key=lambda e: e["t"])
    told = lambda c: heard[c["id"]]["segments"]
    over_echo = [c for c in cases if "over_echo" in c]
    groups, result, on = sorted_out([c for c in cases if "over_echo" not in c]), {}, {}
    plain = {k: v for k, v in groups.items() if k[0].split()[0] in TALK}

    def ear(some):
        waits = [o for c in some for o in onsets(c, told(c))]
        known = [o for o in waits if o is not None]
        row = [f1([confusion(c, [s[:2] for s in told(c)]) for c in some]), ms(quantile(known, 0.5)), ms(quantile(known, 0.95)),
               share(len(waits) - len(known), len(waits))]
        if bases:
            row.append(f1([confusion(c, [s[:2] for s in bases[c["id"]]["runs"]]) for c in some]))
            other = [o for c in some for o in onsets(c, bases[c["id"]]["runs"]) if o is not None]
            row.append(ms(quantile(other, 0.5)))
        return row

    heads = ["kind", "sort", "cases", "F1", "onset p50 ms", "p95", "missed"] + (["Silero F1", "Silero onset"] if bases else [])
    table("Speech", heads, [[k, s, len(cs), *ear(cs)] for (k, s), cs in sorted(plain.items())])
    on["vad"], some = pick(plain, TALK)
    result["vad_f1"], result["onset_ms_p50"] = ear(some)[:2]
    if bases:
        result["silero_f1"] = ear(some)[4]

    rows = []
    for kind, sort in sorted(k for k in groups if k[0] in ("music", "noise")):
        cs = groups[kind, sort]
        hours = sum(c["recipe"]["seconds"] for c in cs) / 3600
        rows.append([kind, sort, len(cs), round(hours * 60, 1), sum(len(told(c)) for c in cs) / hours]
                    + ([sum(len(bases[c["id"]]["runs"]) for c in cs) / hours] if bases else []))
    table("False starts an hour", ["kind", "sort", "cases", "minutes", "starts"] + (["Silero"] if bases else []), rows)
    quiet = [c for (k, _), cs in groups.items() if k in ("music", "noise") for c in cs]
    hours = sum(c["recipe"]["seconds"] for c in quiet) / 3600
    result["false_starts_per_hour"] = share(sum(len(told(c)) for c in quiet), hours)
    if bases:
        result["silero_false_starts_per_hour"] = share(sum(len(bases[c["id"]]["runs"]) for c in quiet), hours)

    line = lambda who, kind, sort, g: [f"{kind} {who}".strip(), sort, g["turns"], g["pauses"], g["cuts"], ms(g["p50"]), ms(g["p95"]),
                                       ms(g["mean"]), g["told"]]
    rows, equal = [], {}
    for (kind, sort), cs in sorted(plain.items()):
        least = LONG if kind in DICTATED else 0.1
        ours = turns(cs, ends, least)
        rows.append(line("", kind, sort, ours))
        if not bases:
            continue
        for wait in (0.3, 0.5, 0.8, 1.2):
            rows.append(line(f"| silence {wait} s", kind, sort, turns(cs, lambda c: silence_only(bases[c["id"]], wait), least)))
        rows.append(line("| Smart Turn 0.5, 3 s", kind, sort, turns(cs, lambda c: smart_turn(bases[c["id"]], 0.5, 3.0), least)))
        if kind.startswith("open"):
            a, b = best_silence(cs, bases, ours["cuts"] or 0), best_smart_turn(cs, bases, ours["cuts"] or 0)
            if a:
                rows.append(line(f"| silence {a['wait']} s: as few cuts", kind, sort, a))
            if b:
                rows.append(line(f"| Smart Turn {b['least']}, {b['wait']} s: as few cuts", kind, sort, b))
            equal[kind, sort] = [share(ours["mean"], x["mean"]) if x else None for x in (a, b)]
    table("Ends of turns (pauses of 100 ms and more; dictation: of 400 ms and more)",
          ["kind", "sort", "turns", "pauses", "cut", "p50 ms", "p95", "mean", "told"], rows)

    on["dictated"], some = pick({k: v for k, v in plain.items() if k[0] in DICTATED}, DICTATED, ("built",))
    result["dictated_cuts"] = turns(some, ends, LONG)["cuts"]
    result["dictated_full_ms_p50"] = ms(turns([c for c in some if c.get("full")], ends)["p50"])
    on["yesno"], some = pick(plain, ("yesno",))
    result["yesno_ms_p50"] = ms(turns(some, ends)["p50"])
    on["open"] = "human" if ("open", "human") in plain else None
    for key, kind, sort in (
        ("open", "open", "human"), ("open_stretched", "open stretched", "built"), ("open_wordless", "open wordless", "human"),
        ("open_synthetic", "open", "synthetic"),
    ):
        got = turns(plain.get((kind, sort), []), ends)
        result[f"{key}_cuts"], result[f"{key}_dead_air_ms_p50"] = got["cuts"], ms(got["p50"])
        for i, other in enumerate(("silence_only", "smart_turn")):
            name = "dead_air" if key == "open" else key
            result[f"{name}_vs_{other}"] = equal.get((kind, sort), [None, None])[i]

    def interrupted(cs):
        """Delays of duck, silence and clear, the share caught, and silences before."""
        seen = [interruption(c, events(c)) for c in cs]
        worst = [c["recipe"]["seconds"] - c["doing"]["span"][0] for c in cs]
        late = [[w if s[i] is None else s[i] for s, w in zip(seen, worst)] for i in range(3)]
        return late, share(sum(s[2] is not None for s in seen), len(seen)), sum(s[3] for s in seen)

    rows, delays, extra, minutes, clears = [], {}, 0, 0.0, {}
    quantiles = lambda late: [ms(quantile(v, q)) for v in late for q in (0.5, 0.95)]
    for (kind, sort), cs in sorted(groups.items()):
        if kind == "interruption":
            delays[sort], clears[sort], early = interrupted(cs)
            extra += early
            rows.append([kind, sort, len(cs), clears[sort], *quantiles(delays[sort])])
    for weaker in sorted({c["over_echo"] for c in over_echo}):
        cs = [c for c in over_echo if c["over_echo"] == weaker]
        late, caught, _ = interrupted(cs)
        rows.append([f"over the agent's echo, -{weaker} dB", "built", len(cs), caught, *quantiles(late)])
        result[f"silent_over_echo_{weaker}_ms_p50"], result[f"silent_over_echo_{weaker}_ms_p95"] = quantiles(late)[2:4]
        result[f"recall_over_echo_{weaker}"] = caught
    table("Interruptions (from the onset; one never caught counts to the end of the recording)",
          ["kind", "sort", "cases", "caught", "duck p50", "p95", "silent p50", "p95", "cleared p50", "p95"], rows)
    on["interruption"] = next((s for s in SORTS if s in delays), None)
    late = delays.get(on["interruption"], [[], [], []])
    for i, key in enumerate(("duck", "silent", "cleared")):
        result[f"{key}_ms_p95"] = ms(quantile(late[i], 0.95))
    result["interruption_recall"] = clears.get(on["interruption"])

    rows, chops, count = [], 0, 0
    for (kind, sort), cs in sorted(groups.items()):
        if "agent" not in cs[0]:
            continue
        minutes += sum(spoken(c) for c in cs) / 60
        if kind == "interruption":
            continue
        bad = sum(chopped(c, events(c)) for c in cs)
        pauses = sum(len(silences(events(c), c["recipe"]["seconds"])) for c in cs)
        extra += pauses
        rows.append([kind, sort, len(cs), share(bad, len(cs)), share(pauses, sum(spoken(c) for c in cs) / 60)])
        if kind in UNMEANT:
            chops, count = chops + bad, count + len(cs)
    table("Sounds that should not stop the agent", ["kind", "sort", "cases", "chopped", "pauses a minute"], rows)
    result["chop_rate"], result["pauses_per_agent_min"] = share(chops, count), share(extra, minutes)
    on["chop"] = "synthetic and built" if count else None
    result["measured_on"] = on
    return result


ORDER = ("vad_f1 onset_ms_p50 dictated_cuts dictated_full_ms_p50 open_cuts open_dead_air_ms_p50 duck_ms_p95 silent_ms_p95 "
         "cleared_ms_p95 interruption_recall chop_rate false_starts_per_hour pauses_per_agent_min dead_air_vs_silence_only "
         "dead_air_vs_smart_turn").split()


def close(result, elsewhere):
    """The closing line: the promised figures first and always there, then the others."""
    keys = [*ORDER, *ELSEWHERE, *[k for k in result if k not in ORDER]]
    value = {**{k: elsewhere.get(k) for k in ELSEWHERE}, **result}
    return json.dumps({k: round(v, 4) if isinstance(v := value.get(k), float) else v for k in keys})


def lines(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.lstrip().startswith("{")]


def load_baselines(path):
    return {b["id"]: {"runs": runs([p / 1000 for p in b["silero"]]), "smart_turn": b.get("smart_turn", {})} for b in lines(path)}


def main():
    ask = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ask.add_argument("heard")
    ask.add_argument("--split", choices=("tune", "test"), default="test")
    ask.add_argument("--manifest", help="cases other than those of the split")
    ask.add_argument("--baselines")
    ask.add_argument("--merge", action="append", default=[])
    given = ask.parse_args()
    cases = lines(given.manifest) if given.manifest else with_echoes(lines(HERE / f"{given.split}.jsonl"))
    heard = {h["id"]: h for h in lines(given.heard)}
    missing = [c["id"] for c in cases if c["id"] not in heard]
    if missing:
        print(f"{len(missing)} of {len(cases)} cases were not heard and count as silence: {missing[0]}...", file=sys.stderr)
    bases = load_baselines(given.baselines) if given.baselines else {}
    if bases and (absent := [c["id"] for c in cases if c["id"] not in bases and "over_echo" not in c]):
        sys.exit(f"the baselines lack {len(absent)} cases, such as {absent[0]}: run baselines.py again")
    elsewhere = {k: v for path in given.merge for line in lines(path) for k, v in line.items()}
    print(f"{given.manifest or given.split}: {len(cases)} cases")
    result = score(cases, heard, bases)
    print(close({**result, "split": given.split}, elsewhere))


if __name__ == "__main__":
    main()
