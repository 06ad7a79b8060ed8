package import Base

/// A call as the API tells it (`GET /v1/calls/{id}`), as far as the page shows it. Pure.
package struct CallSheet: Hashable, Sendable {
    package struct Cost: Hashable, Sendable {
        var component: String, source: String, quantity: String, billed: String, price: String, amount: String
    }

    package var id: String
    /// Name and value, in the order of the page.
    package private(set) var facts: [[String]]
    package private(set) var costs: [Cost]
    package private(set) var total: String?

    /// What is missing or of another kind is left out.
    package init(_ call: JSON, id: String) {
        self.id = id
        func text(_ key: String) -> String? { call[key].flatMap(Self.text) }
        let members = [
            ("From", text("from")), ("To", text("to")), ("Direction", text("direction")),
            ("State", text("state")),
            ("Ended because", text("end_reason")?.replacing("_", with: " ")),
            ("Created", text("created_at")), ("Answered", text("answered_at")), ("Ended", text("ended_at")),
            ("Connected", call["connected_ms"]?.int.map { Clock.text(Int(clamping: $0)) }),
            ("Agent", text("agent_id")), ("Agent version", text("agent_version")),
        ]
        facts = members.compactMap { name, value in value.map { [name, $0] } }
        total = text("cost")
        costs = (call["cost_lines"]?.array ?? []).map { line in
            func text(_ key: String) -> String { line[key].flatMap(Self.text) ?? "" }
            let unit = text("unit").replacing("_", with: " ")
            let per = line["per"]?.int.map { $0 == 1 ? "" : "\($0) " } ?? ""
            return Cost(
                component: text("component"), source: text("source"),
                quantity: text("quantity") + " " + unit, billed: text("billed"),
                price: "\(text("price")) per \(per)\(unit)", amount: text("amount"))
        }
    }

    private static func text(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .null, .bool, .array, .object: nil
        }
    }
}

/// Times of a call for people. Pure.
enum Clock {
    /// `1:04.250`; `showsMs: false`: `1:04`.
    static func text(_ ms: Int, showsMs: Bool = true) -> String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let ms = max(0, ms)
        return "\(ms / 60_000):" + padded(ms / 1000 % 60, 2) + (showsMs ? "." + padded(ms % 1000, 3) : "")
    }
}
