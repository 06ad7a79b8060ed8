import Base
import Conversation
import Review

/// What another policy would have decided on one call, for terminals and programs.
struct Comparison {
    private let result: WhatIf
    private let drifts: Bool

    /// `drifts`: see `RecordedCall.Leg.driftsAt`.
    init(_ result: WhatIf, drifts: Bool) {
        self.result = result
        self.drifts = drifts
    }

    var text: String {
        var table = Table(
            header: ["turn", "silent at", "recorded", "other", "shift", "false stops", "words"],
            numeric: [0, 1, 4])
        for row in result.rows {
            table.rows.append([
                row.turn.map(String.init) ?? "–", "\(row.endedAt.milliseconds)",
                Self.text(row.recorded.end, row), Self.text(row.other.end, row),
                row.shiftMs.map(Self.signed) ?? "–", "\(row.recorded.falseStops) → \(row.other.falseStops)",
                String(row.text.prefix(Self.wordsMax)),
            ])
        }
        return table.rendered() + "\n\n" + Self.summary(result.totals)
            + (drifts ? "\n  " + Self.driftNote : "")
    }

    static let driftNote =
        "recorded by a version that decided otherwise: \"recorded\" is what this version decides"

    var json: String {
        (result.rows.map { row in
            JSON.object([
                "turn": row.turn.map { .int(Int64($0)) } ?? .null, "text": .string(row.text),
                "silent_at_ms": .int(Int64(row.endedAt.milliseconds)),
                "shift_ms": row.shiftMs.map { .int(Int64($0)) } ?? .null,
                "recorded": Self.json(row.recorded, row), "other": Self.json(row.other, row),
            ]).text
        } + [JSON.object(["totals": Self.json(result.totals), "drifts": .bool(drifts)]).text]).joined(
            separator: "\n")
    }

    private static let wordsMax = 50

    /// `over after 640 ms` counts from the end of the caller's speech.
    private static func text(_ end: Trial.End, _ row: WhatIf.Row) -> String {
        switch end {
        case .over(let at): "over after \((at - row.endedAt).milliseconds) ms"
        case .cut(let at): "cut at \(at.milliseconds)"
        case .takenUp(let at): "taken up at \(at.milliseconds)"
        case .joined: "joined with the next"
        case .open: "open"
        }
    }

    static func signed(_ ms: Int) -> String { ms > 0 ? "+\(ms)" : "\(ms)" }

    static func summary(_ totals: WhatIf.Totals) -> String {
        func pair(_ pair: WhatIf.Totals.Pair) -> String { "\(pair.recorded) → \(pair.other)" }
        let shift = totals.meanShiftMs.map { ", mean shift \(signed($0)) ms over \(totals.compared)" } ?? ""
        return """
              \(totals.turns) turns: \(totals.earlier) earlier, \(totals.later) later\(shift)
              recorded → other: cut \(pair(totals.cut)), joined \(pair(totals.joined)), taken up \(pair(totals.takenUp)), \
            false stops \(pair(totals.falseStops)), asked again \(pair(totals.silences))
            """
    }

    private static func json(_ trial: Trial, _ row: WhatIf.Row) -> JSON {
        var members: [String: JSON] = [
            "pauses": .int(Int64(trial.pauses)), "false_stops": .int(Int64(trial.falseStops)),
            "asked_again": .int(Int64(trial.silences)),
        ]
        let (name, at): (String, CallTime?) =
            switch trial.end {
            case .over(let at): ("over", at)
            case .cut(let at): ("cut", at)
            case .takenUp(let at): ("taken_up", at)
            case .joined: ("joined", nil)
            case .open: ("open", nil)
            }
        members["end"] = .string(name)
        members["at_ms"] = at.map { .int(Int64($0.milliseconds)) } ?? .null
        return .object(members)
    }

    static func json(_ totals: WhatIf.Totals) -> JSON {
        func pair(_ pair: WhatIf.Totals.Pair) -> JSON {
            ["recorded": .int(Int64(pair.recorded)), "other": .int(Int64(pair.other))]
        }
        return [
            "turns": .int(Int64(totals.turns)), "earlier": .int(Int64(totals.earlier)),
            "later": .int(Int64(totals.later)), "compared": .int(Int64(totals.compared)),
            "mean_shift_ms": totals.meanShiftMs.map { .int(Int64($0)) } ?? .null, "cut": pair(totals.cut),
            "joined": pair(totals.joined), "taken_up": pair(totals.takenUp),
            "false_stops": pair(totals.falseStops), "asked_again": pair(totals.silences),
        ]
    }
}

/// The same for many calls, one row each.
struct CallComparison {
    struct Row {
        var id: String
        var totals: WhatIf.Totals
        var drifts: Bool
    }

    let calls: [Row]
    /// Calls that have no journal.
    let without: Int

    private var totals: WhatIf.Totals { calls.reduce(WhatIf.Totals()) { $0 + $1.totals } }

    var text: String {
        var table = Table(
            header: [
                "call", "turns", "earlier", "later", "mean shift", "cut", "joined", "taken up", "false stops",
            ],
            numeric: [1, 2, 3, 4])
        for row in calls {
            let totals = row.totals
            func pair(_ pair: WhatIf.Totals.Pair) -> String { "\(pair.recorded) → \(pair.other)" }
            table.rows.append([
                row.id + (row.drifts ? "*" : ""), "\(totals.turns)", "\(totals.earlier)", "\(totals.later)",
                totals.meanShiftMs.map(Comparison.signed) ?? "–", pair(totals.cut), pair(totals.joined),
                pair(totals.takenUp), pair(totals.falseStops),
            ])
        }
        let missing = without == 0 ? "" : "\n  calls without a journal: \(without)"
        let drifting = calls.contains(where: \.drifts) ? "\n  * \(Comparison.driftNote)" : ""
        return table.rendered() + "\n\n  \(calls.count) calls, "
            + Comparison.summary(totals).drop { $0 == " " }
            + missing + drifting
    }

    var json: String {
        (calls.map {
            JSON.object([
                "call": .string($0.id), "totals": Comparison.json($0.totals), "drifts": .bool($0.drifts),
            ]).text
        }
            + [
                JSON.object([
                    "calls": .int(Int64(calls.count)), "without_journal": .int(Int64(without)),
                    "totals": Comparison.json(totals),
                ]).text
            ]).joined(separator: "\n")
    }
}
