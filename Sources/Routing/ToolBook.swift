package import Base

/// The tools of an agent as the router sees them: what each is said to do, what it needs. Made once per agent.
package struct ToolBook: Sendable, Hashable {
    /// Tools that are looked at; an agent with more is routed by the dialogue alone.
    package static let toolsMax = 64
    /// Parameters of one tool that are looked at.
    package static let parametersMax = 32

    struct Parameter: Sendable, Hashable {
        var name: UInt32
        /// Stems of name and description.
        var stems: Set<UInt32>
        /// Stems of the values it may take.
        var values: Set<UInt32>
        var isRequired: Bool
        var wants: Wanted
    }

    /// What kind of words fills a parameter, by its name and description.
    enum Wanted: Sendable, Hashable { case date, time, number, name, flag, text }

    struct Tool: Sendable, Hashable {
        var name: String
        var stems: Set<UInt32>
        /// The same in one order, as sums of fractions depend on it.
        var ordered: [UInt32]
        var parameters: [Parameter]
        var looksUp: Bool
        var changes: Bool
        /// Required parameters, or all where the schema does not say.
        var needed: [Int]
    }

    private(set) var tools: [Tool] = []
    /// As many as were given, beyond `toolsMax` too.
    package private(set) var count = 0
    /// Bytes of the list in a system text.
    package private(set) var schemaBytes = 0
    private(set) var saysRequired = false
    private(set) var rarity: [UInt32: Float] = [:]

    package init() {}

    /// From a list of tools as models are given it: with `function` round each or without, parameters as JSON Schema,
    /// as an object of descriptions, or as an array of objects with names.
    package init(_ list: JSON) {
        let entries = list.array ?? []
        count = entries.count
        guard count <= Self.toolsMax else { return }
        for entry in entries {
            let body = entry["function"] ?? entry
            guard let name = body["name"]?.string else { continue }
            tools.append(tool(name, body))
        }
        var seen: [UInt32: Int] = [:]
        for tool in tools { for stem in tool.stems { seen[stem, default: 0] += 1 } }
        rarity = seen.mapValues { 1 / Float($0) }
    }

    /// A line that begins a list of tools which cannot be read.
    package struct Unreadable: Error, Hashable {
        /// In the system text, from 1.
        package var line: Int
    }

    /// The system text of a stored call: words, and the list of tools as JSON from the start of a line, if any. Text may
    /// follow it.
    ///
    /// - Throws: `Unreadable` at a line that begins with `[{` and is no JSON: without its tools nobody knows what an agent does.
    package init(systemText: String) throws(Unreadable) {
        var start = systemText.startIndex
        var line = 1
        while start < systemText.endIndex {
            let rest = systemText[start...]
            if let (list, length) = try Self.list(rest, line), Self.namesTools(list) {
                self.init(list)
                schemaBytes = length
                return
            }
            guard let end = rest.utf8.firstIndex(of: UInt8(ascii: "\n")) else { break }
            start = systemText.utf8.index(after: end)
            line += 1
        }
        self.init()
    }

    /// The JSON array that `text` begins with; nil where it begins with words, also in brackets.
    private static func list(_ text: Substring, _ line: Int) throws(Unreadable) -> (JSON, Int)? {
        guard text.utf8.first == UInt8(ascii: "[") else { return nil }
        if let (list, length) = JSON.prefix(of: text) { return (list, length) }
        let blanks = [UInt8](" \t\r\n".utf8)
        guard text.utf8.dropFirst().first(where: { !blanks.contains($0) }) == UInt8(ascii: "{") else {
            return nil
        }
        throw Unreadable(line: line)
    }

    /// `[1]` before a footnote is no list of tools.
    private static func namesTools(_ list: JSON) -> Bool {
        (list.array ?? []).contains { $0.object != nil || $0.string != nil }
    }

    private mutating func tool(_ name: String, _ body: JSON) -> Tool {
        let named = SpokenShape(name, isIdentifier: true)
        let schema = body["parameters"] ?? body["input_schema"] ?? .null
        let required = Set(
            ((body["required"] ?? schema["required"])?.array ?? []).compactMap { $0.string })
        if body["required"] != nil || schema["required"] != nil { saysRequired = true }
        let parameters = Self.parameters(schema, required)
        let needed = parameters.indices.filter { parameters[$0].isRequired }
        let text = SpokenShape(body["description"]?.string ?? "")
        let stems = Set(named.stems + text.stems)
        return Tool(
            name: name, stems: stems, ordered: stems.sorted(), parameters: parameters,
            looksUp: named.words.contains { Lexicon.lookups.contains($0) },
            changes: named.words.contains { Lexicon.changes.contains($0) },
            needed: needed.isEmpty && !saysRequired ? Array(parameters.indices) : needed)
    }

    private static func parameters(_ schema: JSON, _ required: Set<String>) -> [Parameter] {
        var found: [Parameter] = []
        if let list = schema.array {
            for entry in list {
                guard let name = entry["name"]?.string else { continue }
                found.append(parameter(name, entry, required))
            }
        } else if let members = (schema["properties"] ?? schema).object {
            for (name, entry) in members.sorted(by: { $0.key < $1.key }) {
                found.append(parameter(name, entry, required))
            }
        }
        return Array(found.prefix(parametersMax))
    }

    private static func parameter(_ name: String, _ entry: JSON, _ required: Set<String>) -> Parameter {
        let description = entry.string ?? entry["description"]?.string ?? ""
        let shape = SpokenShape(name, isIdentifier: true)
        let words = Set(shape.words)
        let stems = Set(shape.stems + SpokenShape(description).stems)
        let values = (entry["enum"]?.array ?? []).compactMap(\.string).flatMap { SpokenShape($0).stems }
        return Parameter(
            name: WordHash.of(name), stems: stems, values: Set(values), isRequired: required.contains(name),
            wants: wanted(words, entry["type"]?.string ?? "", description))
    }

    private static let dates = hashes("date day dates days when checkin checkout departure")
    private static let times = hashes("time hour start end")
    private static let counts = hashes(
        """
        number count size amount passengers travelers seats guests people rooms beds baths quantity age price rating \
        riders tickets cost budget
        """)
    private static let names = hashes(
        "name title city location area destination origin address place artist venue")
    private static func hashes(_ list: String) -> Set<UInt32> {
        Set(list.split(separator: " ").map { WordHash.of(String($0)) })
    }

    private static func wanted(_ words: Set<UInt32>, _ type: String, _ description: String) -> Wanted {
        let type = type.lowercased()
        if type == "boolean" || description.hasPrefix("Boolean") || description.hasPrefix("Whether") {
            return .flag
        }
        if !words.isDisjoint(with: counts) || type == "integer" || type == "number" { return .number }
        if !words.isDisjoint(with: dates) { return .date }
        if !words.isDisjoint(with: times) { return .time }
        if !words.isDisjoint(with: names) { return .name }
        return .text
    }
}
