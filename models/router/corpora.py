"""Task dialogues of public corpora as rows, one a language model call, in the form that `parley route` reads.

    corpora.py --sgd DIR --star DIR --out DIR [--dialogues 3000] [--without CALLS] [--share 1] [--seed 7]

writes OUT/calls.jsonl.gz and OUT/prefixes.json. --sgd is the `train` folder of the Schema-Guided Dialogue corpus, --star
the STAR checkout; README.md has commits and licences. Only the services named in SERVICES are read.
"""

import argparse
import glob
import gzip
import hashlib
import json
import os
import random

# Everything else in the two corpora is left unseen, for others to judge by.
SERVICES = {
    "sgd": """Banks_1 Buses_1 Buses_2 Calendar_1 Events_1 Events_2 Flights_1 Flights_2 Homes_1 Hotels_1 Hotels_3 Media_1
        Music_1 Music_2 RentalCars_1 RentalCars_2 Restaurants_1 RideSharing_1 Services_2 Services_3""".split(),
    "star": "hotel party ride plane restaurant weather meeting".split(),
}
RESULT_CHARACTERS, RESULT_ENTRIES = 4000, 5
CALL_TOKENS = 20  # round the arguments of a tool call


def tokens(text):
    return len(text) // 4


def weight(message):
    calls = message.get("tool_calls")
    return tokens(json.dumps(calls) if calls else message["content"]) + 4


def rows(dialog, source, domain, prefix, events):
    """Rows of a dialogue told as ("user", text), ("say", text), ("call", name, arguments, result)."""
    found, messages, turn, call, words, trigger = [], [], -1, 0, "", None

    def row(tools, text, out):
        found.append({
            "id": f"{dialog}#{len(found)}", "dialog_id": dialog, "source": source, "domain": domain,
            "turn_index": turn, "call_index": call, "trigger": trigger, "prefix_id": prefix["id"],
            "messages": list(messages), "user_text": words,
            "label": {"needs_tool": bool(tools), "tools": tools}, "next_assistant_text": text,
            "tokens_in": prefix["tokens"] + sum(map(weight, messages)), "tokens_out": out})

    place = 0
    while place < len(events):
        kind = events[place][0]
        same = [events[place]]
        while kind != "call" and place + 1 < len(events) and events[place + 1][0] == kind:
            place += 1
            same.append(events[place])
        place += 1
        if kind == "call":
            _, name, arguments, result = same[0]
            if trigger:
                row([name], "", tokens(json.dumps(arguments)) + CALL_TOKENS)
            messages.append({"role": "assistant", "tool_calls": [{"name": name, "arguments": arguments}]})
            messages.append({"role": "tool", "content": result})
            call, trigger = call + 1, "tool"
            continue
        text = "\n".join(event[1] for event in same)
        if kind == "user":
            turn, call, words, trigger = turn + 1, 0, text, "user"
            messages.append({"role": "user", "content": text})
            continue
        if place < len(events) and events[place][0] == "call":
            _, name, arguments, result = events[place]
            place += 1
            if trigger:
                row([name], text, tokens(text + json.dumps(arguments)) + CALL_TOKENS)
            messages.append(
                {"role": "assistant", "content": text, "tool_calls": [{"name": name, "arguments": arguments}]})
            messages.append({"role": "tool", "content": result})
            call, trigger = call + 1, "tool"
            continue
        if trigger:
            row([], text, tokens(text))
        messages.append({"role": "assistant", "content": text})
        trigger = None
    return found


def prefix(source, text, tools, prefixes):
    text = text + "\n" + json.dumps(tools)
    key = f"{source}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    prefixes[key] = {"tokens": tokens(text), "text": text}
    return {"id": key, "tokens": tokens(text)}


def sgd(folder, prefixes):
    with open(os.path.join(folder, "schema.json")) as file:
        services = {service["service_name"]: service for service in json.load(file)}
    wanted = set(SERVICES["sgd"])
    for path in sorted(glob.glob(os.path.join(folder, "dialogues_*.json"))):
        with open(path) as file:
            dialogues = json.load(file)
        for dialogue in dialogues:
            names = sorted(dialogue["services"])
            if not set(names) <= wanted:
                continue
            about = " ".join(services[name]["description"].rstrip(".") + "." for name in names)
            tools = [tool for name in names for tool in sgd_tools(services[name])]
            before = prefix(
                "sgd", f"You are a phone assistant. {about} Confirm before any booking or payment.", tools, prefixes)
            name = "sgd-" + dialogue["dialogue_id"]
            yield rows(name, "sgd", "+".join(names), before, list(sgd_events(dialogue)))


def sgd_tools(service):
    about = {slot["name"]: slot["description"] for slot in service["slots"]}
    for intent in service["intents"]:
        slots = intent["required_slots"] + sorted(intent["optional_slots"])
        yield {
            "name": intent["name"], "description": intent["description"],
            "parameters": {slot: about[slot] for slot in slots}, "required": intent["required_slots"]}


def sgd_events(dialogue):
    for turn in dialogue["turns"]:
        if turn["speaker"] == "USER":
            yield "user", turn["utterance"]
            continue
        for frame in turn["frames"]:
            if "service_call" in frame:
                call = frame["service_call"]
                result = json.dumps(frame.get("service_results", [])[:RESULT_ENTRIES])[:RESULT_CHARACTERS]
                yield "call", call["method"], call["parameters"], result
        yield "say", turn["utterance"]


def star(folder, prefixes):
    wanted = set(SERVICES["star"])
    tools = {}
    for path in glob.glob(os.path.join(folder, "apis/apis/*.json")):
        with open(path) as file:
            tools[os.path.basename(path)[:-len(".json")]] = star_tool(os.path.basename(path), json.load(file))
    for path in sorted(glob.glob(os.path.join(folder, "dialogues/*.json"))):
        with open(path) as file:
            dialogue = json.load(file)
        scenario = dialogue["Scenario"]
        domains = sorted(filter(None, scenario.get("Domains", [])))
        if not domains or not set(domains) <= wanted or dialogue["CompletionLevel"] != "Complete":
            continue
        known = sorted({task["Task"] for task in scenario["WizardCapabilities"]} & tools.keys())
        before = prefix(
            "star", "You are a phone assistant. " + scenario["WizardTask"], [tools[name] for name in known], prefixes)
        yield rows(f"star-{dialogue['DialogueID']}", "star", "+".join(domains), before, star_events(dialogue))


def star_tool(name, api):
    def parameter(entry):
        found = {"name": entry["Name"], "type": entry["Type"]}
        if "Categories" in entry:
            found["enum"] = entry["Categories"]
        return found

    return {"name": name[:-len(".json")], "parameters": [parameter(entry) for entry in api["input"]]}


def star_events(dialogue):
    events = []
    for event in dialogue["Events"]:
        action, who = event.get("Action"), event.get("Agent")
        if action == "utter" and who == "User":
            events.append(("user", event["Text"]))
        elif action in ("utter", "pick_suggestion") and who == "Wizard":
            events.append(("say", event["Text"]))
        elif action == "query":
            arguments = {name: value for part in event["Constraints"] for name, value in part.items()}
            events.append(("call", event["APIName"], arguments, ""))
        elif action == "return_item":
            result = json.dumps(event.get("Item") or {}, sort_keys=True)[:RESULT_CHARACTERS]
            last = max((place for place, made in enumerate(events) if made[0] == "call"), default=None)
            if last is not None:
                events[last] = events[last][:3] + (result,)
    return events


def drawn(dialogues, share):
    """A share of the dialogues, by one draw a row: how the shipped weights' rows were drawn."""
    chance, kept = random.Random(1), []
    for dialogue in dialogues:
        draws = [chance.random() for _ in dialogue]
        if draws and draws[0] < share:
            kept.append(dialogue)
    return kept


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sgd")
    options.add_argument("--star")
    options.add_argument("--out", required=True)
    options.add_argument("--dialogues", type=int, default=3000, help="at most so many of each corpus")
    options.add_argument("--without", help="calls whose dialogues are left out")
    options.add_argument("--share", type=float, default=1.0, help="of the dialogues that are left")
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    prefixes, kept = {}, []
    for read, folder in ((sgd, chosen.sgd), (star, chosen.star)):
        if folder:
            dialogues = list(read(folder, prefixes))
            random.Random(chosen.seed).shuffle(dialogues)
            kept += dialogues[:chosen.dialogues]
    if chosen.without:
        with gzip.open(chosen.without, "rt") as file:
            known = {json.loads(line)["dialog_id"] for line in file}
        kept = [dialogue for dialogue in kept if dialogue and dialogue[0]["dialog_id"] not in known]
    kept = drawn(kept, chosen.share)
    os.makedirs(chosen.out, exist_ok=True)
    used = {row["prefix_id"] for dialogue in kept for row in dialogue}
    with gzip.open(os.path.join(chosen.out, "calls.jsonl.gz"), "wt") as file:
        for dialogue in kept:
            for row in dialogue:
                file.write(json.dumps(row) + "\n")
    with open(os.path.join(chosen.out, "prefixes.json"), "w") as file:
        json.dump({key: value for key, value in sorted(prefixes.items()) if key in used}, file, indent=0)


if __name__ == "__main__":
    main()
