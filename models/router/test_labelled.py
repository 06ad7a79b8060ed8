import json
import os
import tempfile
import unittest

from labelled import lines

ROW = {"id": "d#0", "dialog_id": "d", "domain": "hotel", "trigger": "user", "label": {"needs_tool": True}}


class Labelled(unittest.TestCase):
    def read(self, *texts):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "calls.jsonl")
            with open(path, "w") as file:
                file.write("".join(text + "\n" for text in texts))
            return lines(path)

    def test_rows_are_read_and_blank_lines_let_pass(self):
        self.assertEqual(self.read(json.dumps(ROW), "", json.dumps({**ROW, "trigger": "tool"}))[1]["trigger"], "tool")

    def test_the_row_and_the_member_that_is_missing_are_named(self):
        cases = [(json.dumps({**ROW, member: None}), member) for member in ROW]
        cases += [(json.dumps({key: ROW[key] for key in ROW if key != member}), member) for member in ROW]
        cases += [
            (json.dumps({**ROW, "label": {}}), "label.needs_tool: expected true or false"),
            (json.dumps({**ROW, "trigger": "user "}), "trigger: expected user or tool"),
            ("{", "no JSON object"), ("[]", "no JSON object"),
        ]
        for text, said in cases:
            with self.assertRaises(SystemExit) as found:
                self.read(json.dumps(ROW), "", text)
            # A text as its code is printed, and the exit code is 1.
            self.assertIn(f"calls.jsonl: line 3: {said}", found.exception.code)


if __name__ == "__main__":
    unittest.main()
