"""What decisions of a router cost and miss on labelled calls: the rules of bench/routing/README.md, nothing else."""

HANDOVER = 15  # tokens
FIRST, STEP = 1024, 128  # of a vendor's prompt cache


def bill(prices, tokens, seen):
    """Dollars a million times over, for a prompt of which `seen` tokens went to this model before."""
    hit = min(tokens, seen)
    hit = hit // STEP * STEP if hit >= FIRST else 0
    rest = prices.get("write", prices["in"]) if tokens >= FIRST else prices["in"]
    return hit * prices["cached"] + (tokens - hit) * rest


def calls_made(route, tool, out, notice, false):
    """(model, tokens out, how often) of one row; a miss is paid again on the strong model."""
    if route == "probe" and tool:
        return [("cheap", notice * HANDOVER + (1 - notice) * out, 1.0), ("strong", out, 1.0)]
    if route == "probe":
        return [("cheap", out, 1.0), ("strong", out, false)]
    if route == "cheap" and tool:
        return [("cheap", out, 1.0), ("strong", out, 1.0)]
    return [(route, out, 1.0)]


def cost(rows, routes, pair, notice, false, sizes=None):
    """Millionths of a dollar. `sizes`: by row, tokens of shortened prompts (see PromptEconomy)."""
    total, seen = 0.0, {}
    for row in rows:
        size = sizes[row["id"]] if sizes else None
        if size:
            for key in list(seen):
                if key[0] == row["dialog_id"]:
                    seen[key] = min(seen[key], size["common"])
        for model, out, share in calls_made(
                routes[row["id"]], row["label"]["needs_tool"], row["tokens_out"], notice, false):
            tokens = row["tokens_in"] if not size else size["full" if model == "strong" else "short"]
            key = (row["dialog_id"], model)
            total += share * (bill(pair[model], tokens, seen.get(key, 0)) + out * pair[model]["out"])
            if share > 0.5:
                seen[key] = tokens
    return total


def score(rows, routes, pair, notice=0.98, false=0.10, sizes=None):
    tools = [row for row in rows if row["label"]["needs_tool"]]
    reaches = {"cheap": 0.0, "probe": notice, "strong": 1.0}
    clean = {}
    for row in tools:
        clean[row["dialog_id"]] = clean.get(row["dialog_id"], 1.0) * reaches[routes[row["id"]]]
    after = [row for row in tools if row["trigger"] == "tool"]
    recall = lambda those: sum(reaches[routes[row["id"]]] for row in those) / max(1, len(those))
    always = cost(rows, {row["id"]: "strong" for row in rows}, pair, notice, false)
    return {
        "saving": 1 - cost(rows, routes, pair, notice, false) / always,
        "saving_economy": 1 - cost(rows, routes, pair, notice, false, sizes) / always if sizes else None,
        "tool_recall": recall(tools), "recall_after_tool": recall(after),
        "clean_dialogues": sum(clean.values()) / max(1, len(clean)),
        "share_cheap": sum(routes[row["id"]] == "cheap" for row in rows) / len(rows),
        "share_probe": sum(routes[row["id"]] == "probe" for row in rows) / len(rows),
    }
