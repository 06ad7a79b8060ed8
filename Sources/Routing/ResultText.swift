import Base

/// A tool's result as a model can read it with fewer tokens: every value, each name once.
///
/// A list of flat objects is a table with a line of names and a line an entry, one flat object is `name: value` pairs;
/// anything else keeps its JSON. It depends on the result alone, so that it is written the same in each prompt.
enum ResultText {
    private static let betweenCells = "|"
    private static let betweenPairs = "; "

    /// Never longer than `text`.
    static func short(_ text: String) -> String {
        guard let result = JSON(parsing: text) else { return text }
        let written = table(result) ?? pairs(result) ?? result.text
        return written.utf8.count < text.utf8.count ? written : text
    }

    private static func table(_ result: JSON) -> String? {
        guard let entries = result.array, entries.count > 1 else { return nil }
        let rows = entries.compactMap(\.object)
        guard rows.count == entries.count else { return nil }
        let names = Set(rows.flatMap(\.keys)).sorted()
        guard !names.isEmpty, names.allSatisfy({ isPlain($0, betweenCells) }) else { return nil }
        var lines = [names.joined(separator: betweenCells)]
        for row in rows {
            var cells: [String] = []
            for name in names {
                guard let cell = cell(row[name] ?? .null, betweenCells) else { return nil }
                cells.append(cell)
            }
            lines.append(cells.joined(separator: betweenCells))
        }
        return lines.joined(separator: "\n")
    }

    private static func pairs(_ result: JSON) -> String? {
        let only = result.array.flatMap { $0.count == 1 ? $0[0] : nil } ?? result
        guard let members = only.object, !members.isEmpty else { return nil }
        var pairs: [String] = []
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard isPlain(name, betweenPairs), let cell = cell(value, betweenPairs) else { return nil }
            pairs.append("\(name): \(cell)")
        }
        return pairs.joined(separator: betweenPairs)
    }

    /// Empty for null; nil where the value has parts of its own or would be taken for several.
    private static func cell(_ value: JSON, _ separator: String) -> String? {
        switch value {
        case .array, .object: nil
        case .null: ""
        case .string(let text): isPlain(text, separator) ? text : nil
        default: value.text
        }
    }

    private static func isPlain(_ text: String, _ separator: String) -> Bool {
        !text.utf8.contains { $0 == separator.utf8.first || $0 == UInt8(ascii: "\n") }
    }
}
