import Base
import Conversation

/// The words of both sides, each agent turn with what it took. Pure.
struct TurnList {
    let story: CallStory

    func draw(_ page: inout Markup) {
        let slowest = story.turns.compactMap { Self.stages(of: $0).last?.ms }.max() ?? 0
        page.element("ol", [("class", "turns")]) { list in
            for turn in story.turns {
                list.element(
                    "li", [("class", turn.fact.speaker.rawValue), ("id", "turn-\(turn.fact.number)")]
                ) {
                    item in
                    draw(turn, slowest: slowest, &item)
                }
            }
        }
    }

    private func draw(_ turn: CallStory.Turn, slowest: Int, _ item: inout Markup) {
        let span = [("data-play", "\(turn.startMs)"), ("data-end", "\(turn.endMs)")]
        item.element(
            "button", [("type", "button"), ("title", "hear this turn")] + span, Clock.text(turn.startMs))
        item.element("span", [("class", "who")], turn.fact.speaker.rawValue)
        item.element("p", [("class", "said")]) { said in
            guard !turn.words.isEmpty, turn.words.map(\.text).joined(separator: " ") == turn.fact.text else {
                return said.words(turn.fact.text)
            }
            for (index, word) in turn.words.enumerated() {
                if index > 0 { said.words(" ") }
                said.element(
                    "span",
                    [
                        ("class", "word"), ("data-play", "\(word.startMs)"), ("data-end", "\(word.endMs)"),
                        ("title", Clock.text(word.startMs)),
                    ], word.text)
            }
        }
        if let reason = turn.reason { item.element("p", [("class", "why")], "over: " + reason) }
        if turn.fact.wasInterrupted { item.element("p", [("class", "why cut")], "interrupted by the caller") }
        waterfall(Self.stages(of: turn), slowest: slowest, &item)
    }

    private struct Stage {
        var name: String
        var label: String
        var ms: Int
    }

    /// In the order they came.
    private static func stages(of turn: CallStory.Turn) -> [Stage] {
        guard let stages = turn.fact.stages else { return [] }
        return [
            ("text", "final text", stages.finalTextMs), ("turn", "end of turn", stages.endOfTurnMs),
            ("request", "model asked", stages.requestedMs),
            ("token", "first token", stages.firstTokenMs), ("audio", "first audio", stages.firstAudioMs),
            ("heard", "heard", stages.heardMs),
        ]
        .compactMap { name, label, ms in ms.map { Stage(name: name, label: label, ms: $0) } }
        .sorted { $0.ms < $1.ms }
    }

    /// Bars one behind the other from the end of the caller's speech, to the scale of the slowest turn.
    private func waterfall(_ stages: [Stage], slowest: Int, _ item: inout Markup) {
        guard !stages.isEmpty, slowest > 0 else { return }
        item.element("div", [("class", "waterfall")]) { box in
            box.element(
                "svg",
                [
                    ("viewBox", "0 0 600 \(stages.count * 5)"), ("preserveAspectRatio", "none"),
                    ("role", "img"),
                    ("aria-label", "stages of this turn"),
                ]
            ) { svg in
                var from = 0
                for (index, stage) in stages.enumerated() {
                    let scale = 600 / Double(slowest)
                    svg.empty(
                        "rect",
                        [
                            ("class", "stage-\(stage.name)"), ("x", Score.short(Double(from) * scale)),
                            ("y", "\(index * 5)"),
                            ("width", Score.short(max(2, Double(stage.ms - from) * scale))), ("height", "4"),
                        ])
                    from = stage.ms
                }
            }
            box.element("p") { line in
                for stage in stages {
                    line.element("span", [("class", "key stage-\(stage.name)")], "\(stage.label) \(stage.ms)")
                    line.words(" ")
                }
                line.words("ms after the caller fell silent")
            }
        }
    }
}
