/// JSON: `"open"`, `"yes_no"`, `"phone"`, `"date"`, `"spelling"`, `"address"`, `"email"`, `"amount"` as bare strings;
/// the others as objects:
/// `{"kind":"digits","min":4,"max":6}`, `{"kind":"choice","of":["red"]}`, `{"kind":"name","known":["ann"]}`.
extension Expectation: Codable {
    private enum Keys: String, CodingKey, CaseIterable { case kind, min, max, of, known }

    package init(from decoder: any Decoder) throws {
        if let kind = try? decoder.singleValueContainer().decode(String.self) {
            self = try Self.plain(kind, at: decoder)
            return
        }
        let container = try decoder.strict(Keys.self)
        let kind = try container.decode(String.self, forKey: .kind)
        let allowed: Set<Keys>
        switch kind {
        case "choice":
            self = .choice(try container.decode([String].self, forKey: .of).map { $0.lowercased() })
            allowed = [.kind, .of]
        case "digits":
            let min = try container.whole(.min)
            self = .digits(min: min, max: try container.value(.max, or: min))
            allowed = [.kind, .min, .max]
        case "name":
            let known: [String] = try container.value(.known, or: [])
            self = .name(known: known.map { $0.lowercased() })
            allowed = [.kind, .known]
        default:
            self = try Self.plain(kind, at: decoder)
            allowed = [.kind]
        }
        if let odd = container.allKeys.first(where: { !allowed.contains($0) }) {
            throw decoder.unreadable("not a member of kind \(kind)", at: odd)
        }
    }

    private static func plain(_ kind: String, at decoder: any Decoder) throws -> Expectation {
        guard let expectation = plain[kind] else {
            throw decoder.unreadable(
                "expected one of open, yes_no, phone, date, spelling, address, email, amount, name, digits, choice"
            )
        }
        return expectation
    }

    /// The kinds that need no more than their name.
    static let plain: [String: Expectation] = [
        "open": .open, "yes_no": .yesNo, "phone": .phone, "date": .date, "spelling": .spelling,
        "address": .address, "email": .email, "amount": .amount, "name": .name(known: []),
    ]

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .open: try "open".encode(to: encoder)
        case .yesNo: try "yes_no".encode(to: encoder)
        case .phone: try "phone".encode(to: encoder)
        case .date: try "date".encode(to: encoder)
        case .spelling: try "spelling".encode(to: encoder)
        case .address: try "address".encode(to: encoder)
        case .email: try "email".encode(to: encoder)
        case .amount: try "amount".encode(to: encoder)
        case .choice(let phrases):
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode("choice", forKey: .kind)
            try container.encode(phrases, forKey: .of)
        case .digits(let min, let max):
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode("digits", forKey: .kind)
            try container.encode(min, forKey: .min)
            try container.encode(max, forKey: .max)
        case .name(let known):
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode("name", forKey: .kind)
            try container.encode(known, forKey: .known)
        }
    }
}
