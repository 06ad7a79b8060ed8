import Base
import Foundation

/// Shows a call's conversation as the platform tells it, while it happens, and its figures afterwards.
struct DemoView {
    let api: APIClient
    let callID: String
    static let pollInterval: Duration = .milliseconds(200)

    /// Prints each turn once it is known, until the call has ended. Returns the turns.
    func follow(limit: Duration) async throws -> [JSON] {
        let end = ContinuousClock.now + limit
        var shown = 0
        while ContinuousClock.now < end {
            let isOver = try await api.get("/v1/calls/\(callID)")["state"]?.string == "ended"
            let turns = try await transcript()
            for turn in turns.dropFirst(shown) { print(Self.line(turn)) }
            shown = max(shown, turns.count)
            if isOver { return turns }
            try await Task.sleep(for: Self.pollInterval)
        }
        throw DemoFailure("the call did not end within \(limit)")
    }

    func transcript() async throws -> [JSON] {
        try await api.get("/v1/calls/\(callID)/transcript")["turns"]?.array ?? []
    }

    private static func line(_ turn: JSON) -> String {
        let start = Int(turn["start_ms"]?.int ?? 0)
        let seconds = "\(start / 1000).\(start % 1000 / 100)"
        let padded = String(repeating: " ", count: max(0, 6 - seconds.count)) + seconds
        let speaker = turn["speaker"]?.string == "agent" ? "agent " : "caller"
        let cut = turn["was_interrupted"]?.bool == true ? " —  (interrupted)" : ""
        return "\(padded) s  \(speaker)  \(turn["text"]?.string ?? "")\(cut)"
    }

    private static let stages = [
        ("final_text", "final text"), ("end_of_turn", "end of turn"),
        ("requested", "model asked"), ("first_token", "first token"),
        ("first_audio", "first audio"), ("heard", "heard"),
    ]

    /// What each of the agent's answers took, from the end of the caller's speech.
    static func stageTable(_ turns: [JSON]) -> String {
        var table = Table(
            header: ["turn", "answer"] + stages.map { $0.1 + " ms" }, numeric: Set([0] + (2..<8)))
        for turn in turns where turn["speaker"]?.string == "agent" {
            guard let values = turn["stages"]?.object, !values.isEmpty else { continue }
            let cells = stages.map { name, _ in
                (values[name + "_ms"] ?? values[name])?.int.map(String.init) ?? "–"
            }
            let text = turn["text"]?.string ?? ""
            table.rows.append(["\(turn["number"]?.int ?? 0)", String(text.prefix(36))] + cells)
        }
        return table.rendered()
    }

    static func costTable(_ call: JSON) -> String {
        var table = Table(header: ["component", "source", "used", "billed", "USD"], numeric: [2, 3, 4])
        for line in call["cost_lines"]?.array ?? [] {
            table.rows.append([
                line["component"]?.string ?? "", line["source"]?.string ?? "",
                "\(line["quantity"]?.int ?? 0) \(line["unit"]?.string ?? "")", "\(line["billed"]?.int ?? 0)",
                line["amount"]?.string ?? "",
            ])
        }
        table.rows.append(["total", "", "", "", call["cost"]?.string ?? ""])
        return table.rendered()
    }
}
