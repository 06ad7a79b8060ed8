package import Base
import Foundation

/// Reads the members of a JSON object one by one and gathers everything wrong with them.
///
/// A reader that fails notes why and gives a placeholder; `finish()` throws before a placeholder can be used, and
/// also names members nobody asked for. `null` counts as absent; `isNull` tells it where clearing means something.
package final class Fields {
    /// Problems listed in one answer.
    static let errorsMax = 50

    /// Shared by an object and the objects inside it.
    final class Notes {
        var errors: [Problem.Fieldwise] = []
    }

    private let members: [String: JSON]
    private let path: String
    private let notes: Notes
    private var asked: Set<String> = []
    private var inner: [Fields] = []

    package init(_ json: JSON) throws {
        guard case .object(let members) = json else {
            throw Problem.invalid("", "expected a JSON object")
        }
        self.members = members
        path = ""
        notes = Notes()
    }

    private init(_ members: [String: JSON], path: String, notes: Notes) {
        self.members = members
        self.path = path
        self.notes = notes
    }

    /// Throws 422 with everything that was wrong; otherwise what was read can be used.
    package func finish() throws {
        noteUnknown()
        guard notes.errors.isEmpty else { throw Problem.invalid(Array(notes.errors.prefix(Self.errorsMax))) }
    }

    private func noteUnknown() {
        for name in members.keys.sorted() where !asked.contains(name) {
            fail(String(name.prefix(64)), "unknown field; known: \(asked.sorted().joined(separator: ", "))")
        }
        for fields in inner { fields.noteUnknown() }
    }

    package func fail(_ name: String, _ message: String) {
        notes.errors.append(Problem.Fieldwise(path: join(name), message: message))
    }

    private func join(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    /// The member as it is; nil when absent or null.
    package func raw(_ name: String) -> JSON? {
        asked.insert(name)
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    package func isNull(_ name: String) -> Bool {
        asked.insert(name)
        return members[name] == .null
    }

    /// Reads with `read`, noting `expected` when it gives nil.
    package func optional<Value>(_ name: String, _ expected: String, _ read: (JSON) -> Value?) -> Value? {
        guard let json = raw(name) else { return nil }
        guard let value = read(json) else {
            fail(name, "expected \(expected)")
            return nil
        }
        return value
    }

    package func required<Value>(_ name: String, _ value: Value?, or placeholder: Value) -> Value {
        if value == nil, raw(name) == nil { fail(name, "is required") }
        return value ?? placeholder
    }
}

extension Fields {
    package func optionalString(_ name: String, length: ClosedRange<Int> = 1...200) -> String? {
        optional(name, "a string of \(length.lowerBound) to \(length.upperBound) characters") { json in
            json.string.flatMap { length.contains($0.unicodeScalars.count) ? $0 : nil }
        }
    }
    package func string(_ name: String, length: ClosedRange<Int> = 1...200) -> String {
        required(name, optionalString(name, length: length), or: "")
    }

    package func optionalInt(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        optional(name, "an integer from \(range.lowerBound) to \(range.upperBound)") { json in
            json.int.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
        }
    }
    package func int(_ name: String, _ range: ClosedRange<Int>) -> Int {
        required(name, optionalInt(name, range), or: range.lowerBound)
    }

    package func optionalBool(_ name: String) -> Bool? { optional(name, "true or false", \.bool) }

    package func optionalID<Of: Entity>(_ name: String, _: Of.Type = Of.self) -> ID<Of>? {
        optional(name, "an id like \(Of.prefix)_…") { json in json.string.flatMap { ID<Of>($0) } }
    }
    package func id<Of: Entity>(_ name: String, _: Of.Type = Of.self) -> ID<Of> {
        required(name, optionalID(name), or: ID<Of>(high: 0, low: 0))
    }

    package func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        optional(name, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")) { json in
            json.string.flatMap { Choice(rawValue: $0) }
        }
    }
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, or placeholder: Choice
    ) -> Choice where Choice.RawValue == String {
        required(name, optionalChoice(name), or: placeholder)
    }

    /// RFC 3339.
    package func optionalTime(_ name: String) -> Timestamp? {
        optional(name, "a time like 2026-11-22T16:00:00Z") { json in
            json.string.flatMap { Timestamp(rfc3339: $0) }
        }
    }

    /// Decimal dollars in a string, `"0.0125"`, not negative.
    package func optionalMoney(_ name: String) -> Money? {
        optional(name, "a decimal amount in a string, like \"0.0125\", not negative") { json in
            json.string.flatMap { Money(decimal: $0) }.flatMap { $0 < .zero ? nil : $0 }
        }
    }
    package func money(_ name: String) -> Money { required(name, optionalMoney(name), or: .zero) }

    package func optionalPhone(_ name: String) -> E164? {
        optional(name, "an E.164 number like +14155550100") { json in json.string.flatMap { E164($0) } }
    }
    package func phone(_ name: String) -> Redacted<E164> {
        let read = optionalPhone(name)
        if read == nil, raw(name) == nil { fail(name, "is required") }
        guard let number = read ?? E164("+10000000") else { preconditionFailure("the placeholder is E.164") }
        return Redacted(number)
    }

    package func optionalStrings(
        _ name: String, count: ClosedRange<Int>, _ expected: String, _ isValid: (String) -> Bool
    ) -> [String]? {
        optional(name, "\(count.lowerBound) to \(count.upperBound) of \(expected)") { json in
            guard let values = json.array?.map(\.string), count.contains(values.count) else { return nil }
            let strings = values.compactMap { $0 }.filter(isValid)
            return strings.count == values.count ? strings : nil
        }
    }

    /// An object of strings, such as a call's variables.
    package func optionalStringMap(_ name: String, countMax: Int, lengthMax: Int) -> [String: String]? {
        optional(name, "an object of at most \(countMax) strings of at most \(lengthMax) characters") {
            json in
            guard let members = json.object, members.count <= countMax else { return nil }
            let strings = members.compactMapValues(\.string)
                .filter { $0.value.unicodeScalars.count <= lengthMax && (1...64).contains($0.key.utf8.count) }
            return strings.count == members.count ? strings : nil
        }
    }

    /// An `http` or `https` address without user, query or fragment; a trailing slash is dropped.
    package func optionalURL(_ name: String) -> String? {
        optional(name, "an http(s) URL without user, query and fragment") { json in
            guard var text = json.string, text.utf8.count <= 500, let url = URLComponents(string: text),
                url.scheme == "https" || url.scheme == "http", let host = url.host, !host.isEmpty,
                url.user == nil, url.password == nil, url.query == nil, url.fragment == nil
            else { return nil }
            while text.hasSuffix("/") { text.removeLast() }
            return text
        }
    }

    package func optionalObject(_ name: String) -> Fields? {
        optional(name, "an object") { json in json.object.map { child($0, join(name)) } }
    }

    package func objects(_ name: String, count: ClosedRange<Int>) -> [Fields] {
        let found = optional(name, "\(count.lowerBound) to \(count.upperBound) objects") {
            json -> [Fields]? in
            guard let values = json.array?.map(\.object), count.contains(values.count) else { return nil }
            let objects = values.compactMap { $0 }
            guard objects.count == values.count else { return nil }
            return objects.enumerated().map { child($1, join(name) + "[\($0)]") }
        }
        return required(name, found, or: [])
    }

    private func child(_ members: [String: JSON], _ path: String) -> Fields {
        let fields = Fields(members, path: path, notes: notes)
        inner.append(fields)
        return fields
    }
}
