/// One line of text for an expectation: `open`, `yes_no` (or `yes/no`), `phone`, `date`, `name`, `spelling`, `address`, `email`,
/// `amount`, `digits:6`, `digits:4-8` (or `4..8`), `choice:red|dark red`, `name:ann lee|bob stone`.
extension Expectation {
    /// Digits of an answer and choices of a list; more are no expectation.
    private static let digitsMax = 32
    private static let choicesMax = 50

    /// nil for anything else.
    package init?(spec: String) {
        let parts = spec.split(separator: ":", maxSplits: 1).map { Words.trimmed(String($0)) }
        guard let kind = parts.first?.lowercased().replacing("/", with: "_") else { return nil }
        guard parts.count == 2 else {
            guard let plain = Self.plain[kind] else { return nil }
            self = plain
            return
        }
        let choices = parts[1].split(separator: "|").map { Words.trimmed($0.lowercased()) }.filter {
            !$0.isEmpty
        }
        switch kind {
        case "digits":
            let ends = parts[1].replacing("..", with: "-").split(
                separator: "-", omittingEmptySubsequences: false
            ).map {
                Int(Words.trimmed(String($0)))
            }
            guard (1...2).contains(ends.count), let min = ends[0], let max = ends[ends.count - 1],
                min >= 1, min <= max, max <= Self.digitsMax
            else { return nil }
            self = .digits(min: min, max: max)
        case "choice" where !choices.isEmpty && choices.count <= Self.choicesMax: self = .choice(choices)
        case "name" where !choices.isEmpty && choices.count <= Self.choicesMax: self = .name(known: choices)
        default: return nil
        }
    }

    /// The last mark `[[spec]]` in a model's reply; nil when there is none or it is not understood.
    package init?(markIn reply: String) {
        guard reply.utf8.contains(UInt8(ascii: "[")), let open = reply.ranges(of: "[[").last,
            let close = reply[open.upperBound...].firstRange(of: "]]")
        else { return nil }
        self.init(spec: String(reply[open.upperBound..<close.lowerBound]))
    }
}

extension Words {
    /// Without marks `[[…]]`, which are for the machine alone; one that does not close goes to the end.
    package static func unmarked(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "[")) else { return text }
        var out = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "[[") {
            out += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstRange(of: "]]") else { return out }
            rest = rest[close.upperBound...]
        }
        return out + rest
    }
}
