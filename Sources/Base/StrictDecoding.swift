/// Any key of a JSON object, for looking at what is there before deciding what it means.
package struct AnyKey: CodingKey, Hashable {
    package let stringValue: String
    package let intValue: Int?
    package init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }
    package init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

extension Decoder {
    /// The keyed container; a key that `Keys` does not list is an error that names its path.
    ///
    /// - Throws: `DecodingError.dataCorrupted` for an unknown key, `typeMismatch` when it is no object.
    package func strict<Keys: CodingKey & CaseIterable>(_ keys: Keys.Type) throws -> KeyedDecodingContainer<
        Keys
    > {
        let known = Keys.allCases
        for key in try container(keyedBy: AnyKey.self).allKeys
        where !known.contains(where: { $0.stringValue == key.stringValue }) {
            let names = known.map(\.stringValue).joined(separator: ", ")
            throw unreadable("unknown key; known: \(names)", at: key)
        }
        return try container(keyedBy: keys)
    }

    /// An error that says why what is here, or its member `key`, cannot be read.
    package func unreadable(_ reason: String, at key: (any CodingKey)? = nil) -> DecodingError {
        .dataCorrupted(.init(codingPath: codingPath + (key.map { [$0] } ?? []), debugDescription: reason))
    }
}

/// One of a few words, as the API names them: another is refused with those that are known.
package protocol NamedChoice: RawRepresentable<String>, CaseIterable, Codable {}

extension NamedChoice {
    package init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        guard let known = Self(rawValue: word) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw decoder.unreadable("unknown; known: \(names)")
        }
        self = known
    }
}

extension KeyedDecodingContainer {
    /// The member, or `fallback` where it is missing or null.
    package func value<Value: Decodable>(_ key: Key, or fallback: Value) throws -> Value {
        try member(key) { try decodeIfPresent(Value.self, forKey: key) } ?? fallback
    }

    package func whole(_ key: Key) throws -> Int { try member(key) { try decode(Int.self, forKey: key) } }

    /// Foundation's decoder names no place for a number that is not whole where one belongs, or is too large: this does.
    private func member<Value>(_ key: Key, _ read: () throws -> Value) throws -> Value {
        do { return try read() } catch {
            let isWhole = Value.self == Int.self || Value.self == Int?.self || Value.self == Int??.self
            guard isWhole, (try? decode(Double.self, forKey: key)) != nil else { throw error }
            throw DecodingError.typeMismatch(
                Int.self, .init(codingPath: codingPath + [key], debugDescription: "no whole number"))
        }
    }
}

extension DecodingError {
    /// Dotted path of what could not be read, `flow.nodes[2].say`; empty at the root.
    package var path: String {
        switch self {
        case .typeMismatch(_, let place), .valueNotFound(_, let place), .dataCorrupted(let place):
            Self.path(place.codingPath)
        case .keyNotFound(let key, let place): Self.path(place.codingPath + [key])
        @unknown default: ""
        }
    }

    /// What is wrong there, for people; holds no value of the input.
    package var reason: String {
        switch self {
        case .typeMismatch(let type, _): "expected \(Self.name(of: type))"
        case .valueNotFound(let type, _): "expected \(Self.name(of: type)), found null"
        case .keyNotFound: "required"
        case .dataCorrupted(let place): place.debugDescription
        @unknown default: "cannot be read"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return path + "[\(index)]" }
            return path.isEmpty ? key.stringValue : path + "." + key.stringValue
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        case is [AnyKey].Type: "an array"
        default: "\(type)".hasPrefix("Array") ? "an array" : "an object"
        }
    }
}
