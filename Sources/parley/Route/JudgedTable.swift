import Base
import Routing

// How judged replies are shown.

extension JudgedReplies.Verdict {
    static let all: [Self] =
        ReplyComparison.Verdict.allCases.map { .compared($0) } + [.handedOver, .unjudged]

    var name: String {
        switch self {
        case .compared(let verdict): verdict.rawValue
        case .handedOver: "handed_over"
        case .unjudged: "unjudged"
        }
    }
}

extension JudgedReplies.Row {
    /// Characters of a reply in a line of the table.
    private static let replyWidth = 60

    func line(_ decided: JournalRoutes.Decided) -> String {
        let replies = [cheap, strong].map { reply in
            let line = reply.replacing("\n", with: " ")
            return line.count > Self.replyWidth ? line.prefix(Self.replyWidth - 1) + "…" : line
        }
        let seconds = Double(decided.at.milliseconds) / 1000
        return [
            decided.id, "\(seconds) s", problem.map { "\(verdict.name) (\($0))" } ?? verdict.name, replies[0],
            replies[1],
        ]
        .joined(separator: " | ")
    }

    func json(_ decided: JournalRoutes.Decided) -> String {
        let fields: JSON = [
            "id": .string(decided.id), "t_ms": .int(Int64(decided.at.milliseconds)),
            "route": .string(decided.choice.mode.name), "verdict": .string(verdict.name),
            "cheap": .string(cheap), "strong": .string(strong),
            "problem": problem.map { .string($0) } ?? .null,
        ]
        return fields.text
    }
}

extension JudgedReplies {
    private static func counts(_ rows: [Row]) -> [(String, Int)] {
        Verdict.all.map { verdict in (verdict.name, rows.count { $0.verdict == verdict }) }
    }

    static func summary(_ rows: [Row]) -> JSON {
        var fields = Dictionary(uniqueKeysWithValues: counts(rows).map { ($0, JSON.int(Int64($1))) })
        fields["requests"] = .int(Int64(rows.count))
        return ["summary": .object(fields)]
    }

    static func lines(_ rows: [Row]) -> String {
        "the cheap model's replies to \(rows.count) requests: "
            + counts(rows).map { "\($1) \($0)" }.joined(separator: ", ")
    }
}
