"""python3 -m unittest discover bench/turns: the scorer on cases small enough to work out by hand."""
import contextlib
import io
import json
import unittest

import score


def turn(pauses, end, seconds=10.0, kind="open", made="human", **more):
    return {"id": f"{kind}-x-{end}-{made}", "kind": kind, "made": made, "segments": [[1.0, end]], "pauses": pauses, "end": end,
            "recipe": {"seconds": seconds}, **more}


def over(kind, span, made="human", agent=((0.0, 8.0),)):
    return {"id": f"{kind}-{span}", "kind": kind, "made": made, "segments": [], "recipe": {"seconds": 10.0}, "agent": {},
            "doing": {"kind": kind, "span": span}, "agent_segments": [list(a) for a in agent]}


def events(*pairs):
    return [{"t": t, "kind": kind} for t, kind in pairs]


class Speech(unittest.TestCase):
    def test_frames_count_by_their_middle(self):
        self.assertEqual(bytes(score.frames([[0.01, 0.03]], 5)), b"\0\1\1\0\0")
        self.assertEqual(bytes(score.frames([[0.014, 0.036]], 5)), b"\0\1\1\1\0")
        self.assertEqual(bytes(score.frames([[0.016, 0.034]], 5)), b"\0\0\1\0\0")
        self.assertEqual(sum(score.frames([[-1.0, 99.0]], 5)), 5)

    def test_f1_of_half_the_speech_and_as_much_beside_it(self):
        case = {"segments": [[0.0, 1.0]], "recipe": {"seconds": 2.0}}
        self.assertEqual(score.confusion(case, [[0.5, 1.5]]), (50, 50, 50))
        self.assertAlmostEqual(score.f1([(50, 50, 50)]), 0.5)
        self.assertIsNone(score.f1([(0, 0, 0)]))

    def test_onset_is_told_missed_or_left_out(self):
        case = {"segments": [[1.0, 2.0], [2.1, 3.0], [4.0, 5.0], [7.0, 8.0]]}
        heard = [[1.0, 3.0, 1.05, 3.2], [4.0, 5.0, 4.03, 5.2]]
        got = score.onsets(case, heard)
        self.assertEqual(len(got), 3)  # 2.1 follows its pause too soon
        self.assertAlmostEqual(got[0], 0.05)
        self.assertAlmostEqual(got[1], 0.03)
        self.assertIsNone(got[2])
        self.assertEqual(score.onsets({"segments": [[1.0, 2.0], [3.0, 4.0]]}, [[1.0, 4.0, 1.05, 4.2]])[1:], [])


class Ends(unittest.TestCase):
    case = turn([[2.0, 2.5], [3.0, 3.05], [4.0, 6.0]], 7.0)

    def test_an_end_in_the_last_quiet_cuts_nothing(self):
        cut, pauses, dead, told = score.judge(self.case, [7.4])
        self.assertEqual((cut, pauses, told), (0, 2, True))  # 50 ms is no pause
        self.assertAlmostEqual(dead, 0.4)

    def test_two_ends_in_a_pause_cut_it_once_and_the_turn_still_ends(self):
        cut, _, dead, _ = score.judge(self.case, [4.5, 5.5, 7.3])
        self.assertEqual(cut, 1)
        self.assertAlmostEqual(dead, 0.3)

    def test_an_end_before_any_pause_is_a_cut(self):
        self.assertEqual(score.judge(self.case, [1.5, 7.2])[0], 1)
        self.assertEqual(score.judge(turn([], 3.0), [2.0, 3.2])[:2], (1, 0))

    def test_a_turn_never_ended_is_dead_to_the_end_of_the_recording(self):
        self.assertEqual(score.judge(self.case, [])[2:], (3.0, False))

    def test_just_before_the_label_is_no_cut(self):
        self.assertEqual(score.judge(self.case, [6.97]), (0, 2, 0.0, True))

    def test_short_pauses_can_be_left_out(self):
        self.assertEqual(score.judge(self.case, [], least=0.6)[1], 1)

    def test_quantiles_are_values_that_occur(self):
        self.assertEqual(score.quantile([3, 1, 2], 0.5), 2)
        self.assertEqual(score.quantile([1, 2, 3, 4], 0.95), 4)
        self.assertIsNone(score.quantile([], 0.5))


class Compared(unittest.TestCase):
    def test_chances_become_runs(self):
        chances = [0.1, 0.9, 0.9, 0.4, 0.9] + [0.1] * 6
        (start, end, told, gone), = score.runs(chances)
        self.assertAlmostEqual(start, 0.032)
        self.assertAlmostEqual(told, 0.064)
        self.assertAlmostEqual(end, 0.16)  # 0.4 does not close it
        self.assertAlmostEqual(gone, 0.288)  # four quiet chunks later

    def test_a_short_dip_is_bridged(self):
        self.assertEqual(len(score.runs([0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1])), 1)
        self.assertEqual(len(score.runs([0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1])), 2)

    base = {"runs": [[1.0, 2.0, 1.03, 2.1], [2.5, 7.0, 2.53, 7.1]], "smart_turn": {"0": 0.2, "1": 0.8}}

    def test_a_timer_waits_from_the_end_of_speech(self):
        self.assertEqual(score.silence_only(self.base, 0.4), [2.4, 7.4])
        self.assertEqual(score.silence_only(self.base, 0.6), [7.6])

    def test_smart_turn_ends_at_its_stop_or_waits(self):
        self.assertEqual(score.smart_turn(self.base, 0.5, 3.0), [7.2])
        self.assertEqual(score.smart_turn(self.base, 0.1, 3.0), [2.2, 7.2])
        self.assertEqual(score.smart_turn(self.base, 0.9, 0.4), [2.4, 7.4])

    def test_equal_cuts_finds_the_quickest(self):
        cases, bases = [turn([[2.0, 2.5]], 7.0)], {"open-x-7.0-human": self.base}
        self.assertAlmostEqual(score.best_silence(cases, bases, 0.0)["mean"], 0.54)
        self.assertAlmostEqual(score.best_silence(cases, bases, 1.0)["mean"], 0.1)
        self.assertAlmostEqual(score.best_smart_turn(cases, bases, 0.0)["mean"], 0.2)


class Over(unittest.TestCase):
    def test_delays_run_from_the_onset(self):
        case = over("interruption", [3.0, 5.0])
        duck, silent, cleared, early = score.interruption(
            case, events((3.05, "duck"), (3.15, "pause"), (3.4, "clear")))
        self.assertEqual([round(v, 3) for v in (duck, silent, cleared)] + [early], [0.05, 0.15, 0.4, 0])

    def test_what_came_before_or_never_is_not_caught(self):
        case = over("interruption", [3.0, 5.0])
        duck, silent, cleared, early = score.interruption(case, events((1.0, "pause"), (1.3, "resume"), (9.0, "clear")))
        self.assertEqual((duck, silent, cleared, early), (None, None, None, 1))

    def test_the_agent_is_chopped_by_a_silence_one_can_hear(self):
        case = over("cough", [3.0, 3.4])
        self.assertFalse(score.chopped(case, events((3.0, "duck"), (3.2, "resume"))))
        self.assertFalse(score.chopped(case, events((3.0, "pause"), (3.1, "resume"))))
        self.assertTrue(score.chopped(case, events((3.0, "pause"), (3.2, "resume"))))
        self.assertTrue(score.chopped(case, events((3.0, "pause"))))
        self.assertTrue(score.chopped(case, events((3.0, "clear"))))

    def test_the_agent_speaks_until_it_is_interrupted(self):
        self.assertEqual(score.spoken(over("interruption", [3.0, 5.0])), 3.0)
        self.assertEqual(score.spoken(over("echo", [3.0, 5.0])), 8.0)


class Whole(unittest.TestCase):
    def test_the_closing_line(self):
        cases = [
            turn([[2.0, 2.5]], 4.0, words=[{"w": "so", "a": 1.0, "b": 1.2}]),
            turn([[2.0, 3.5]], 6.0, kind="digits", made="built", full=True),
            {"id": "music", "kind": "music", "made": "human", "segments": [], "end": None, "recipe": {"seconds": 1800.0}},
            over("interruption", [3.0, 5.0]),
            over("cough", [3.0, 3.4], "synthetic"),
            over("backchannel", [2.0, 2.4], "synthetic"),
        ]
        heard = {
            cases[0]["id"]: {"segments": [[1.0, 4.0, 1.04, 4.2]], "eot": [4.3], "bargein": []},
            cases[1]["id"]: {"segments": [[1.0, 6.0, 1.04, 6.2]], "eot": [2.5, 6.2], "bargein": []},
            "music": {"segments": [[5.0, 6.0, 5.1, 6.1]] * 3, "eot": [], "bargein": []},
            cases[3]["id"]: {"segments": [], "eot": [], "bargein": events((3.06, "duck"), (3.1, "pause"), (3.4, "clear"))},
            cases[4]["id"]: {"segments": [], "eot": [], "bargein": events((3.0, "pause"), (3.5, "resume"))},
        }
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            line = json.loads(score.close(score.score(cases, heard, {}), {"handle_ns_p50": 700}))
        self.assertEqual(line["vad_f1"], 1.0)
        self.assertEqual(line["onset_ms_p50"], 40)
        self.assertEqual((line["open_cuts"], line["open_dead_air_ms_p50"]), (0.0, 300))
        self.assertEqual((line["dictated_cuts"], line["dictated_full_ms_p50"]), (1.0, 200))
        self.assertEqual(line["false_starts_per_hour"], 6.0)
        self.assertEqual([line[k] for k in ("duck_ms_p95", "silent_ms_p95", "cleared_ms_p95")], [60, 100, 400])
        self.assertEqual((line["interruption_recall"], line["chop_rate"]), (1.0, 0.5))
        self.assertAlmostEqual(line["pauses_per_agent_min"], 60 / 19, 3)
        self.assertEqual((line["handle_ns_p50"], line["vad_us_per_chunk"]), (700, None))
        self.assertEqual(list(line)[:len(score.ORDER)], score.ORDER)


if __name__ == "__main__":
    unittest.main()
