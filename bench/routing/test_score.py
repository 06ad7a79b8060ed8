import unittest

from score import bill, cost, score

PAIR = {"strong": {"in": 2.0, "cached": 0.5, "out": 8.0}, "cheap": {"in": 0.4, "cached": 0.1, "out": 1.6}}


def row(number, tool, tokens=1000, trigger="user"):
    return {"id": f"d#{number}", "dialog_id": "d", "tokens_in": tokens, "tokens_out": 10, "trigger": trigger,
            "label": {"needs_tool": tool}}


class Score(unittest.TestCase):
    def test_only_whole_blocks_from_the_minimum_up_are_cached(self):
        self.assertEqual(bill(PAIR["strong"], 1000, 1000), 2000)
        self.assertEqual(bill(PAIR["strong"], 1200, 1100), 1024 * 0.5 + 176 * 2)

    def test_a_miss_is_paid_twice(self):
        rows = [row(0, True)]
        self.assertEqual(cost(rows, {"d#0": "cheap"}, PAIR, 0.98, 0.1), 416 + 2080)
        self.assertEqual(cost(rows, {"d#0": "strong"}, PAIR, 0.98, 0.1), 2080)

    def test_a_probe_pays_for_hand_overs_needed_or_not(self):
        self.assertAlmostEqual(cost([row(0, False)], {"d#0": "probe"}, PAIR, 0.98, 0.1), 416 + 208)
        self.assertAlmostEqual(cost([row(0, True)], {"d#0": "probe"}, PAIR, 1.0, 0.1), 400 + 15 * 1.6 + 2080)

    def test_recall_and_clean_dialogues_count_unnoticed_probes(self):
        rows = [row(0, True), row(1, True, trigger="tool"), row(2, False)]
        found = score(rows, {"d#0": "strong", "d#1": "probe", "d#2": "cheap"}, PAIR, notice=0.9)
        self.assertAlmostEqual(found["tool_recall"], 0.95)
        self.assertAlmostEqual(found["recall_after_tool"], 0.9)
        self.assertAlmostEqual(found["clean_dialogues"], 0.9)

    def test_a_changed_beginning_is_not_cached(self):
        rows = [row(0, False, 2000), row(1, False, 2100)]
        routes = {"d#0": "strong", "d#1": "strong"}
        whole = {key: {"full": tokens, "short": tokens, "common": 0} for key, tokens in (("d#0", 2000), ("d#1", 2100))}
        self.assertGreater(cost(rows, routes, PAIR, 1, 0, whole), cost(rows, routes, PAIR, 1, 0))


if __name__ == "__main__":
    unittest.main()
