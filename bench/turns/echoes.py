"""Interruptions over the agent's own echo, made from the manifests' interruptions. Standard library alone."""
# How much weaker than the agent its echo is in the interruptions that are made from the manifest's, dB.
ECHOES = (15, 20)


def echoed(case, weaker):
    """The interruption `case` with the agent's own voice coming back `weaker` dB down, 60-350 ms late. Nobody's words are known."""
    late = 0.06 + 0.29 * int(case["sha256"][:4], 16) / 0xFFFF
    echo = [{**p, "at": p["at"] + late, "db": p["db"] - weaker} for p in case["agent"]["pieces"] if p["at"] + late < case["recipe"]["seconds"]]
    recipe = {**case["recipe"], "pieces": case["recipe"]["pieces"] + echo}
    return {**{k: v for k, v in case.items() if k not in ("words", "sha256")}, "id": f"{case['id']}-echo{weaker}", "made": "built",
            "over_echo": weaker, "recipe": recipe}


def with_echoes(cases):
    """All cases, and each interruption over an echo."""
    return cases + [echoed(c, weaker) for weaker in ECHOES for c in cases if c["kind"] == "interruption"]
